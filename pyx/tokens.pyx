"""Words of a message as hashed features, and sums of their weights: what the statistical classifier counts with.

The work is done by tokens.h, which says how. Not here: which texts of a message are looked at and what the sums mean
(core/classify), how weights are found (pyx/linear).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.math cimport sqrt
from libc.stdlib cimport calloc, free, malloc, realloc

LINES = TOK_LINES
WORDS = TOK_WORDS
PAIRS = TOK_PAIRS
N_SEGMENTS = TOK_SEGMENTS
MIN_BITS = TOK_MIN_BITS
MAX_BITS = TOK_MAX_BITS
MAX_LIMIT = 65536  # features of one segment: the sums of all segments then fit 32 bits
LEVEL = tok_level()

cdef enum:
    MOST_STRONG = 64
    MAX_SUM = 1 << 30  # of what a site adds to a feature
    QUICK = 8192  # bytes of text below which giving up the GIL costs more than the work


cdef class Features:
    """See tokens.pyi. Nothing changes after __init__."""

    def __cinit__(self):
        self.index = NULL

    def __init__(self, pieces, unsigned bits=18, uint32_t limit=4096):
        cdef Py_ssize_t n = len(pieces)
        cdef TokPiece* table
        cdef uint64_t total
        cdef list held = list(pieces)  # holds the bytes while C points into them
        if self.index != NULL:
            raise ValueError("features are made once")
        if not MIN_BITS <= bits <= MAX_BITS or not 1 <= limit <= MAX_LIMIT:
            raise ValueError(f"bits are {MIN_BITS} to {MAX_BITS}, the limit is 1 to {MAX_LIMIT}")
        self.bits = bits
        table = <TokPiece*>malloc((n + 1) * sizeof(TokPiece))
        if table == NULL:
            raise MemoryError()
        try:
            total = _read(held, table)
            self._run(table, n, min(<uint64_t>limit * TOK_SEGMENTS, 2 * total), limit, total)
        finally:
            free(table)

    def __dealloc__(self):
        free(self.index)

    cdef int _run(self, const TokPiece* table, Py_ssize_t n, uint64_t room, uint32_t limit, uint64_t total) except -1:
        cdef uint64_t* seen = <uint64_t*>calloc((<size_t>1 << self.bits) // 64, 8)
        cdef uint32_t* index = <uint32_t*>malloc((room + 1) * 4)
        if seen == NULL or index == NULL:
            free(seen)
            free(index)
            raise MemoryError()
        if total < QUICK:
            tok_run(table, n, self.bits, limit, seen, index, self.ends)
        else:
            with nogil:
                tok_run(table, n, self.bits, limit, seen, index, self.ends)
        free(seen)
        self.index = <uint32_t*>realloc(index, (<size_t>self.ends[TOK_SEGMENTS - 1] + 1) * 4)
        if self.index == NULL:
            self.index = index  # a block that cannot shrink stays as it is
        return 0

    def __len__(self):
        return self.ends[TOK_SEGMENTS - 1]

    @property
    def counts(self):
        """See tokens.pyi."""
        cdef int s
        return tuple([self.ends[s] - (self.ends[s - 1] if s else 0) for s in range(TOK_SEGMENTS)])

    @property
    def indices(self):
        """See tokens.pyi."""
        cdef uint32_t at = 0, i
        cdef list out = []
        for s in range(TOK_SEGMENTS):
            out.append([self.index[i] for i in range(at, self.ends[s])])
            at = self.ends[s]
        return out

    cdef int _dot(self, object table, int level, int32_t* sums) except -1:
        """Two sums a segment, to `sums`: room for 2 * TOK_SEGMENTS."""
        cdef Py_buffer view
        cdef uint32_t at = 0
        cdef int s
        if level < 0 or level > LEVEL:
            level = LEVEL
        PyObject_GetBuffer(table, &view, PyBUF_SIMPLE)
        try:
            # every index is below 2^bits; a gather reads two bytes behind the last row
            if view.len < (<Py_ssize_t>2 << self.bits) + 2:
                raise ValueError(f"a table of 2^{self.bits} rows has {(2 << self.bits) + 2} bytes, not {view.len}")
            for s in range(TOK_SEGMENTS):
                tok_dot(level, self.index + at, self.ends[s] - at, <const int8_t*>view.buf, sums + 2 * s)
                at = self.ends[s]
        finally:
            PyBuffer_Release(&view)
        return 0

    def dot(self, table not None, int level=-1):
        """See tokens.pyi."""
        cdef int32_t[2 * TOK_SEGMENTS] sums
        cdef int s
        self._dot(table, level, sums)
        return [(sums[2 * s], sums[2 * s + 1]) for s in range(TOK_SEGMENTS)]

    def margins(self, table not None, tuple gains not None, tuple damps not None, int level=-1):
        """See tokens.pyi."""
        cdef int32_t[2 * TOK_SEGMENTS] sums
        cdef double[2] total
        cdef double value
        cdef int s
        if len(gains) != TOK_SEGMENTS or len(damps) != TOK_SEGMENTS:
            raise ValueError(f"gains and damps are {TOK_SEGMENTS} numbers each")
        self._dot(table, level, sums)
        total[0] = total[1] = 0
        for s in range(TOK_SEGMENTS):
            value = <double>gains[s] / sqrt((self.ends[s] - (self.ends[s - 1] if s else 0)) + <double>damps[s])
            total[0] += value * sums[2 * s]
            total[1] += value * sums[2 * s + 1]
        return total[0], total[1]

    def strongest(self, table not None, values, int n=32):
        """See tokens.pyi."""
        cdef Py_buffer view
        cdef double[MOST_STRONG] best
        cdef uint32_t[MOST_STRONG] which
        cdef double[8] value
        cdef uint32_t at = 0
        cdef int s, weight, kept = 0
        for s in range(TOK_SEGMENTS):
            value[s] = values[s]
        PyObject_GetBuffer(table, &view, PyBUF_SIMPLE)
        try:
            if view.len < <Py_ssize_t>2 << self.bits or not 1 <= n <= MOST_STRONG:
                raise ValueError(f"the table is too short, or more than {MOST_STRONG} are asked for")
            for s in range(TOK_SEGMENTS):
                while at < self.ends[s]:
                    weight = (<const int8_t*>view.buf)[2 * <size_t>self.index[at]]
                    kept = _keep(best, which, kept, n, at, value[s] * weight)
                    at += 1
        finally:
            PyBuffer_Release(&view)
        return [self.index[which[s]] for s in range(kept)]

    def add(self, table not None, deltas, const uint8_t[::1] spared=None):
        """See tokens.pyi."""
        cdef Py_buffer view
        cdef int32_t* sums
        cdef int64_t[8] by
        cdef int64_t value
        cdef uint32_t at = 0, i
        cdef int s
        for s in range(TOK_SEGMENTS):
            by[s] = deltas[s]
            if not -MAX_SUM <= by[s] <= MAX_SUM:
                raise ValueError(f"a change is at most {MAX_SUM}")
        if spared is not None and spared.shape[0] != <Py_ssize_t>1 << self.bits:
            raise ValueError(f"a byte for each of 2^{self.bits} features says whether it is spared")
        PyObject_GetBuffer(table, &view, PyBUF_WRITABLE)
        try:
            if view.len != <Py_ssize_t>4 << self.bits:
                raise ValueError(f"sums of 2^{self.bits} rows have {4 << self.bits} bytes")
            sums = <int32_t*>view.buf
            for s in range(TOK_SEGMENTS):
                for i in range(at, self.ends[s]):
                    if spared is not None and spared[self.index[i]]:
                        continue
                    value = sums[self.index[i]] + by[s]
                    value = -MAX_SUM if value < -MAX_SUM else MAX_SUM if value > MAX_SUM else value
                    sums[self.index[i]] = <int32_t>value
                at = self.ends[s]
        finally:
            PyBuffer_Release(&view)


cdef int _keep(double* best, uint32_t* which, int kept, int n, uint32_t at, double worth) noexcept nogil:
    """Put a place among the `kept` best of at most n, in falling order, an earlier one first; returns how many."""
    cdef int k
    if worth <= 0 or (kept == n and worth <= best[n - 1]):
        return kept
    k = kept if kept < n else n - 1  # below n: the size of both arrays or less
    while k > 0 and best[k - 1] < worth:
        best[k], which[k] = best[k - 1], which[k - 1]
        k -= 1
    best[k], which[k] = worth, at
    return kept + 1 if kept < n else n


cdef uint64_t _read(list held, TokPiece* table) except? 0:
    """Fill the table from (segment, mode, bytes) tuples; returns the bytes of all."""
    cdef Py_ssize_t i
    cdef uint64_t total = 0
    cdef uint32_t last = 0
    cdef tuple piece
    cdef bytes data
    for i in range(len(held)):
        piece = held[i]
        data = piece[2]
        table[i].segment, table[i].mode = piece[0], piece[1]
        table[i].data, table[i].size = <const uint8_t*>PyBytes_AS_STRING(data), <size_t>len(data)
        if not last <= table[i].segment < TOK_SEGMENTS or table[i].mode > TOK_PAIRS:
            raise ValueError("pieces come in order of their segments, each with a mode")
        last = table[i].segment
        total += table[i].size
    return total


def feature(int segment, words, unsigned bits=18):
    """See tokens.pyi."""
    cdef Features made = Features([(segment, TOK_PAIRS, words)], bits, 64)
    return made.index[made.ends[TOK_SEGMENTS - 1] - 1] if len(made) else -1
