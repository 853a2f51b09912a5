from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "facts.h" nogil:
    enum:
        FACT_AT
        FACT_EXPR
        FACT_MASK
        FACT_WINDOW
        FACT_NEAR
        ENDS_LOW
        ENDS_HIGH
        N_OPS
    ctypedef struct FactOp:
        int64_t value
        int32_t op
    ctypedef struct FactEntry:
        uint64_t at
        const uint8_t* bytes
        const uint8_t* mask
        const FactOp* ops
        uint32_t size
        uint32_t number
        uint32_t first
        uint32_t second
        int32_t kind
        uint32_t kinds
        int64_t low
        int64_t high
        FactEntry* other
        uint32_t ends
    ctypedef struct FactSet:
        FactEntry* facts
        uint32_t n
        uint32_t n_at
    int fact_order(const void* left, const void* right)
    size_t facts_at(const FactSet* set, const uint8_t* data, size_t n, uint32_t* out)
    bint facts_compute(const FactEntry* fact, const uint8_t* data, size_t n)
    bint facts_fit(const FactOp* ops, uint32_t n)
    uint32_t facts_kinds(const uint8_t* data, size_t n)
    uint32_t fact_kinds(const FactEntry* fact)
    bint facts_masked(const FactEntry* fact, const uint8_t* data, size_t n, int level)
    int facts_level()


cdef class Facts:
    cdef FactSet _set
    cdef int _level            # 0 portable, 1 AVX2, 2 AVX-512
    cdef uint32_t* _position   # of fact number n in _set.facts
    # does masked pattern number n stand in a text of these kinds of bytes (facts_kinds)
    cdef bint occurs(self, uint32_t number, const uint8_t* data, size_t n, uint32_t kinds) noexcept nogil
    cdef uint32_t _n_made      # rows of _set.facts that may own another
    cdef list _kept            # bytes objects that facts point into
    # facts of places and programs that hold, to `out` (room for all); how many; ascending it is not
    cdef size_t quick(self, const uint8_t* data, size_t n, uint32_t* out) noexcept nogil
    cdef int _fill(self, FactEntry* fact, object given) except -1
    cdef int _place(self, FactEntry* fact, object at, bytes wanted) except -1
    cdef int _mask(self, FactEntry* fact, bytes wanted, bytes mask) except -1
    cdef int _near(self, FactEntry* fact, bytes wanted, bytes mask, object low, object high) except -1
    cdef int _program(self, FactEntry* fact, object steps) except -1
