from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "candidates.h" nogil:
    ctypedef struct CandHead:
        uint64_t magic
        uint64_t checksum
        uint64_t size
        uint32_t n_needs
        uint32_t n_leaves
        uint32_t n_gates
        uint32_t n_edges
        uint32_t n_always
        uint32_t n_starters
        uint32_t n_bounds
    ctypedef struct CandGate:
        uint32_t threshold
        uint32_t bounds
    ctypedef struct CandBounds:
        uint64_t low
        uint64_t high
    ctypedef struct CandSet:
        const CandHead* head
        CandBounds* bounds
        CandGate* gates
        uint32_t* first
        uint32_t* edges
        uint32_t* always
        uint32_t* starters
    ctypedef struct CandScratch:
        uint32_t* needs
        size_t n_touched
        size_t n_fired
        size_t n_needs
    uint64_t CAND_MAGIC
    uint64_t cand_sum(const uint8_t* data, size_t size)
    uint64_t cand_size(const CandHead* head)
    void cand_point(CandSet* set, const uint8_t* block)
    int cand_is_valid(CandSet* set, const uint8_t* block, size_t size)
    CandScratch* cand_scratch(const CandSet* set)
    void cand_free(CandScratch* scratch)
    void cand_found(const CandSet* set, CandScratch* scratch, uint32_t leaf)
    void cand_run(const CandSet* set, CandScratch* scratch, uint64_t size)

cdef enum:
    N_SCRATCH = 16  # kept for later calls; more threads than that allocate each time


cdef class Candidates:
    cdef CandSet _set
    cdef object _blob                         # owner of the block, or None when _copy holds it
    cdef void* _copy
    cdef CandScratch* _free[16]               # N_SCRATCH of them, under the GIL
    cdef int _n_free
    cdef int _open(self, object blob) except -1
    cdef CandScratch* take(self) except NULL  # with the GIL; zero counters, empty lists
    cdef void give(self, CandScratch* scratch) noexcept  # with the GIL
    cdef list report(self, CandScratch* scratch)
