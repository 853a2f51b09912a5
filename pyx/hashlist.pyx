"""Lists of digests with millions of entries: read from text, compiled to a block that is mapped, asked in no time.

The work is done by hashlist.h, which says how. Not here: computing digests (hashlib), digests of what is only similar
(pyx/tlsh), what a list means (core/rules/hashlist.py).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memset

cdef extern from "hashlist.h" nogil:
    enum: HASH_KINDS
    const size_t[3] hash_sizes
    ctypedef struct HashHead:
        uint64_t size
        uint32_t n_lists
        uint32_t[3] n
        uint32_t[3] bits
    ctypedef struct HashSection:
        const uint32_t* lists
    ctypedef struct HashSet:
        const HashHead* head
        HashSection[3] sections
    uint32_t hash_bits(uint64_t n)
    uint64_t hash_size(const HashHead* head)
    bint hash_is_valid(HashSet* set, const uint8_t* block, size_t size)
    uint32_t hash_find(const HashSet* set, int kind, const uint8_t* digest, uint32_t* start)
    void hash_put(uint8_t* entry, const uint8_t* digest, size_t size, uint32_t list)
    uint32_t hash_sort(uint8_t* entries, uint32_t n, int kind)
    void hash_fill(uint8_t* block, uint8_t** entries)
    size_t hash_digits(const uint8_t* at, const uint8_t* end)
    void hash_unhex(const uint8_t* digits, size_t size, uint8_t* out)

SIZES = (16, 20, 32)
TLSH_SIZE = 35
MAX_ENTRIES = 1 << 27  # of one kind: 4 GB of SHA-256

cdef enum:
    KINDS = 4    # MD5, SHA-1, SHA-256, TLSH
    TLSH = 3
    MAX_BAD = 40  # characters of a faulty line that are quoted


def read(text not None):
    """Digests of a list. See hashlist.pyi."""
    cdef Py_buffer view
    cdef const uint8_t* at
    cdef size_t room
    cdef uint8_t* kept
    cdef size_t[KINDS] sizes
    cdef size_t n_line = 0
    cdef object bad = None
    PyObject_GetBuffer(text, &view, PyBUF_SIMPLE)
    at = <const uint8_t*>view.buf
    room = <size_t>view.len // 2 + 1  # a digest has half as many bytes as digits
    kept = <uint8_t*>malloc(KINDS * room)
    try:
        if kept == NULL:
            raise MemoryError()
        with nogil:
            n_line = _read(at, <size_t>view.len, kept, room, sizes)
        if n_line:
            bad = (<const char*>at)[:view.len].split(b"\n", n_line)[n_line - 1]
            raise ValueError(n_line, bad.strip()[:MAX_BAD].decode("utf-8", "replace"))
        return tuple([PyBytes_FromStringAndSize(<const char*>kept + k * room, <Py_ssize_t>sizes[k])
                      for k in range(KINDS)])
    finally:
        free(kept)
        PyBuffer_Release(&view)


cdef size_t _read(const uint8_t* at, size_t size, uint8_t* kept, size_t room, size_t* sizes) noexcept nogil:
    """Fill `kept` (four areas of `room` bytes) and `sizes`. Returns the number of the first faulty line; 0: none."""
    cdef const uint8_t* end = at + size
    cdef const uint8_t* stop
    cdef const uint8_t* p
    cdef size_t n_line = 0, n_digits, n
    cdef int kind, k
    memset(sizes, 0, KINDS * sizeof(size_t))
    while at < end:
        n_line += 1
        stop = <const uint8_t*>memchr(at, 10, <size_t>(end - at))
        if stop == NULL:
            stop = end
        p = at
        at = stop + 1  # at most one beyond the end, where it is not read
        while p < stop and _is_blank(p[0]):
            p += 1
        if p == stop or p[0] == 35 or p[0] == 64:  # nothing, "#", "@"
            continue
        n_digits = 0
        if stop - p >= 2 and p[0] | 0x20 == 116 and p[1] == 49:  # T1
            p += 2
            n_digits = hash_digits(p, stop)
            kind = TLSH if n_digits == 70 else -1
        else:
            n_digits = hash_digits(p, stop)
            kind = -1
            for k in range(3):
                if n_digits == 2 * hash_sizes[k]:
                    kind = k
        if kind < 0 or (p + n_digits < stop and not _ends(p[n_digits])):
            return n_line
        n = n_digits // 2
        # the digits of all lines together are at most `size`, so an area of size / 2 + 1 bytes holds them
        hash_unhex(p, n, kept + kind * room + sizes[kind])
        sizes[kind] += n
    return 0


cdef inline bint _is_blank(uint8_t c) noexcept nogil:
    return c == 32 or (9 <= c <= 13)


cdef inline bint _ends(uint8_t c) noexcept nogil:
    """May this follow a digest? What stands after it is a remark, as in the output of sha256sum or of feeds."""
    return _is_blank(c) or c == 58 or c == 44 or c == 59 or c == 35


def compile(lists):
    """The compiled form. See hashlist.pyi."""
    cdef list given = [tuple(one) for one in lists]
    cdef HashHead head
    cdef uint8_t* entries[3]
    cdef bytes block
    cdef uint8_t* at
    cdef int k
    memset(&head, 0, sizeof(head))
    memset(entries, 0, sizeof(entries))
    head.n_lists = <uint32_t>len(given)
    try:
        for k in range(3):
            entries[k] = _collect(given, k, &head.n[k])
            head.bits[k] = hash_bits(head.n[k])
        block = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>hash_size(&head))
        at = <uint8_t*>PyBytes_AS_STRING(block)  # new, and nobody else has it yet
        with nogil:
            memset(at, 0, hash_size(&head))
            memcpy(at, &head, sizeof(head))
            hash_fill(at, entries)
        return block
    finally:
        for k in range(3):
            free(entries[k])


cdef uint8_t* _collect(list given, int kind, uint32_t* n_kept) except NULL:
    """All entries of a kind, sorted. The caller frees them."""
    cdef size_t size = hash_sizes[kind], total = 0, i, n
    cdef uint32_t number
    cdef uint8_t* entries
    cdef uint8_t* to
    cdef const uint8_t* source
    cdef bytes digests
    for one in given:
        if not isinstance(one[kind], bytes) or len(one[kind]) % size:
            raise ValueError(f"digests of {size} bytes are given one after another")
        total += len(one[kind]) // size
    if total > MAX_ENTRIES:
        raise ValueError(f"more than {MAX_ENTRIES} digests of one kind")
    entries = <uint8_t*>malloc(total * (size + 4) + 1)
    if entries == NULL:
        raise MemoryError()
    to = entries
    for number in range(<uint32_t>len(given)):
        digests = given[number][kind]
        source = <const uint8_t*>PyBytes_AS_STRING(digests)
        n = <size_t>len(digests) // size
        for i in range(n):  # total entries in all: `to` stays inside
            hash_put(to, source + i * size, size, number)
            to += size + 4
    with nogil:
        n_kept[0] = hash_sort(entries, <uint32_t>total, kind)
    return entries


cdef class HashTable:
    """See hashlist.pyi. Nothing changes after __init__."""

    cdef HashSet _set
    cdef void* _copy
    cdef object _held

    def __cinit__(self):
        self._copy = NULL

    def __init__(self, blob not None):
        cdef const uint8_t[::1] held = blob  # keeps the buffer, so that a mmap cannot be closed under us
        cdef size_t size = <size_t>held.shape[0]
        cdef const uint8_t* at = &held[0] if size else NULL
        cdef bint is_valid
        if self._held is not None:
            raise ValueError("a table is opened once")
        if <uintptr_t>at & 7:
            self._copy = malloc(size)
            if self._copy == NULL:
                raise MemoryError()
            memcpy(self._copy, at, size)
            at = <const uint8_t*>self._copy
        with nogil:
            is_valid = hash_is_valid(&self._set, at, size)
        if not is_valid:
            raise ValueError("this is no compiled table of digests, or it is damaged")
        self._held = held

    def __dealloc__(self):
        free(self._copy)

    @property
    def counts(self):
        """See hashlist.pyi."""
        if self._held is None:
            return (0, 0, 0)
        return (self._set.head.n[0], self._set.head.n[1], self._set.head.n[2])

    def find(self, bytes digest not None):
        """Numbers of the lists that name it. See hashlist.pyi."""
        cdef Py_ssize_t size = len(digest)
        cdef int kind = 2 if size == 32 else 1 if size == 20 else 0
        cdef uint32_t start = 0, n, i
        if size != <Py_ssize_t>hash_sizes[kind] or self._held is None:
            raise ValueError("a digest has 16, 20 or 32 bytes")
        n = hash_find(&self._set, kind, <const uint8_t*>PyBytes_AS_STRING(digest), &start)
        return [self._set.sections[kind].lists[start + i] for i in range(n)]
