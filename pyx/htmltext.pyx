"""HTML to readable text and links (the pass itself is htmltext.h)."""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, malloc
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE


cdef extern from "htmltext.h":
    ctypedef struct ht_link:
        size_t url_at
        size_t url_size
        size_t text_at
        size_t text_size
        int kind
    ctypedef struct ht_state:
        const uint8_t* data
        size_t size
        uint8_t* out
        size_t n
        ht_link* links
        size_t n_links
        size_t max_links
        int64_t open_link
        int n_forms
        int n_passwords
        int n_scripts
    void ht_run(ht_state* s) nogil

KINDS = ("a", "img", "form", "frame", "script", "other")
MAX_LINKS = 2000
cdef tuple _KINDS = KINDS
cdef size_t _MAX_LINKS = MAX_LINKS


cdef list _links(ht_state* s, bytes data):
    """The links as (kind, address, words), addresses as written."""
    cdef size_t i
    cdef ht_link* link
    cdef list found = []
    for i in range(s.n_links):
        link = &s.links[i]
        found.append((
            _KINDS[link.kind],
            PyBytes_FromStringAndSize(<const char*>s.data + link.url_at, <Py_ssize_t>link.url_size),
            PyBytes_FromStringAndSize(<const char*>s.out + link.text_at, <Py_ssize_t>link.text_size),
        ))
    return found


def to_text(bytes data not None, /):
    """(text, links, (forms, password fields, scripts)) of an HTML document. See htmltext.pyi."""
    cdef ht_state s
    cdef size_t size = <size_t>PyBytes_GET_SIZE(data)
    s.data = <const uint8_t*>PyBytes_AS_STRING(data)
    s.size = size
    s.n = s.n_links = 0
    s.n_forms = s.n_passwords = s.n_scripts = 0
    s.open_link = -1
    # a link needs at least the 8 bytes of "<a href="; small documents get a small table
    s.max_links = min(_MAX_LINKS, size // 8 + 1)
    s.out = <uint8_t*>malloc(size + 1)
    s.links = <ht_link*>malloc(s.max_links * sizeof(ht_link))
    if s.out == NULL or s.links == NULL:
        free(s.out)
        free(s.links)
        raise MemoryError
    try:
        with nogil:
            ht_run(&s)
        text = PyBytes_FromStringAndSize(<const char*>s.out, <Py_ssize_t>s.n)
        return text, _links(&s, data), (s.n_forms, s.n_passwords, s.n_scripts)
    finally:
        free(s.out)
        free(s.links)
