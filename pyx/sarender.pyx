"""HTML to text as SpamAssassin renders it, with what it counts in it. Text that is no HTML is saline.pyx."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

cdef extern from "sa_document.h":
    enum: SA_TAGS
    enum: SA_STRANGE
    enum: SA_SLACK
    int SA_N_NAMES

    enum sa_kind:
        SA_URI
        SA_BASE
        SA_ANCHOR
        SA_FACE
        SA_ACTION
        SA_META
        SA_CONTENT
        SA_COMMENT
        SA_SCRIPT
        SA_TITLE

    ctypedef struct sa_item:
        uint32_t at
        uint32_t size
        uint32_t words
        uint16_t tag
        uint8_t kind

    ctypedef struct sa_style:
        double size
        int32_t fg
        int32_t bg
        uint8_t tag

    ctypedef struct sa_name:
        uint32_t at
        uint16_t size
        int32_t count

    ctypedef struct st_name:
        const char* name
        int flags

    st_name[1] SA_NAMES

    ctypedef struct sa_state:
        const uint8_t* data
        size_t size
        int is_wide
        uint8_t* out
        size_t n
        uint8_t* arena
        uint8_t* words
        size_t n_words
        uint8_t* titles
        size_t n_titles
        uint8_t* scratch
        sa_item* items
        size_t n_items
        sa_style* styles
        size_t n_styles
        size_t max_styles
        int64_t[SA_TAGS] inside
        uint8_t[SA_TAGS] seen
        sa_name[SA_STRANGE] strange
        size_t n_strange
        double basefont
        double image_area
        double min_size
        double max_size
        uint32_t tags
        uint32_t elements
        uint32_t tags_seen
        uint32_t elements_seen
        uint32_t closed_extra
        uint32_t obfuscation
        uint64_t backhair
        uint8_t low_contrast
        uint8_t invalid_colour
        uint8_t embeds
        uint8_t truncated
        uint8_t failed
        uint32_t widest

    void sa_init()
    size_t sa_prepare(const uint8_t* data, size_t size, uint8_t* out) nogil
    void sa_run(sa_state* s) nogil

cdef extern from "sa_line.h":
    size_t sq_space(const uint8_t* s, size_t n, size_t p, int is_wide) nogil

KINDS = ("uri", "base", "anchor", "face", "action", "meta", "content", "comment", "script", "title")
MAX_BYTES = 2_000_000
cdef size_t _MAX_BYTES = MAX_BYTES
cdef size_t NOGIL_BYTES = 2048  # below, giving the GIL up costs more than it gives
sa_init()
cdef tuple _TAGS = tuple([(<bytes>SA_NAMES[number].name) for number in range(SA_N_NAMES)])


cdef sa_state* _new_state(bytes source, bint is_wide) except NULL:
    """A state with room for anything that `source` can give; freed by _free_state."""
    cdef size_t size = <size_t>PyBytes_GET_SIZE(source)
    cdef sa_state* s = <sa_state*>calloc(1, sizeof(sa_state))
    if s == NULL:
        raise MemoryError
    cdef uint8_t* room = <uint8_t*>malloc(7 * size + SA_SLACK + 16)
    if room == NULL:
        free(s)
        raise MemoryError
    # parts of one block: source, text, arena, words (twice the source), titles, scratch
    s.data = room
    s.size = sa_prepare(<const uint8_t*>PyBytes_AS_STRING(source), size, room)
    s.out = room + size + 1
    s.arena = s.out + size + SA_SLACK
    s.words = s.arena + size
    s.titles = s.words + 2 * size
    s.scratch = s.titles + size
    s.is_wide = is_wide
    s.max_styles = 64
    s.styles = <sa_style*>calloc(s.max_styles, sizeof(sa_style))
    if s.styles == NULL:
        _free_state(s)
        raise MemoryError
    s.styles[0].size = 3
    s.styles[0].bg = 0xffffff
    s.styles[0].tag = SA_TAGS - 1
    s.n_styles = 1
    s.basefont = s.min_size = s.max_size = 3
    return s


cdef void _free_state(sa_state* s) noexcept:
    free(<void*>s.data)
    free(s.items)
    free(s.styles)
    free(s)


cdef bytes _value(sa_state* s, sa_item* item):
    """The value of an item: of the arena, or of the source, whose places are counted behind the arena's."""
    if item.at >= s.size:
        return PyBytes_FromStringAndSize(<const char*>s.data + (item.at - s.size), item.size)
    return PyBytes_FromStringAndSize(<const char*>s.arena + item.at, item.size)


