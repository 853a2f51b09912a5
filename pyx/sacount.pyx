"""Counts that SpamAssassin's eval tests ask for: lines, escapes and letters of texts, words that two texts share.

Which tests they are for is core/rules/spamassassin/evals_*.py; finding addresses and segments is saline.pyx.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free

from os import urandom

cdef extern from "sa_count.h":
    enum:
        SC_ESCAPES
        SC_TEXT

    ctypedef struct sc_part:
        size_t size
        size_t longest
        size_t blank
        long escapes
        size_t entities
        int is_odd

    ctypedef struct sc_lines:
        size_t size
        size_t large
        size_t small
        int spaces

    void sc_count(const uint8_t* s, size_t n, int wanted, sc_part* out) nogil
    void sc_choose(bint is_portable) nogil
    void sc_segment(const uint8_t* s, size_t n, sc_lines* out) nogil
    size_t sc_illegal(const uint8_t* s, size_t n) nogil

cdef extern from "sa_kinds.h":
    ctypedef struct sw_table:
        void* entries
        size_t mask
        size_t used
        uint64_t secret
        size_t[2] kinds

    int sw_room(sw_table* t, size_t size) nogil
    int sw_count(sw_table* t, const uint8_t* s, size_t n, int is_wide, int side, size_t limit) nogil
    size_t sw_left(const sw_table* t) nogil

MAX_WORDS = 200_000
cdef uint64_t SECRET = int.from_bytes(urandom(8), "little")
cdef size_t FIRST_ROOM = 256  # entries of a table of words

sc_choose(False)


def choose(*, bint portable):
    """Counts with or without the machine's wide registers. See sacount.pyi."""
    sc_choose(portable)


def count_part(bytes data not None, size_t start, size_t end, /, *, bint escapes=False, bint text=False):
    """Counts of data[start:end]. See sacount.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(data)
    cdef sc_part found
    cdef int wanted = (SC_ESCAPES if escapes else 0) | (SC_TEXT if text else 0)
    if end > <size_t>PyBytes_GET_SIZE(data) or start > end:
        raise ValueError("no such part of the data")
    with nogil:
        sc_count(s + start, end - start, wanted, &found)
    return found.size, found.longest, found.blank, found.escapes, found.entities, bool(found.is_odd)


def count_lines(bytes data not None, starts not None, /):
    """Counts of the segments of a text. See sacount.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(data)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(data), at, end, i, n_starts = <size_t>len(starts)
    cdef sc_lines found
    found.size = found.large = found.small = 0
    found.spaces = -1
    for i in range(n_starts):
        at = starts[i]
        end = starts[i + 1] if i + 1 < n_starts else n
        if at > end or end > n:
            raise ValueError("segments must be in order and within the text")
        sc_segment(s + at, end - at, &found)
    return found.size, found.large, found.small, found.spaces


def count_illegal(bytes data not None, /):
    """Bytes that should not stand in a header field. See sacount.pyi."""
    return sc_illegal(<const uint8_t*>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data))


def compare_words(ours not None, others not None, /):
    """(kinds of words on each side, those that stand more often on ours). See sacount.pyi."""
    cdef sw_table table
    cdef list kept = []  # words stay where they are: the texts must live as long as the table
    cdef size_t left
    table.entries = NULL
    table.mask = table.used = table.kinds[0] = table.kinds[1] = 0
    table.secret = SECRET
    if sw_room(&table, FIRST_ROOM) < 0:
        raise MemoryError
    try:
        for text, is_wide in ours:
            _add(&table, kept, text, is_wide, 0)
        for text, is_wide in others:
            _add(&table, kept, text, is_wide, 1)
        with nogil:
            left = sw_left(&table)
        return table.kinds[0], table.kinds[1], left
    finally:
        free(table.entries)


cdef int _add(sw_table* table, list kept, bytes text, bint is_wide, int side) except -1:
    cdef const uint8_t* s
    cdef size_t n, limit = MAX_WORDS
    cdef int failed
    if text is None:
        raise TypeError("a text is bytes")
    if is_wide and not text.isascii():
        text = text.decode("utf-8", "replace").encode()  # well-formed from here on
    kept.append(text)
    s, n = <const uint8_t*>PyBytes_AS_STRING(text), <size_t>PyBytes_GET_SIZE(text)
    with nogil:
        failed = sw_count(table, s, n, is_wide, side, limit)
    if failed:
        raise MemoryError
    return 0
