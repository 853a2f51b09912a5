from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "literals.h" nogil:
    enum:
        LIT_CASELESS
        LIT_WORD
        LIT_MAX_SIZE
        LIT_SEEN
        LIT_COUNT
        LIT_FIND
        LIT_CALL
    ctypedef int (*LitCall)(void* context, uint32_t number, size_t start, size_t end) noexcept nogil
    ctypedef struct LitPattern:
        uint16_t size
    ctypedef struct LitPass:
        uint32_t q
        uint32_t stride
        uint32_t n_entries
        uint32_t crowd
    ctypedef struct LitHead:
        uint32_t n
        uint32_t n_passes
        uint64_t patterns
        uint64_t pool
        LitPass* passes
    ctypedef struct LitSet:
        const LitHead* head
        const LitPattern* patterns
        const uint8_t* pool
    ctypedef struct LitMatch:
        uint64_t start
        uint32_t size
        uint32_t number
    ctypedef struct LitScan:
        const LitSet* set
        const uint8_t* text
        size_t n
        int mode
        int level
        int failed
        int stopped
        uint64_t* seen
        uint32_t* counts
        uint32_t limit
        size_t total
        uint32_t* numbers
        LitMatch* matches
        size_t n_out
        LitCall call
        void* context
    void lit_scan(LitScan* scan)
    bint lit_has_avx512()


cdef class Literals:
    cdef LitSet _set
    cdef object _blob
    cdef void* _copy
    cdef int _level
    cdef int _open(self, object blob) except -1
    cdef int _scan(self, LitScan* scan, const Py_buffer* view) except -1
    cdef void _sort(self, LitScan* scan) noexcept nogil
    cdef int run(self, LitScan* scan) noexcept nogil
