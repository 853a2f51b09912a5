"""Which rules could match a text: facts, literals and needs in one go, without the GIL.

Masked patterns are searched last, and only those that decide about a rule: in a first round all are taken to occur.
Not here: how literals, facts and needs work (pyx/literals, pyx/facts, pyx/candidates), and what the needs stand for.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from mxward.pyx.candidates cimport CandScratch, Candidates, cand_found, cand_run
from mxward.pyx.facts cimport Facts, facts_kinds
from mxward.pyx.literals cimport Literals, lit_seen_words, lit_summary_words

cdef enum:
    UNKNOWN
    ABSENT
    PRESENT


cdef struct Work:
    uint32_t* leaves     # what was found, masked patterns left out
    size_t n_leaves
    uint64_t* seen
    uint8_t* masks       # UNKNOWN, ABSENT or PRESENT, by fact
    const uint8_t* data
    size_t n


cdef class RuleSearch:
    """See rulesearch.pyi. Nothing changes after __init__."""

    cdef Literals _literals
    cdef Facts _facts
    cdef Candidates _needs
    cdef uint32_t _literals_from
    cdef uint32_t* _first      # of need n: its masked patterns are _masks[_first[n] : _first[n + 1]]
    cdef uint32_t* _masks
    cdef uint32_t* _assumed    # all masked patterns, each once
    cdef size_t _n_assumed

    def __cinit__(self):
        self._first = NULL
        self._masks = NULL
        self._assumed = NULL

    def __init__(
        self, Literals literals not None, Facts facts not None, Candidates needs not None, masks, literals_from
    ):
        cdef size_t n_masks = sum(len(numbers) for numbers in masks.values()), i, at = 0
        cdef list every = sorted({number for numbers in masks.values() for number in numbers})
        if self._first != NULL:
            raise ValueError("a search is made once")
        if every and not 0 <= every[0] <= every[len(every) - 1] < facts.n or literals_from < facts.n:
            raise ValueError("a masked pattern is no fact, or literals begin before the facts end")
        facts.occurring(b"", every)  # raises for a fact of another kind
        self._literals, self._facts, self._needs, self._literals_from = literals, facts, needs, literals_from
        self._first = <uint32_t*>malloc((needs.n + 2) * sizeof(uint32_t))
        self._masks = <uint32_t*>malloc((n_masks + 1) * sizeof(uint32_t))
        self._assumed = <uint32_t*>malloc((len(every) + 1) * sizeof(uint32_t))
        if self._first == NULL or self._masks == NULL or self._assumed == NULL:
            raise MemoryError()
        self._n_assumed = len(every)
        for i in range(len(every)):
            self._assumed[i] = every[i]
        for i in range(<size_t>needs.n):
            self._first[i] = <uint32_t>at
            for number in masks.get(i, ()):
                self._masks[at] = number
                at += 1
        self._first[needs.n] = <uint32_t>at

    def __dealloc__(self):
        free(self._first)
        free(self._masks)
        free(self._assumed)

    def select(self, data not None, others=()):
        """Needs that hold. See rulesearch.pyi."""
        cdef Work work
        cdef Py_buffer view
        cdef list extra = list(others)
        cdef size_t n_words = lit_seen_words(self._literals.n) + lit_summary_words(self._literals.n)
        cdef CandScratch* scratch = NULL
        memset(&work, 0, sizeof(work))
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            work.data, work.n = <const uint8_t*>view.buf, <size_t>view.len
            work.leaves = <uint32_t*>malloc((<size_t>self._facts.n + len(extra) + 1) * sizeof(uint32_t))
            work.masks = <uint8_t*>calloc(<size_t>self._facts.n + 1, 1)
            work.seen = <uint64_t*>calloc(n_words + 1, 8)
            if work.leaves == NULL or work.masks == NULL or work.seen == NULL:
                raise MemoryError()
            for number in extra:
                work.leaves[work.n_leaves] = number
                work.n_leaves += 1
            scratch = self._needs.take()
            with nogil:
                self._search(&work, scratch)
            return self._needs.report(scratch)
        finally:
            if scratch != NULL:
                self._needs.give(scratch)
            PyBuffer_Release(&view)
            free(work.leaves)
            free(work.masks)
            free(work.seen)

    cdef void _search(self, Work* work, CandScratch* scratch) noexcept nogil:
        cdef size_t i
        work.n_leaves += self._facts.quick(work.data, work.n, work.leaves + work.n_leaves)
        self._literals.scan_seen(work.data, work.n, work.seen)
        for i in range(self._n_assumed):
            cand_found(&self._needs._set, scratch, self._assumed[i])
        self._round(work, scratch)
        if not self._decide(work, scratch):
            return
        scratch.n_touched, scratch.n_fired, scratch.n_needs = 0, 0, 0
        for i in range(self._n_assumed):
            if work.masks[self._assumed[i]] != ABSENT:
                cand_found(&self._needs._set, scratch, self._assumed[i])
        self._round(work, scratch)

    cdef void _round(self, Work* work, CandScratch* scratch) noexcept nogil:
        """Follow what was found; the masked patterns have been told already."""
        cdef size_t i, n_words = (self._literals.head.n + 63) // 64
        cdef uint64_t word
        cdef uint32_t bit
        for i in range(work.n_leaves):
            cand_found(&self._needs._set, scratch, work.leaves[i])
        for i in range(n_words):
            word = work.seen[i]
            bit = 0
            while word:
                if word & 1:
                    cand_found(&self._needs._set, scratch, self._literals_from + <uint32_t>(64 * i) + bit)
                word >>= 1
                bit += 1
        cand_run(&self._needs._set, scratch, work.n)

    cdef bint _decide(self, Work* work, CandScratch* scratch) noexcept nogil:
        """Search the masked patterns of the needs that hold; is one absent, so that a second round is wanted?"""
        cdef bint is_absent = False
        cdef uint32_t kinds = 0, mask
        cdef size_t i, j
        cdef bint knows_kinds = False
        for i in range(scratch.n_needs):
            for j in range(self._first[scratch.needs[i]], self._first[scratch.needs[i] + 1]):
                mask = self._masks[j]
                if work.masks[mask] == UNKNOWN:
                    if not knows_kinds:
                        kinds, knows_kinds = facts_kinds(work.data, work.n), True
                    work.masks[mask] = (
                        PRESENT if self._facts.occurs(mask, work.data, work.n, kinds) else ABSENT
                    )
                is_absent = is_absent or work.masks[mask] == ABSENT
        return is_absent
