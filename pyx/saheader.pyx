"""Parts of a message's text without a table of its fields: lines of a header section, one mailbox, line ends.

Tables of fields are safields.pyx.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef extern from "sa_fields.h" nogil:
    ctypedef struct sf_mailbox:
        uint32_t phrase
        uint32_t phrase_n
        uint32_t mail
        uint32_t mail_n

    size_t sf_line_feeds(const uint8_t* s, size_t n, uint8_t* out)
    bint sf_usual_mailbox(const uint8_t* s, size_t n, sf_mailbox* found)
    size_t sf_raw_line(const uint8_t* s, size_t n, size_t* at)
    size_t sf_blank_lines(const uint8_t* s, size_t n)

cdef extern from "sa_words.h" nogil:
    ctypedef struct sw_word:
        size_t charset, charset_n, text, text_n, end

    bint sw_at(const uint8_t* s, size_t n, size_t at, sw_word* w)
    size_t sw_close(const uint8_t* s, size_t n, uint8_t* out)
    size_t sw_decode(const uint8_t* s, const sw_word* w, uint8_t* out)


def encoded_words(bytes value not None, /):
    """Runs of text of one charset. See saheader.pyi."""
    cdef size_t n = <size_t>PyBytes_GET_SIZE(value), at = 0, size = 0, start
    cdef uint8_t* s = <uint8_t*>malloc(2 * n + 1)
    cdef uint8_t* out = s + n  # what has been decoded of the run, no more than what it was made of
    cdef sw_word word
    cdef bytes label = b"", charset
    cdef list runs = []
    if s == NULL:
        raise MemoryError
    try:
        n = sw_close(<const uint8_t*>PyBytes_AS_STRING(value), n, s)
        while at < n:
            if s[at] == 61 and sw_at(s, n, at, &word):  # =
                charset = (<const char*>s)[word.charset:word.charset + word.charset_n].lower()
                if charset != label:
                    if size:
                        runs.append((label, (<const char*>out)[:size]))
                    label, size = charset, 0
                size += sw_decode(s, &word, out + size)
                at = word.end
                continue
            if label:
                runs.append((label, (<const char*>out)[:size]))
                label, size = b"", 0
            start = at
            at += 1
            while at < n and s[at] != 61:
                at += 1
            memcpy(out + size, s + start, at - start)
            size += at - start
        if size:
            runs.append((label, (<const char*>out)[:size]))
        return runs
    finally:
        free(s)


def raw_lines(bytes section not None, /):
    """The lines of a header section. See saheader.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(section)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(section), at = 0, end
    cdef list found = []
    while True:
        end = sf_raw_line(s, n, &at)
        if not end:
            return found
        found.append(PyBytes_FromStringAndSize(<const char*>s + at, <Py_ssize_t>(end - at)))
        at = end


def raw_text(bytes section not None, /):
    """`raw_lines` joined. See saheader.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(section)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(section), at = 0, size = 0, end
    cdef uint8_t* made = <uint8_t*>malloc(n + 1)
    if made == NULL:
        raise MemoryError
    try:
        end = sf_raw_line(s, n, &at)
        while end:
            memcpy(made + size, s + at, end - at)
            size += end - at
            at = end
            end = sf_raw_line(s, n, &at)
        return PyBytes_FromStringAndSize(<const char*>made, <Py_ssize_t>size)
    finally:
        free(made)


def usual_mailbox(bytes value not None, /):
    """(name, address) of a field that is one mailbox. See saheader.pyi."""
    cdef const char* s = PyBytes_AS_STRING(value)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(value), end
    cdef sf_mailbox found
    cdef bytes phrase = None
    if n >= 0xffffffff or not sf_usual_mailbox(<const uint8_t*>s, n, &found):
        return None
    if found.phrase_n:
        phrase = s[found.phrase:found.phrase + found.phrase_n]
        end = found.phrase + found.phrase_n
        if s[end] == 34:  # spaces behind the quotation mark
            phrase += s[end + 1:found.mail - 1]
    return phrase, s[found.mail:found.mail + found.mail_n]


def line_feeds(bytes data not None, size_t start, size_t end, /):
    """data[start:end] with LF line ends. See saheader.pyi."""
    cdef uint8_t* made
    if start > end or end > <size_t>PyBytes_GET_SIZE(data):
        raise ValueError("no such part of the data")
    made = <uint8_t*>malloc(end - start + 1)
    if made == NULL:
        raise MemoryError
    try:
        end = sf_line_feeds(<const uint8_t*>PyBytes_AS_STRING(data) + start, end - start, made)
        return PyBytes_FromStringAndSize(<const char*>made, <Py_ssize_t>end)
    finally:
        free(made)


def blank_lines(bytes data not None, /):
    """Lines of the longest run of blank lines. See saheader.pyi."""
    return sf_blank_lines(<const uint8_t*>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data))
