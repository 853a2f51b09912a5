"""Features of a message for other kernels: cimport Features and read its C arrays without Python objects."""

from libc.stdint cimport int8_t, int32_t, uint8_t, uint32_t, uint64_t

cdef extern from "tokens.h" nogil:
    enum: TOK_LINES, TOK_WORDS, TOK_PAIRS, TOK_SEGMENTS, TOK_MIN_BITS, TOK_MAX_BITS
    ctypedef struct TokPiece:
        const uint8_t* data
        size_t size
        uint32_t segment
        uint32_t mode
    void tok_run(const TokPiece* pieces, size_t n_pieces, unsigned bits, uint32_t limit, uint64_t* seen,
                 uint32_t* index, uint32_t* ends)  # fills index and ends; the caller owns both
    int tok_level()
    void tok_dot(int level, const uint32_t* index, size_t n, const int8_t* table, int32_t* sums)  # fills sums[0..1]


cdef class Features:
    cdef uint32_t* index           # owned; each below 2^bits; those of segment s end at ends[s]
    cdef uint32_t[8] ends          # TOK_SEGMENTS of them; the last one is the number of all
    cdef readonly unsigned bits

    cdef int _run(self, const TokPiece* table, Py_ssize_t n, uint64_t room, uint32_t limit, uint64_t total) except -1
    cdef int _dot(self, object table, int level, int32_t* sums) except -1
