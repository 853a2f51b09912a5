"""Lines of text as SpamAssassin's rules see them: white space squeezed, addresses found.

HTML is sarender.pyx, counts of letters and lines are sacount.pyx.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcpy
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

cdef extern from "sa_line.h":
    enum:
        SU_END
        SU_START
        SU_BARE_START
        SU_WORD
        SU_MAX
        SU_MAX_PLAIN

    uint8_t[256] su_class
    void su_init()
    uint32_t sa_hash(const uint8_t* name, size_t n) nogil
    size_t sq_squeeze(const uint8_t* s, size_t n, int is_wide, uint8_t* out) nogil
    size_t sq_starts(const uint8_t* s, size_t n, uint32_t* starts) nogil
    size_t su_known(const uint8_t* s, size_t n) nogil
    size_t su_mail(const uint8_t* s, size_t n) nogil
    size_t su_plain(const uint8_t* s, size_t n, size_t* end, size_t* dot) nogil
    size_t su_bare(const uint8_t* s, size_t n, size_t* dot) nogil

su_init()


def squeeze(bytes subject not None, list pieces not None, bint is_wide, /):
    """(text, where its segments start) of the texts of a message. See saline.pyi."""
    cdef size_t total = <size_t>PyBytes_GET_SIZE(subject), at = 0, n, head
    cdef bytes piece
    for piece in pieces:
        total += <size_t>PyBytes_GET_SIZE(piece) + 1
    if total >= 0xffffffff:
        raise OverflowError("texts of 4 GiB or more")
    cdef uint8_t* joined = <uint8_t*>malloc(2 * total + 2)
    if joined == NULL:
        raise MemoryError
    cdef uint8_t* out = joined + total + 1
    cdef uint32_t* starts = NULL
    cdef size_t i, count
    try:
        for piece in pieces:
            if at:
                joined[at] = 10
                at += 1
            n = <size_t>PyBytes_GET_SIZE(piece)
            memcpy(joined + at, PyBytes_AS_STRING(piece), n)
            at += n
        head = <size_t>PyBytes_GET_SIZE(subject)
        memcpy(out, PyBytes_AS_STRING(subject), head)
        n = head + sq_squeeze(joined, at, is_wide, out + head)
        count = sq_starts(out, n, NULL)
        starts = <uint32_t*>malloc((count + 1) * sizeof(uint32_t))
        if starts == NULL:
            raise MemoryError
        sq_starts(out, n, starts)
        return PyBytes_FromStringAndSize(<const char*>out, <Py_ssize_t>n), [starts[i] for i in range(count)]
    finally:
        free(joined)
        free(starts)


cdef class TopLevel:
    """A set of top-level domains for `find_uris`. Immutable."""

    cdef uint8_t* _names  # all names one after the other
    cdef uint32_t* _slots  # place in _names + 1, by hash
    cdef uint32_t _mask

    def __cinit__(self, names, /):
        cdef list kept = sorted({bytes(name).lower() for name in names if 0 < len(name) < 64})
        cdef uint32_t size = 16, slot, at = 0
        cdef bytes name
        while size < 3 * <uint32_t>len(kept):
            size *= 2
        self._mask = size - 1
        self._names = <uint8_t*>malloc(sum([len(name) + 1 for name in kept]) + 1)
        self._slots = <uint32_t*>calloc(size, sizeof(uint32_t))
        if self._names == NULL or self._slots == NULL:
            raise MemoryError
        for name in kept:
            self._names[at] = <uint8_t>len(name)
            memcpy(self._names + at + 1, PyBytes_AS_STRING(name), len(name))
            slot = sa_hash(self._names + at + 1, len(name)) & self._mask
            while self._slots[slot]:
                slot = (slot + 1) & self._mask
            self._slots[slot] = at + 1
            at += 1 + <uint32_t>len(name)

    def __dealloc__(self):
        free(self._names)
        free(self._slots)

    cdef bint _has(self, const uint8_t* name, size_t n) noexcept nogil:
        cdef uint32_t slot = sa_hash(name, n) & self._mask
        cdef const uint8_t* known
        cdef size_t i
        while self._slots[slot]:  # at most a third of the slots is taken
            known = self._names + self._slots[slot] - 1
            if known[0] == n:
                i = 0
                while i < n and known[1 + i] == (name[i] | 32 if 65 <= name[i] <= 90 else name[i]):
                    i += 1
                if i == n:
                    return True
            slot = (slot + 1) & self._mask
        return False

    def __contains__(self, bytes name not None):
        return self._has(<const uint8_t*>PyBytes_AS_STRING(name), <size_t>PyBytes_GET_SIZE(name))


cdef void _token(list found, const uint8_t* s, size_t line, size_t start, size_t end, TopLevel known):
    """Addresses in s[start:end], between characters that end one; the line begins at `line`."""
    cdef size_t at = start, size, dot = 0
    cdef uint8_t before
    cdef bint may_start, is_first
    while at < end:
        is_first = at == line
        before = 0 if is_first else s[at - 1]
        may_start = (su_class[s[at]] & SU_WORD != 0) != (not is_first and su_class[before] & SU_WORD != 0)
        may_start = may_start or (not is_first and su_class[before] & SU_START)
        # behind a shift of ISO 2022 too
        may_start = may_start or (at - line >= 3 and s[at - 3] == 0x1b and s[at - 2] == 40)
        if may_start:
            size = su_known(s + at, end - at)
            if size and 0 < end - at - size <= SU_MAX:
                found.append((0, PyBytes_FromStringAndSize(<const char*>s + at, <Py_ssize_t>(end - at)), None))
                return
            size = su_mail(s + at, end - at)
            if size:
                found.append((1, PyBytes_FromStringAndSize(<const char*>s + at, <Py_ssize_t>size), None))
                at += size
                continue
            if is_first or su_class[before] & SU_BARE_START:
                size = su_bare(s + at, end - at, &dot)
                if size and known._has(s + at + dot + 1, size - dot - 1):
                    host = PyBytes_FromStringAndSize(<const char*>s + at, <Py_ssize_t>size)
                    found.append((2, PyBytes_FromStringAndSize(<const char*>s + at, <Py_ssize_t>(end - at)), host))
                    return
        at += 1


def find_uris(bytes data not None, starts not None, TopLevel known not None, size_t limit, /):
    """Addresses in the segments of a text. See saline.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(data)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(data), at, token, end, line, i, n_starts = <size_t>len(starts)
    cdef bint has_mark
    cdef list found = []
    for i in range(n_starts):
        at = starts[i]
        end = starts[i + 1] if i + 1 < n_starts else n
        if at > end or end > n:
            raise ValueError("segments must be in order and within the text")
        line = at
        while at < end and <size_t>len(found) < limit:
            while at < end and su_class[s[at]] & SU_END:
                at += 1
            token = at
            has_mark = False
            while at < end and not su_class[s[at]] & SU_END:
                # a colon, "@", or a full stop with something behind it
                has_mark |= s[at] == 64 or s[at] == 58 or (at > token and s[at - 1] == 46)
                at += 1
            if has_mark:
                _token(found, s, line, token, at, known)
    return found


