"""A compiled sieve for other kernels: scans without the GIL into a call-back."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "sieve.h" nogil:
    enum:
        SIEVE_LANES
        SIEVE_MAX_ROWS
    ctypedef struct SieveHead:
        uint64_t magic
        uint64_t checksum
        uint64_t size
        uint32_t n_joint    # groups of the first look
        uint32_t n          # expressions
        uint32_t n_kinds
        uint32_t n_rows
        uint64_t n_entries
    ctypedef struct SieveGroup:
        uint64_t entry
        uint32_t row
        uint32_t n_rows
        uint32_t shift      # a row has 1 << shift entries
        uint32_t member[64]
        uint8_t classes[256]
    uint64_t SIEVE_MAGIC
    uint64_t sieve_sum(const uint8_t* data, size_t size)
    int sieve_is_valid(const uint8_t* block, size_t size)
    const SieveGroup* sieve_groups(const SieveHead* head)
    const uint64_t* sieve_masks(const SieveHead* head)
    const uint32_t* sieve_kinds(const SieveHead* head)
    const uint16_t* sieve_entries(const SieveHead* head)
    uint64_t sieve_size(uint64_t n_groups, uint64_t n_rows, uint64_t n_kinds, uint64_t n_entries)
    void sieve_scan(
        const SieveHead* head, const uint32_t* groups, uint32_t n_groups, const uint8_t* text, size_t n, uint64_t* seen)
    int sieve_lowest "__builtin_ctzll"(uint64_t bits)

cdef extern from "sieve_build.h" nogil:
    ctypedef struct SieveNet:
        uint32_t n_places
        uint32_t words
        uint32_t n_members
        uint32_t n_classes
        uint64_t* columns
        uint64_t* follow
        uint64_t* first
        uint64_t* accept
        const uint8_t* classes
    ctypedef struct SieveMaker:
        uint32_t n_states
        double leak
    void sieve_maker_free(SieveMaker* maker)
    int sieve_make(
        SieveNet* net, SieveMaker* maker, uint32_t max_states, const uint8_t* text, size_t n, size_t learnt)
    void sieve_write(
        const SieveNet* net, const SieveMaker* maker, uint32_t shift, uint64_t* masks, uint16_t* entries)

# Of an expression that may match the text; once a scan each.
ctypedef void (*SieveCall)(void* context, uint32_t number) noexcept nogil


cdef class Sieve:
    cdef const SieveHead* head  # the block, valid while this object lives
    cdef void* _copy            # or NULL, when the block is used where it is
    cdef Py_buffer _view
    # Any thread, no GIL.
    cdef void first(self, uint32_t kind, const uint8_t* text, size_t n, SieveCall call, void* context) noexcept nogil
    cdef uint32_t own(self, const uint32_t* numbers, uint32_t n_numbers, const uint8_t* text, size_t n) noexcept nogil