cdef list _items(sa_state* s):
    """(kind, tag, value, words) in order."""
    cdef size_t i, words_end = s.n_words, title_end = s.n_titles
    cdef sa_item* item
    cdef list found = [None] * s.n_items
    cdef bytes value, words
    cdef Py_ssize_t size
    for i in range(s.n_items, 0, -1):
        item = &s.items[i - 1]
        words = b""
        if item.kind == SA_COMMENT or item.kind == SA_SCRIPT:
            value = PyBytes_FromStringAndSize(<const char*>s.data + item.at, item.size)
        elif item.kind == SA_TITLE:
            value = PyBytes_FromStringAndSize(<const char*>s.titles + item.at, <Py_ssize_t>(title_end - item.at))
            title_end = item.at
        else:
            value = _value(s, item)
            if item.kind == SA_ANCHOR:
                size = <Py_ssize_t>(words_end - item.words)
                words = PyBytes_FromStringAndSize(<const char*>s.words + item.words, size)
                words_end = item.words
        found[i - 1] = (<int>item.kind, _TAGS[item.tag], value, words)
    return found


cdef dict _inside(sa_state* s):
    """Element -> how many were still open at the end, of every element that was seen."""
    cdef int tag
    cdef size_t i
    cdef dict found = {}
    for tag in range(SA_N_NAMES):
        if s.seen[tag]:
            found[_TAGS[tag]] = s.inside[tag]
    if s.n_strange:
        for i in range(SA_STRANGE):
            if s.strange[i].size:
                name = PyBytes_FromStringAndSize(<const char*>s.data + s.strange[i].at, s.strange[i].size)
                found[name.lower()] = s.strange[i].count
    return found


cdef (size_t, size_t) _lengths(sa_state* s, bint is_wide) noexcept nogil:
    """Characters of the text, and how many of them are white space."""
    cdef size_t p = 0, size, n_chars = 0, n_spaces = 0
    while p < s.n:
        size = sq_space(s.out, s.n, p, is_wide)
        if size and not (s.out[p] == 12 and not is_wide):
            n_spaces += 1
        n_chars += (s.out[p] & 0xC0) != 0x80
        p += size if size else 1
    return n_chars, n_spaces


def render(bytes source not None, bint is_wide, /):
    """(text, is wide, items, inside, numbers) of an HTML document. See sarender.pyi."""
    if <size_t>PyBytes_GET_SIZE(source) > _MAX_BYTES:
        source = source[:_MAX_BYTES]
    cdef sa_state* s = _new_state(source, is_wide)
    cdef int n_broken = 0
    cdef (size_t, size_t) lengths
    cdef bint wide
    try:
        if s.size > NOGIL_BYTES:
            with nogil:
                sa_run(s)
        else:
            sa_run(s)
        if s.failed:
            raise MemoryError
        wide = is_wide or s.widest > 255
        lengths = _lengths(s, wide)
        text = PyBytes_FromStringAndSize(<const char*>s.out, <Py_ssize_t>s.n)
        while s.backhair:
            s.backhair &= s.backhair - 1
            n_broken += 1
        numbers = (
            lengths[0], lengths[1], s.tags, s.elements, s.tags_seen, s.elements_seen, s.closed_extra, s.obfuscation,
            n_broken, s.image_area, s.min_size, s.max_size, s.low_contrast, s.invalid_colour, s.embeds, s.truncated,
        )
        return text, wide, _items(s), _inside(s), numbers
    finally:
        _free_state(s)
