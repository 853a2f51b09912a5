"""Many literals in one pass over a text: words, phrases, byte strings, up to a million of them.

The work is done by literals.h, which says how; literals_build.h makes the compiled form. Not here: Unicode folding
(the caller gives bytes), phrases by whole words of any script (pyx/phrase).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memcpy, memset

cdef extern from "literals_build.h" nogil:
    ctypedef struct LitSource:
        const uint8_t* data
        uint32_t size
        uint8_t flags
    ctypedef struct LitPlan:
        uint64_t size
    int lit_plan(LitPlan* plan, const LitSource* sources, uint32_t n)
    void lit_fill(LitPlan* plan, const LitSource* sources, uint32_t n, uint8_t* block)
    void lit_free_plan(LitPlan* plan)
    bint lit_is_valid(const uint8_t* block, size_t size)

CASELESS = LIT_CASELESS
WORD = LIT_WORD

cdef enum:
    MAX_PATTERNS = 16_000_000  # numbers and pool offsets are 32 bits; 16 million of 256 bytes would fill the pool
    STACK_WORDS = 160          # of the bit set of patterns seen that stands on the stack: 10,240 patterns
    QUICK = 512                # bytes of text below which giving up the GIL costs more than the scan


def compile(patterns, flags=0):
    """The compiled form. See literals.pyi."""
    cdef Py_ssize_t n = len(patterns), i
    cdef LitSource* sources
    cdef object pattern
    cdef uint64_t total = 0
    cdef int one = flags if isinstance(flags, int) else 0, flag
    cdef bint is_listed = not isinstance(flags, int)
    if n > MAX_PATTERNS or (is_listed and len(flags) != n):
        raise ValueError("too many patterns, or not as many flags")
    sources = <LitSource*>malloc((n + 1) * sizeof(LitSource))
    if sources == NULL:
        raise MemoryError()
    try:
        patterns = list(patterns)  # holds them while C points into them
        for i in range(n):
            pattern = patterns[i]
            if not isinstance(pattern, bytes) or not 1 <= len(pattern) <= LIT_MAX_SIZE:
                raise ValueError(f"pattern {i} is not of 1 to {LIT_MAX_SIZE} bytes")
            flag = flags[i] if is_listed else one
            if flag & ~(LIT_CASELESS | LIT_WORD):
                raise ValueError(f"pattern {i} has unknown flags")
            sources[i] = LitSource(<const uint8_t*>PyBytes_AS_STRING(pattern), <uint32_t>len(pattern), <uint8_t>flag)
            total += sources[i].size
        if total >> 32:
            raise ValueError("the patterns have more than 4 GB")
        return _build(sources, <uint32_t>n)
    finally:
        free(sources)


cdef bytes _build(const LitSource* sources, uint32_t n):
    cdef LitPlan* plan = <LitPlan*>malloc(sizeof(LitPlan))
    cdef bint is_ready
    cdef uint8_t* at
    cdef bytes block
    if plan == NULL:
        raise MemoryError()
    try:
        with nogil:
            is_ready = lit_plan(plan, sources, n)
        if not is_ready:
            raise MemoryError()
        block = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>plan.size)
        at = <uint8_t*>PyBytes_AS_STRING(block)  # eight-byte aligned: objects are, and the header of bytes is 32 bytes
        with nogil:
            memset(at, 0, plan.size)
            lit_fill(plan, sources, n, at)
        return block
    finally:
        lit_free_plan(plan)
        free(plan)


cdef int _by_number(const void* left, const void* right) noexcept nogil:
    cdef uint32_t a = (<const uint32_t*>left)[0], b = (<const uint32_t*>right)[0]
    return (a > b) - (a < b)


cdef int _by_place(const void* left, const void* right) noexcept nogil:
    cdef const LitMatch* a = <const LitMatch*>left
    cdef const LitMatch* b = <const LitMatch*>right
    if a.start != b.start:
        return 1 if a.start > b.start else -1
    if a.size != b.size:
        return 1 if a.size > b.size else -1
    return (a.number > b.number) - (a.number < b.number)


cdef class Literals:
    """See literals.pyi. Nothing changes after __init__."""

    def __cinit__(self):
        self._copy = NULL

    def __init__(self, blob, *, portable=False):
        if self._blob is not None:
            raise ValueError("a set is opened once")
        self._level = 2 if lit_has_avx512() and not portable else 0
        self._open(blob)

    def __dealloc__(self):
        free(self._copy)

    cdef int _open(self, object blob) except -1:
        cdef const uint8_t* at
        cdef size_t size
        cdef bint is_valid
        cdef const uint8_t[::1] bytes_of = blob  # holds the buffer, so that a mmap cannot be closed under us
        size = <size_t>bytes_of.shape[0]
        at = &bytes_of[0] if size else NULL
        if <uintptr_t>at & 7:
            self._copy = malloc(size)
            if self._copy == NULL:
                raise MemoryError()
            memcpy(self._copy, at, size)
            at = <const uint8_t*>self._copy
        with nogil:
            is_valid = lit_is_valid(at, size)
        if not is_valid:
            raise ValueError("this is no compiled set of literals, or it is damaged")
        self._set.head = <const LitHead*>at
        self._set.patterns = <const LitPattern*>(at + self._set.head.patterns)
        self._set.pool = at + self._set.head.pool
        self._blob = bytes_of
        return 0

    @property
    def n(self):
        return self._set.head.n if self._blob is not None else 0

    @property
    def crowd(self):
        """See literals.pyi."""
        cdef const LitHead* head = self._set.head
        return max([head.passes[i].crowd for i in range(head.n_passes)], default=0)

    @property
    def shapes(self):
        """See literals.pyi."""
        cdef const LitHead* head = self._set.head
        return [(head.passes[i].q, head.passes[i].stride, head.passes[i].n_entries) for i in range(head.n_passes)]

    cdef int run(self, LitScan* scan) noexcept nogil:
        """Scan with what the caller has filled in beside `set`."""
        scan.set, scan.level = &self._set, self._level
        lit_scan(scan)
        return 0

    def seen(self, data not None):
        """Numbers of the patterns that occur. See literals.pyi."""
        cdef LitScan scan
        cdef Py_buffer view
        cdef uint64_t[STACK_WORDS] stack
        cdef size_t n_words = (self.n + 63) // 64, i
        cdef list out
        memset(&scan, 0, sizeof(scan))
        scan.mode = LIT_SEEN
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if n_words == 0:
                return []
            if n_words <= STACK_WORDS:
                memset(stack, 0, n_words * 8)
                scan.seen = stack
            else:
                scan.seen = <uint64_t*>calloc(n_words, 8)
                if scan.seen == NULL:
                    raise MemoryError()
            self._scan(&scan, &view)
            out = [scan.numbers[i] for i in range(scan.n_out)]
            return out
        finally:
            PyBuffer_Release(&view)
            if scan.seen != stack:
                free(scan.seen)
            free(scan.numbers)

    cdef int _scan(self, LitScan* scan, const Py_buffer* view) except -1:
        """Scan a buffer, without the GIL when it is not tiny; sort what was found."""
        scan.text, scan.n = <const uint8_t*>view.buf, <size_t>view.len
        if scan.n < QUICK:
            self.run(scan)
            self._sort(scan)
        else:
            with nogil:
                self.run(scan)
                self._sort(scan)
        if scan.failed:
            raise MemoryError()
        return 0

    cdef void _sort(self, LitScan* scan) noexcept nogil:
        if scan.n_out < 2:
            return
        if scan.mode == LIT_FIND:
            qsort(scan.matches, scan.n_out, sizeof(LitMatch), _by_place)
        else:
            qsort(scan.numbers, scan.n_out, sizeof(uint32_t), _by_number)

    def find(self, data not None, size_t limit=8, size_t total=10_000):
        """Places where patterns occur. See literals.pyi."""
        cdef LitScan scan
        cdef Py_buffer view
        cdef size_t i
        cdef LitMatch* match
        cdef list out = []
        memset(&scan, 0, sizeof(scan))
        scan.mode, scan.limit, scan.total = LIT_FIND, <uint32_t>min(limit, 0xFFFFFFFF), total
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            scan.counts = <uint32_t*>calloc(self.n + 1, 4)
            if scan.counts == NULL:
                raise MemoryError()
            self._scan(&scan, &view)
            for i in range(scan.n_out):
                match = &scan.matches[i]
                out.append((match.start, match.start + match.size, match.number))
            return out
        finally:
            PyBuffer_Release(&view)
            free(scan.counts)
            free(scan.matches)

    def counts(self, data not None):
        """How often each pattern occurs. See literals.pyi."""
        cdef LitScan scan
        cdef Py_buffer view
        cdef size_t i
        memset(&scan, 0, sizeof(scan))
        scan.mode = LIT_COUNT
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            scan.counts = <uint32_t*>calloc(self.n + 1, 4)
            if scan.counts == NULL:
                raise MemoryError()
            self._scan(&scan, &view)
            return [(scan.numbers[i], scan.counts[scan.numbers[i]]) for i in range(scan.n_out)]
        finally:
            PyBuffer_Release(&view)
            free(scan.counts)
            free(scan.numbers)
