"""Parts of a message's text without a table of its fields: lines of a header section, one mailbox, line ends.

Tables of fields are safields.pyx.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef extern from "sa_fields.h" nogil:
    ctypedef struct sf_mailbox:
        uint32_t phrase, phrase_n, mail, mail_n

    size_t sf_line_feeds(const uint8_t* s, size_t n, uint8_t* out)
    int sf_next_mailbox(const uint8_t* s, size_t n, size_t* at, sf_mailbox* found)
    Py_ssize_t sf_clean(const uint8_t* s, size_t n, uint8_t* out)
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


def usual_mailboxes(bytes value not None, /):
    """(name, address) of each mailbox of a field. See saheader.pyi."""
    cdef const char* s = PyBytes_AS_STRING(value)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(value), at = 0
    cdef sf_mailbox box
    cdef bytes phrase
    cdef list found = []
    cdef int came = -1 if n >= 0xffffffff else sf_next_mailbox(<const uint8_t*>s, n, &at, &box)
    while came > 0:
        phrase = _phrase(s, &box) if box.phrase_n else None
        found.append((phrase, s[box.mail:box.mail + box.mail_n]))
        came = sf_next_mailbox(<const uint8_t*>s, n, &at, &box)
    return None if came < 0 else found


cdef bytes _phrase(const char* s, const sf_mailbox* box):
    """A name; spaces behind its quotation mark belong to it."""
    cdef size_t end = box.phrase + box.phrase_n
    cdef bytes phrase = s[box.phrase:end]
    return phrase + s[end + 1:box.mail - 1] if s[end] == 34 else phrase


cdef object of_mailboxes(list values, bint is_name, bint is_clean):
    """Addresses or names of the mailboxes of fields, a line each; Ellipsis when something odd is among them."""
    cdef list found = []
    cdef bytes value, phrase
    cdef sf_mailbox box
    cdef size_t at
    cdef int came
    for value in values:
        at = 0
        came = sf_next_mailbox(_text(value), <size_t>PyBytes_GET_SIZE(value), &at, &box)
        while came > 0:
            if not is_name:
                found.append(value[box.mail:box.mail + box.mail_n])
            elif box.phrase_n:
                phrase = _phrase(PyBytes_AS_STRING(value), &box)
                if is_clean:
                    phrase = _cleaned(phrase)
                    if phrase is None:
                        return ...
                found.append(phrase)
            came = sf_next_mailbox(_text(value), <size_t>PyBytes_GET_SIZE(value), &at, &box)
        if came < 0:
            return ...
    if not found:
        return None
    return found[0] if len(found) == 1 else b"\n".join(found)


cdef const uint8_t* _text(bytes value):
    return <const uint8_t*>PyBytes_AS_STRING(value)


cdef bytes _cleaned(bytes phrase):
    """A name as rules see it; None when it has to be decoded."""
    cdef size_t size = <size_t>PyBytes_GET_SIZE(phrase)
    cdef uint8_t* made = <uint8_t*>malloc(size + 1)
    cdef Py_ssize_t n
    if made == NULL:
        raise MemoryError
    try:
        n = sf_clean(_text(phrase), size, made)
        return None if n < 0 else PyBytes_FromStringAndSize(<const char*>made, n)
    finally:
        free(made)


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
