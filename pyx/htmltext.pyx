"""HTML to readable text, what of it is shown, and links (the pass itself is html_pass.h)."""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE


cdef extern from "html_pass.h":
    enum: HS_REASONS

    ctypedef struct ht_link:
        size_t url_at
        size_t url_size
        size_t text_at
        size_t text_size
        size_t shown
        int kind

    ctypedef struct hr_table:
        pass

    ctypedef struct ht_span:
        pass

    ctypedef struct ht_state:
        const uint8_t* data
        size_t size
        uint8_t* out
        size_t n
        uint8_t* urls
        ht_link* links
        size_t n_links
        size_t max_links
        ht_span* spans
        size_t n_spans
        size_t max_spans
        uint32_t n_forms
        uint32_t n_passwords
        uint32_t n_scripts
        uint32_t[HS_REASONS] reasons
        int failed
        hr_table* rules

    void ht_init()
    void ht_run(ht_state* s) nogil
    void ht_divide(const ht_state* s, uint8_t* shown, size_t* n_shown, uint8_t* hidden, size_t* n_hidden) nogil

KINDS = ("a", "img", "form", "frame", "script", "other")
REASONS = ("none", "visibility", "opacity", "tiny", "clipped", "offscreen", "colour", "mso", "aside")
MAX_LINKS = 2000
MAX_BYTES = 0x7fffffff
cdef tuple _KINDS = KINDS
cdef size_t _MAX_LINKS = MAX_LINKS
cdef size_t _MAX_BYTES = MAX_BYTES
cdef size_t NOGIL_BYTES = 8192  # below, giving the GIL up costs more than it gives
ht_init()


cdef list _links(ht_state* s):
    """The links as (kind, address, words, is shown)."""
    cdef size_t i
    cdef ht_link* link
    cdef list found = []
    for i in range(s.n_links):
        link = &s.links[i]
        found.append((
            _KINDS[link.kind],
            PyBytes_FromStringAndSize(<const char*>s.urls + link.url_at, <Py_ssize_t>link.url_size),
            PyBytes_FromStringAndSize(<const char*>s.out + link.text_at, <Py_ssize_t>link.text_size),
            link.shown != 0,
        ))
    return found


cdef tuple _divided(ht_state* s, bytes text):
    """(shown, hidden) of the text; the text itself when nothing is hidden."""
    cdef size_t room = s.n + s.n_spans, n_shown = 0, n_hidden = 0
    cdef uint8_t* both
    if s.n_spans == 0:
        return text, b""
    both = <uint8_t*>malloc(2 * room + 1)
    if both == NULL:
        raise MemoryError
    try:
        ht_divide(s, both, &n_shown, both + room, &n_hidden)
        return (<const char*>both)[:n_shown], (<const char*>both + room)[:n_hidden]
    finally:
        free(both)


cdef tuple _reasons(ht_state* s):
    cdef int i
    return tuple([s.reasons[i] for i in range(HS_REASONS)])


cdef ht_state* _new_state(bytes data) except NULL:
    """A state with room for any output of `data`; freed by _free_state."""
    cdef size_t size = <size_t>PyBytes_GET_SIZE(data)
    cdef ht_state* s = <ht_state*>malloc(sizeof(ht_state))
    if s == NULL:
        raise MemoryError
    s.data = <const uint8_t*>PyBytes_AS_STRING(data)
    s.size = size
    # a link needs at least the 8 bytes of "<a href="; small documents get a small table
    s.max_links = min(_MAX_LINKS, size // 8 + 1)
    s.spans = NULL
    s.max_spans = 0
    s.rules = NULL
    s.out = <uint8_t*>malloc(size + 1)
    s.urls = <uint8_t*>malloc(size + 1)
    s.links = <ht_link*>malloc(s.max_links * sizeof(ht_link))
    if s.out == NULL or s.urls == NULL or s.links == NULL:
        _free_state(s)
        raise MemoryError
    return s


cdef void _free_state(ht_state* s) noexcept:
    free(s.out)
    free(s.urls)
    free(s.links)
    free(s.spans)
    free(s.rules)
    free(s)


def read(bytes data not None, /):
    """(text, shown, hidden, links, counts, reasons) of an HTML document. See htmltext.pyi."""
    cdef ht_state* s
    if <size_t>PyBytes_GET_SIZE(data) > _MAX_BYTES:
        raise OverflowError("an HTML document of 2 GiB or more")
    s = _new_state(data)
    try:
        if s.size > NOGIL_BYTES:
            with nogil:
                ht_run(s)
        else:
            ht_run(s)
        if s.failed:
            raise MemoryError
        text = PyBytes_FromStringAndSize(<const char*>s.out, <Py_ssize_t>s.n)
        shown, hidden = _divided(s, text)
        return text, shown, hidden, _links(s), (s.n_forms, s.n_passwords, s.n_scripts), _reasons(s)
    finally:
        _free_state(s)
