"""A compiled set of literals for other kernels: scans without the GIL, into bits or a call-back."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "literals_scan.h" nogil:
    enum:
        LIT_CASELESS
        LIT_WORD
        LIT_MAX_SIZE
        LIT_SEEN
        LIT_COUNT
        LIT_FIND
        LIT_CALL
    # Of a pattern that stands at [start, end) of the text; not 0: stop.
    ctypedef int (*LitCall)(void* context, uint32_t number, size_t start, size_t end) noexcept nogil
    ctypedef struct LitClass:
        uint32_t q          # bytes of a window
        uint32_t n_entries
        uint32_t crowd      # entries of the fullest slot
    ctypedef struct LitPass:
        uint32_t stride
        uint32_t n_classes
        LitClass* classes
    ctypedef struct LitHead:
        uint32_t n          # patterns
        uint32_t n_passes
        LitPass* passes
    ctypedef struct LitMatch:
        uint64_t start
        uint32_t size
        uint32_t number
    ctypedef struct LitScan:
        const LitHead* head
        const uint8_t* text
        size_t n            # bytes of text
        int mode
        int level
        int failed          # out of memory
        int stopped
        uint64_t* seen      # zero at first; lit_seen_words(n) + lit_summary_words(n) words
        uint64_t* summary   # set by lit_scan: a bit for each word of `seen` that is not zero
        uint32_t* counts
        uint32_t limit
        size_t total
        size_t n_seen
        LitMatch* matches
        size_t n_matches
        LitCall call
        void* context
    size_t lit_seen_words(size_t n)
    size_t lit_summary_words(size_t n)
    int lit_best_level()
    void lit_scan(LitScan* scan)


cdef class Literals:
    cdef const LitHead* head       # the block, valid while this object lives
    cdef object _blob              # what holds the block
    cdef void* _copy               # or a copy of it, malloced
    cdef int level                 # 0 portable, 1 AVX2, 2 AVX-512, 3 AVX-512 VBMI
    cdef uint64_t* _spare          # words for `seen`, all zero, kept from one call to the next; taken under the GIL
    cdef uint32_t* _spare_counts   # likewise, a count a pattern
    cdef int _open(self, object blob) except -1
    cdef int _begin(self, LitScan* scan, int mode, bint counted) except -1
    cdef int _run(self, LitScan* scan, object data) except -1
    cdef void _end(self, LitScan* scan, bint is_clean)
    # Distinct patterns into `seen`, as LitScan.seen; returns how many. Any thread, no GIL.
    cdef size_t scan_seen(self, const uint8_t* text, size_t n, uint64_t* seen) noexcept nogil
    # Scan with what the caller has filled in beside `head` and `level`. Occurrences come in no order; those of one
    # pattern by start. Any thread, no GIL.
    cdef int run(self, LitScan* scan) noexcept nogil