def plain_host(bytes address not None, TopLevel known not None, /):
    """The host of an address that is meant as it is written. See saline.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(address)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(address), end = 0, dot = 0, start, i
    cdef char[256] host
    if n > SU_MAX_PLAIN:
        return None
    start = su_plain(s, n, &end, &dot)
    if not start or not known._has(s + dot + 1, end - dot - 1):
        return None
    for i in range(start, end):  # at most 253 bytes, su_host sees to that
        host[i - start] = <char>(s[i] | 32 if 65 <= s[i] <= 90 else s[i])
    return PyBytes_FromStringAndSize(host, <Py_ssize_t>(end - start))


def longest_line(bytes data not None, size_t start, size_t end, /):
    """Bytes of the longest line in data[start:end]. See saline.pyi."""
    cdef const char* s = PyBytes_AS_STRING(data)
    cdef size_t longest = 0, n
    cdef const char* mark
    if end > <size_t>PyBytes_GET_SIZE(data) or start > end:
        raise ValueError("no such part of the data")
    while start < end:
        mark = <const char*>memchr(s + start, 10, end - start)
        n = <size_t>(mark - s) + 1 - start if mark != NULL else end - start
        if mark != NULL and n >= 2 and (mark - 1)[0] == 13:
            longest = max(longest, n - 1)
        else:
            longest = max(longest, n)
        start += n
    return longest
