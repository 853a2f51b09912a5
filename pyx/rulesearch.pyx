"""Which rules could match a text: facts, literals and needs in one go, without the GIL.

Masked patterns are searched last, and only those that decide about a rule: needs that speak of some are given a second
time without them, and when such a loose need holds, the patterns of the need are searched.
Not here: how literals, facts and needs work (pyx/literals, pyx/facts, pyx/candidates), and what the needs stand for.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from mxward.pyx.candidates cimport CandScratch, CandSet, Candidates, cand_found, cand_run
from mxward.pyx.facts cimport Facts, facts_kinds
from mxward.pyx.literals cimport Literals, lit_seen_words, lit_summary_words

cdef extern from *:
    int __builtin_ctzll(unsigned long long word) nogil

cdef enum:
    QUICK = 16384  # bytes of text below which giving up the GIL costs more than the work


cdef struct Work:
    uint32_t* leaves     # what was found, but for literals
    size_t n_leaves
    uint64_t* seen       # a bit a literal, then a bit for each word of those that is not zero
    uint8_t* searched    # by fact: was this masked pattern searched?
    const uint8_t* data
    size_t n
    uint32_t kinds       # of bytes in the text


cdef class RuleSearch:
    """See rulesearch.pyi. Nothing changes after __init__."""

    cdef Literals _literals
    cdef Facts _facts
    cdef Candidates _needs
    cdef Candidates _loose
    cdef uint32_t _literals_from
    cdef uint32_t* _first      # of loose need n: its masked patterns are _masks[_first[n] : _first[n + 1]]
    cdef uint32_t* _masks

    def __cinit__(self):
        self._first = NULL
        self._masks = NULL

    def __init__(
        self, Literals literals not None, Facts facts not None, Candidates needs not None, Candidates loose not None,
        masks, literals_from,
    ):
        cdef list given = list(masks)
        cdef list every = sorted({number for numbers in given for number in numbers})
        cdef size_t i, at = 0
        if self._first != NULL:
            raise ValueError("a search is made once")
        if every and not 0 <= every[0] <= every[len(every) - 1] < facts.n or literals_from < facts.n:
            raise ValueError("a masked pattern is no fact, or literals begin before the facts end")
        if len(given) != loose.n:
            raise ValueError("each loose need has its masked patterns")
        facts.occurring(b"", every)  # raises for a fact of another kind
        self._literals, self._facts, self._needs, self._loose = literals, facts, needs, loose
        self._literals_from = literals_from
        self._first = <uint32_t*>malloc((len(given) + 1) * sizeof(uint32_t))
        self._masks = <uint32_t*>malloc((sum(len(numbers) for numbers in given) + 1) * sizeof(uint32_t))
        if self._first == NULL or self._masks == NULL:
            raise MemoryError()
        for i in range(<size_t>len(given)):
            self._first[i] = <uint32_t>at
            for number in given[i]:
                self._masks[at] = number
                at += 1
        self._first[len(given)] = <uint32_t>at

    def __dealloc__(self):
        free(self._first)
        free(self._masks)

    def select(self, data not None, others=()):
        """Needs that hold. See rulesearch.pyi."""
        cdef Work work
        cdef Py_buffer view
        cdef list extra = list(others)
        cdef size_t n_words = lit_seen_words(self._literals.n) + lit_summary_words(self._literals.n)
        cdef CandScratch* scratch = NULL
        cdef CandScratch* loose = NULL
        memset(&work, 0, sizeof(work))
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            work.data, work.n = <const uint8_t*>view.buf, <size_t>view.len
            work.leaves = <uint32_t*>malloc((<size_t>self._facts.n + len(extra) + 1) * sizeof(uint32_t))
            work.searched = <uint8_t*>calloc(<size_t>self._facts.n + 1, 1)
            work.seen = <uint64_t*>calloc(n_words + 1, 8)
            if work.leaves == NULL or work.searched == NULL or work.seen == NULL:
                raise MemoryError()
            for number in extra:
                work.leaves[work.n_leaves] = number
                work.n_leaves += 1
            scratch, loose = self._needs.take(), self._loose.take()
            if work.n < QUICK:
                self._search(&work, loose, scratch)
            else:
                with nogil:
                    self._search(&work, loose, scratch)
            return self._needs.report(scratch)
        finally:
            if scratch != NULL:
                self._needs.give(scratch)
            if loose != NULL:
                self._loose.give(loose)
            PyBuffer_Release(&view)
            free(work.leaves)
            free(work.searched)
            free(work.seen)

    cdef void _search(self, Work* work, CandScratch* loose, CandScratch* scratch) noexcept nogil:
        cdef size_t i
        work.n_leaves += self._facts.quick(work.data, work.n, work.leaves + work.n_leaves)
        self._literals.scan_seen(work.data, work.n, work.seen)
        if self._loose._set.head.n_needs:
            work.kinds = facts_kinds(work.data, work.n)
            self._round(work, &self._loose._set, loose)
            for i in range(self._loose._set.head.n_always):
                self._look(work, self._loose._set.always[i])
            for i in range(loose.n_needs):
                self._look(work, loose.needs[i])
        self._round(work, &self._needs._set, scratch)

    cdef void _round(self, Work* work, const CandSet* needs, CandScratch* scratch) noexcept nogil:
        """Follow what was found."""
        cdef size_t i, at, n_words = lit_seen_words(self._literals.head.n)
        cdef uint64_t* summary = work.seen + n_words
        cdef uint64_t full, word  # words that are not zero; literals of one such word
        for i in range(work.n_leaves):
            cand_found(needs, scratch, work.leaves[i])
        for i in range(lit_summary_words(self._literals.head.n)):
            full = summary[i]
            while full:
                at = 64 * i + <size_t>__builtin_ctzll(full)  # < n_words: literals_scan.h sets no other bits
                full &= full - 1
                word = work.seen[at]
                while word:
                    cand_found(
                        needs, scratch, self._literals_from + <uint32_t>(64 * at) + <uint32_t>__builtin_ctzll(word))
                    word &= word - 1
        cand_run(needs, scratch, work.n)

    cdef void _look(self, Work* work, uint32_t need) noexcept nogil:
        """Search the masked patterns of a loose need; those that occur are leaves. There is room for all facts."""
        cdef uint32_t i, mask
        for i in range(self._first[need], self._first[need + 1]):
            mask = self._masks[i]
            if work.searched[mask]:
                continue
            work.searched[mask] = 1
            if self._facts.occurs(mask, work.data, work.n, work.kinds):
                work.leaves[work.n_leaves] = mask
                work.n_leaves += 1
