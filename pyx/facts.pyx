"""Cheap facts about a text: bytes at a place, masked bytes anywhere, comparisons of numbers read from it.

Facts are given once and numbered in order; facts.h says how each kind is checked. Not here: searching many literals
(pyx/literals), choosing rules by what holds (pyx/candidates).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdlib cimport calloc, free, malloc, qsort

from struct import error, pack

OPS = (
    "const", "read", "size", "neg", "invert", "+", "-", "*", "\\", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<",
    "<=", ">", ">=",
)
Fact = tuple   # told more exactly in facts.pyi
Bound = tuple
SIGNED, BIG = 16, 32  # beside the width in bytes, as the value of "read"
LEVEL = facts_level()
_NUMBER = {name: number for number, name in enumerate(OPS)}


def _commonness(byte):
    """How often a byte stands in mail and programs, roughly: unusual signs first, what is everywhere last."""
    if byte in b"\0\xff ":
        return 4
    if byte in b"etaoinsrhldcu\r\n=<>/\"":
        return 3
    return 2 if chr(byte).isalnum() else 1 if byte in b".,;:-_&()" else 0


cdef class Facts:
    """See facts.pyi. Nothing changes after __init__."""

    def __cinit__(self):
        self._set.facts = NULL
        self._position = NULL

    def __init__(self, facts, *, int level=LEVEL):
        cdef list given = list(facts)
        cdef Py_ssize_t n = len(given), i
        if self._set.facts != NULL:
            raise ValueError("a set is made once")
        self._kept = []
        self._level = max(0, min(level, LEVEL))
        self._set.facts = <FactEntry*>calloc(n + 1, sizeof(FactEntry))
        self._position = <uint32_t*>malloc((n + 1) * sizeof(uint32_t))
        if self._set.facts == NULL or self._position == NULL:
            raise MemoryError()
        self._n_made = <uint32_t>n
        for i in range(n):
            self._fill(&self._set.facts[i], given[i])
            self._set.facts[i].number = <uint32_t>i
        qsort(self._set.facts, n, sizeof(FactEntry), &fact_order)
        self._set.n = <uint32_t>n
        for i in range(n):
            self._position[self._set.facts[i].number] = <uint32_t>i
            self._set.n_at += self._set.facts[i].kind == FACT_AT

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self._n_made):
            free(self._set.facts[i].other)
        free(self._set.facts)
        free(self._position)

    cdef int _fill(self, FactEntry* fact, object given) except -1:
        if not isinstance(given, tuple) or not given:
            raise ValueError("a fact is a tuple of at, mask, window, near or compute")
        if given[0] == "at" and len(given) == 3:
            return self._place(fact, given[1], given[2])
        if given[0] == "mask" and len(given) == 3:
            return self._mask(fact, given[1], given[2])
        if given[0] == "window" and len(given) == 5:
            self._mask(fact, given[1], given[2])
            fact.kind = FACT_WINDOW
            (low, low_ends), (high, high_ends) = given[3], given[4]
            if max(abs(low), abs(high)) >= 1 << 62:
                raise ValueError("bounds of a window are numbers of 62 bits")
            fact.low, fact.high = low, high
            fact.ends = (ENDS_LOW if low_ends else 0) | (ENDS_HIGH if high_ends else 0)
            return 0
        if given[0] == "near" and len(given) == 7:
            self._mask(fact, given[1], given[2])
            return self._near(fact, given[3], given[4], given[5], given[6])
        if given[0] == "compute" and len(given) == 2:
            return self._program(fact, given[1])
        raise ValueError("a fact is a tuple of at, mask, window, near or compute")

    cdef int _place(self, FactEntry* fact, object at, bytes wanted) except -1:
        if at < 0 or not wanted:
            raise ValueError("bytes at a place are one or more, and the place is not before the text")
        self._kept.append(wanted)
        fact.kind, fact.at, fact.bytes, fact.size = FACT_AT, at, wanted, <uint32_t>len(wanted)
        return 0

    cdef int _mask(self, FactEntry* fact, bytes wanted, bytes mask) except -1:
        if len(wanted) != len(mask) or not 2 <= len(mask) <= 65535:
            raise ValueError("a masked pattern has 2 bytes or more, and as many of its mask")
        if any(w & ~m for w, m in zip(wanted, mask)):
            raise ValueError("a masked pattern has no bits outside of its mask")
        self._kept += [wanted, mask]
        fact.kind, fact.bytes, fact.mask, fact.size = FACT_MASK, wanted, mask, <uint32_t>len(wanted)
        ranked = sorted(range(len(mask)), key=lambda i: (-mask[i].bit_count(), _commonness(wanted[i]), i))
        fact.first, fact.second = ranked[0], ranked[1]
        fact.kinds = fact_kinds(fact)
        return 0

    cdef int _near(self, FactEntry* fact, bytes wanted, bytes mask, object low, object high) except -1:
        if not 0 <= low <= high < 1 << 31:
            raise ValueError("a second pattern begins behind the first, at distances of 31 bits")
        fact.other = <FactEntry*>calloc(1, sizeof(FactEntry))
        if fact.other == NULL:
            raise MemoryError()
        self._mask(fact.other, wanted, mask)
        fact.kind, fact.low, fact.high = FACT_NEAR, low, high
        fact.kinds |= fact.other.kinds
        return 0

    cdef int _program(self, FactEntry* fact, object steps) except -1:
        cdef bytes ops
        try:
            ops = b"".join(pack("<qii", value, _NUMBER[name], 0) for name, value in steps)
        except (KeyError, ValueError, TypeError, error):
            raise ValueError("a program is made of pairs of an operation and a number of 64 bits") from None
        self._kept.append(ops)
        fact.kind, fact.ops, fact.size = FACT_EXPR, <const FactOp*><const char*>ops, <uint32_t>(len(ops) // 16)
        if not facts_fit(fact.ops, fact.size):
            raise ValueError("a program lacks operands, leaves more than one value, or is too deep")
        return 0

    cdef size_t quick(self, const uint8_t* data, size_t n, uint32_t* out) noexcept nogil:
        cdef size_t found = facts_at(&self._set, data, n, out)
        cdef uint32_t i
        for i in range(self._set.n_at, self._set.n):
            if self._set.facts[i].kind == FACT_EXPR and facts_compute(&self._set.facts[i], data, n):
                out[found] = self._set.facts[i].number
                found += 1
        return found

    cdef bint occurs(self, uint32_t number, const uint8_t* data, size_t n, uint32_t kinds) noexcept nogil:
        cdef const FactEntry* fact = &self._set.facts[self._position[number]]  # number < n: the caller's
        return fact.kinds & ~kinds == 0 and facts_masked(fact, data, n, self._level)

    @property
    def n(self):
        return self._set.n

    def holding(self, data not None):
        """Facts that hold, but for masked ones. See facts.pyi."""
        cdef Py_buffer view
        cdef size_t n_found, i
        cdef uint32_t* out = <uint32_t*>malloc((self._set.n + 1) * sizeof(uint32_t))
        if out == NULL:
            raise MemoryError()
        try:
            PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
            n_found = self.quick(<const uint8_t*>view.buf, <size_t>view.len, out)
            PyBuffer_Release(&view)
            return sorted([out[i] for i in range(n_found)])
        finally:
            free(out)

    def occurring(self, data not None, numbers not None):
        """Masked patterns that occur. See facts.pyi."""
        cdef Py_buffer view
        cdef list found = []
        cdef uint32_t kinds, at, wanted
        cdef bint holds
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            kinds = facts_kinds(<const uint8_t*>view.buf, <size_t>view.len)
            for number in numbers:
                if not 0 <= number < self._set.n:
                    raise ValueError(f"there is no fact {number}")
                at = self._position[<uint32_t>number]
                if self._set.facts[at].kind < FACT_MASK:
                    raise ValueError(f"fact {number} is no masked pattern")
                wanted = <uint32_t>number
                with nogil:
                    holds = self.occurs(wanted, <const uint8_t*>view.buf, <size_t>view.len, kinds)
                if holds:
                    found.append(number)
        finally:
            PyBuffer_Release(&view)
        return found
