"""Many literals in one pass over a text: words, phrases, byte strings, up to a million of them and more.

The work is done by literals.h and literals_scan.h, which say how; literals_build.h makes the compiled form. Not here:
Unicode folding (the caller gives bytes), phrases by whole words of any script (pyx/phrase).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.ref cimport Py_INCREF
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
    int lit_fill(LitPlan* plan, const LitSource* sources, uint32_t n, uint8_t* block)
    void lit_free_plan(LitPlan* plan)
    bint lit_is_valid(const uint8_t* block, size_t size)
    unsigned lit_rarity(const uint8_t* at)

cdef extern from *:
    int __builtin_ctzll(unsigned long long value) nogil

CASELESS = LIT_CASELESS
WORD = LIT_WORD

cdef enum:
    MAX_PATTERNS = 16_000_000  # numbers and places in the pool are 32 bits
    QUICK = 16384              # bytes of text below which giving up the GIL costs more than the scan

cdef int BEST_LEVEL = lit_best_level()


def compile(patterns, flags=0):
    """The compiled form. See literals.pyi."""
    cdef Py_ssize_t n, i
    cdef LitSource* sources
    cdef object pattern
    cdef uint64_t total = 0
    cdef int one = flags if isinstance(flags, int) else 0, flag
    cdef bint is_listed = not isinstance(flags, int)
    cdef list held = list(patterns)  # holds the patterns while C points into them
    n = len(held)
    if n > MAX_PATTERNS or (is_listed and len(flags) != n):
        raise ValueError("too many patterns, or not as many flags")
    sources = <LitSource*>malloc((n + 1) * sizeof(LitSource))
    if sources == NULL:
        raise MemoryError()
    try:
        for i in range(n):
            pattern = held[i]
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


def rarity(bytes pattern not None):
    """Bits of rarity. See literals.pyi."""
    cdef Py_ssize_t n = len(pattern), i
    cdef const uint8_t* at = <const uint8_t*>PyBytes_AS_STRING(pattern)
    cdef uint8_t[4] window
    cdef unsigned best = 0
    if n < 4:
        memset(window, 0x20, 4)
        memcpy(window, at, n)
        return min(lit_rarity(window), 3 * <unsigned>n + 1)
    for i in range(n - 3):  # i + 4 <= n
        best = max(best, lit_rarity(at + i))
    return best + (<unsigned>n - 4 if n < 12 else 8)


cdef bytes _build(const LitSource* sources, uint32_t n):
    cdef LitPlan* plan = <LitPlan*>malloc(sizeof(LitPlan))
    cdef bint is_done
    cdef uint8_t* at
    cdef bytes block
    if plan == NULL:
        raise MemoryError()
    try:
        with nogil:
            is_done = lit_plan(plan, sources, n)
        if not is_done:
            raise MemoryError()
        block = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>plan.size)
        at = <uint8_t*>PyBytes_AS_STRING(block)  # eight-byte aligned: objects are, and the header of bytes is 32 bytes
        with nogil:
            memset(at, 0, plan.size)
            is_done = lit_fill(plan, sources, n, at)
        if not is_done:
            raise MemoryError()
        return block
    finally:
        lit_free_plan(plan)
        free(plan)


cdef int _by_place(const void* left, const void* right) noexcept nogil:
    cdef const LitMatch* a = <const LitMatch*>left
    cdef const LitMatch* b = <const LitMatch*>right
    if a.start != b.start:
        return 1 if a.start > b.start else -1
    if a.size != b.size:
        return 1 if a.size > b.size else -1
    return (a.number > b.number) - (a.number < b.number)


cdef class Literals:
    """See literals.pyi. Nothing that a caller can see changes after __init__."""

    def __cinit__(self):
        self.head, self._copy, self._spare, self._spare_counts = NULL, NULL, NULL, NULL

    def __init__(self, blob, *, level=None):
        if self.head != NULL:
            raise ValueError("a set is opened once")
        self.level = BEST_LEVEL if level is None else min(max(<int>level, 0), BEST_LEVEL)
        self._open(blob)

    def __dealloc__(self):
        free(self._copy)
        free(self._spare)
        free(self._spare_counts)

    cdef int _open(self, object blob) except -1:
        cdef const uint8_t* at
        cdef size_t size
        cdef bint is_valid
        cdef const uint8_t[::1] block = blob  # holds the buffer, so that a mmap cannot be closed under us
        size = <size_t>block.shape[0]
        at = &block[0] if size else NULL
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
        self.head = <const LitHead*>at
        self._blob = block
        return 0

    @property
    def n(self):
        """See literals.pyi."""
        return self.head.n

    @property
    def crowd(self):
        """See literals.pyi."""
        return max([row[3] for row in self.shapes], default=0)

    @property
    def shapes(self):
        """See literals.pyi."""
        cdef const LitPass* step
        cdef uint32_t i, c
        cdef list rows = []
        for i in range(self.head.n_passes):
            step = &self.head.passes[i]
            for c in range(step.n_classes):
                rows.append((step.stride, step.classes[c].q, step.classes[c].n_entries, step.classes[c].crowd))
        return rows

    cdef int run(self, LitScan* scan) noexcept nogil:
        scan.head, scan.level = self.head, self.level
        lit_scan(scan)
        return 0

    cdef size_t scan_seen(self, const uint8_t* text, size_t n, uint64_t* seen) noexcept nogil:
        cdef LitScan scan
        memset(&scan, 0, sizeof(scan))
        scan.mode, scan.text, scan.n, scan.seen = LIT_SEEN, text, n, seen
        self.run(&scan)
        return scan.n_seen

    cdef int _begin(self, LitScan* scan, int mode, bint counted) except -1:
        """Get what a scan collects into: spare memory when no other thread has it."""
        cdef size_t n = self.head.n
        memset(scan, 0, sizeof(LitScan))
        scan.head, scan.level, scan.mode = self.head, self.level, mode
        scan.seen, self._spare = self._spare, NULL
        if scan.seen == NULL:
            scan.seen = <uint64_t*>calloc(lit_seen_words(n) + lit_summary_words(n) + 1, 8)
        if counted:
            scan.counts, self._spare_counts = self._spare_counts, NULL
            if scan.counts == NULL:
                scan.counts = <uint32_t*>calloc(n + 1, 4)
        if scan.seen == NULL or (counted and scan.counts == NULL):
            self._end(scan, False)
            raise MemoryError()
        return 0

    cdef void _end(self, LitScan* scan, bint is_clean):
        """Keep the memory for the next call when it is all zero again and there is none yet."""
        if is_clean and self._spare == NULL:
            self._spare, scan.seen = scan.seen, NULL
        if is_clean and self._spare_counts == NULL:
            self._spare_counts, scan.counts = scan.counts, NULL
        free(scan.seen)
        free(scan.counts)
        free(scan.matches)

    cdef int _run(self, LitScan* scan, object data) except -1:
        """Scan a buffer, without the GIL when it is not tiny."""
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        scan.text, scan.n = <const uint8_t*>view.buf, <size_t>view.len
        if scan.n < QUICK:
            lit_scan(scan)
        else:
            with nogil:
                lit_scan(scan)
                if scan.n_matches > 1:
                    qsort(scan.matches, scan.n_matches, sizeof(LitMatch), _by_place)
        if scan.n < QUICK and scan.n_matches > 1:
            qsort(scan.matches, scan.n_matches, sizeof(LitMatch), _by_place)
        PyBuffer_Release(&view)
        if scan.failed:
            raise MemoryError()
        return 0

    def seen(self, data not None):
        """Numbers of the patterns that occur. See literals.pyi."""
        cdef LitScan scan
        cdef bint is_clean = False
        self._begin(&scan, LIT_SEEN, False)
        try:
            self._run(&scan, data)
            out = _drain(&scan)
            is_clean = True
            return out
        finally:
            self._end(&scan, is_clean)

    def find(self, data not None, size_t limit=8, size_t total=10_000):
        """Places where patterns occur. See literals.pyi."""
        cdef LitScan scan
        cdef bint is_clean = False
        cdef size_t i
        cdef LitMatch* match
        cdef list out = []
        self._begin(&scan, LIT_FIND, True)
        try:
            scan.limit, scan.total, scan.stopped = <uint32_t>min(limit, 0xFFFFFFFF), total, total == 0
            self._run(&scan, data)
            for i in range(scan.n_matches):
                match = &scan.matches[i]
                out.append((match.start, match.start + match.size, match.number))
            _drain(&scan)
            is_clean = True
            return out
        finally:
            self._end(&scan, is_clean)

    def counts(self, data not None):
        """How often each pattern occurs. See literals.pyi."""
        cdef LitScan scan
        cdef bint is_clean = False
        self._begin(&scan, LIT_COUNT, True)
        try:
            self._run(&scan, data)
            out = _drain(&scan)
            is_clean = True
            return out
        finally:
            self._end(&scan, is_clean)


cdef list _drain(LitScan* scan):
    """What was seen, ascending: numbers, or pairs with counts. Makes `seen` and `counts` zero again as it goes."""
    cdef list out = PyList_New(<Py_ssize_t>scan.n_seen)
    cdef size_t i, word
    cdef uint64_t words, bits
    cdef uint32_t number
    cdef Py_ssize_t k = 0
    cdef object item
    if scan.n_seen == 0:
        return out
    for i in range(lit_summary_words(scan.head.n)):
        words, scan.summary[i] = scan.summary[i], 0
        while words:
            word = i * 64 + <size_t>__builtin_ctzll(words)
            words &= words - 1
            bits, scan.seen[word] = scan.seen[word], 0
            while bits:
                number = <uint32_t>(word * 64 + <size_t>__builtin_ctzll(bits))
                bits &= bits - 1
                if scan.counts == NULL:
                    item = number
                else:
                    item = (number, scan.counts[number])
                    scan.counts[number] = 0
                Py_INCREF(item)
                PyList_SET_ITEM(out, k, item)  # k < n_seen: lit_see counted each bit as it was set
                k += 1
    return out
