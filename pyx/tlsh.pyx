"""TLSH digests: of content, their distance, and the nearest of a hundred thousand listed ones.

The work is done by tlsh.h, which says how. Not here: reading digests from text (pyx/hashlist), which content is asked
about (core/detect/hashlist.py).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef extern from "tlsh.h" nogil:
    enum: TLSH_BYTES
    enum: TLSH_LEAST
    ctypedef struct TlshEntry:
        uint32_t list
        uint8_t length
    int tlsh_digest(const uint8_t* data, size_t size, uint8_t* out)
    void tlsh_entry(TlshEntry* entry, const uint8_t* digest, uint32_t list)
    uint32_t tlsh_distance(const uint8_t* left, const uint8_t* right)
    bint tlsh_has_popcnt()
    void tlsh_search(const TlshEntry* entries, const uint32_t* first, const TlshEntry* to, uint32_t limit,
                     bint has_popcnt, uint32_t* best)

SIZE = TLSH_BYTES
LEAST = TLSH_LEAST
MAX_ENTRIES = 1 << 24
FAR = 2_000  # no two digests are so far from each other
LEVEL = 1 if tlsh_has_popcnt() else 0


def digest(data not None):
    """The digest of content. See tlsh.pyi."""
    cdef Py_buffer view
    cdef uint8_t[TLSH_BYTES] out
    cdef bint is_there
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    with nogil:
        is_there = tlsh_digest(<const uint8_t*>view.buf, <size_t>view.len, out)
    PyBuffer_Release(&view)
    return PyBytes_FromStringAndSize(<const char*>out, TLSH_BYTES) if is_there else b""


def distance(bytes left not None, bytes right not None):
    """How far two digests are from each other. See tlsh.pyi."""
    if len(left) != TLSH_BYTES or len(right) != TLSH_BYTES:
        raise ValueError(f"a TLSH digest has {TLSH_BYTES} bytes")
    return tlsh_distance(<const uint8_t*>PyBytes_AS_STRING(left), <const uint8_t*>PyBytes_AS_STRING(right))


cdef class Nearest:
    """See tlsh.pyi. Nothing changes after __init__."""

    cdef TlshEntry* _entries
    cdef uint32_t[257] _first  # where the entries of a class of length begin
    cdef uint32_t _n_lists
    cdef bint _has_popcnt

    def __cinit__(self):
        self._entries = NULL
        memset(self._first, 0, sizeof(self._first))

    def __init__(self, lists, int level=-1):
        cdef list given = list(lists)
        cdef Py_ssize_t total = 0
        if self._entries != NULL:
            raise ValueError("a set is made once")
        for digests in given:
            if not isinstance(digests, bytes) or len(digests) % TLSH_BYTES:
                raise ValueError(f"digests of {TLSH_BYTES} bytes are given one after another")
            total += len(digests) // TLSH_BYTES
        if total > MAX_ENTRIES:
            raise ValueError(f"more than {MAX_ENTRIES} digests")
        self._entries = <TlshEntry*>malloc((total + 1) * sizeof(TlshEntry))
        if self._entries == NULL:
            raise MemoryError()
        self._n_lists = <uint32_t>len(given)
        self._has_popcnt = LEVEL if level < 0 else min(level, LEVEL)
        self._sort(given)

    def __dealloc__(self):
        free(self._entries)

    cdef int _sort(self, list given) except -1:
        """Counting sort by the class of length."""
        cdef uint32_t[257] place
        cdef uint32_t number
        cdef Py_ssize_t i
        cdef TlshEntry entry
        cdef bytes digests
        cdef const uint8_t* at
        cdef int k, turn
        memset(place, 0, sizeof(place))
        for turn in range(2):
            for number in range(self._n_lists):
                digests = given[number]
                at = <const uint8_t*>PyBytes_AS_STRING(digests)
                for i in range(len(digests) // TLSH_BYTES):
                    tlsh_entry(&entry, at + i * TLSH_BYTES, number)
                    if turn == 0:
                        place[entry.length + 1] += 1  # a length is one byte
                    else:
                        self._entries[place[entry.length]] = entry  # each of `total` places once
                        place[entry.length] += 1
            if turn == 0:
                for k in range(256):
                    place[k + 1] += place[k]
                self._first = place
        return 0

    @property
    def n(self):
        """See tlsh.pyi."""
        return self._first[256]

    def find(self, bytes digest not None, unsigned limit):
        """The nearest of each list. See tlsh.pyi."""
        cdef TlshEntry to
        cdef uint32_t* best
        cdef uint32_t i
        if len(digest) != TLSH_BYTES or self._entries == NULL:
            raise ValueError(f"a TLSH digest has {TLSH_BYTES} bytes")
        limit = min(limit, <unsigned>FAR)
        best = <uint32_t*>malloc((<size_t>self._n_lists + 1) * sizeof(uint32_t))
        if best == NULL:
            raise MemoryError()
        tlsh_entry(&to, <const uint8_t*>PyBytes_AS_STRING(digest), 0)
        with nogil:
            for i in range(self._n_lists):
                best[i] = limit + 1
            tlsh_search(self._entries, self._first, &to, limit, self._has_popcnt, best)
        try:
            return [(i, best[i]) for i in range(self._n_lists) if best[i] <= limit]
        finally:
            free(best)
