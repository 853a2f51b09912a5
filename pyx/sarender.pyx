"""SpamAssassin's renderings: HTML to text with what it counts in it, white space squeezed, addresses found in text."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcpy
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

cdef extern from "sa_html.h":
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
    uint32_t st_hash(const uint8_t* name, size_t n) nogil

cdef extern from "sa_line.h":
    enum:
        SU_END
        SU_START
        SU_BARE_START
        SU_WORD

    uint8_t[256] su_class
    void su_init()
    size_t sq_squeeze(const uint8_t* s, size_t n, int is_wide, uint8_t* out) nogil
    size_t sq_starts(const uint8_t* s, size_t n, uint32_t* starts) nogil
    size_t sq_space(const uint8_t* s, size_t n, size_t p, int is_wide) nogil
    size_t su_known(const uint8_t* s, size_t n) nogil
    size_t su_mail(const uint8_t* s, size_t n) nogil
    size_t su_bare(const uint8_t* s, size_t n, size_t* dot) nogil
    enum:
        SU_MAX

KINDS = ("uri", "base", "anchor", "face", "action", "meta", "content", "comment", "script", "title")
MAX_BYTES = 2_000_000
cdef size_t _MAX_BYTES = MAX_BYTES
cdef size_t NOGIL_BYTES = 2048  # below, giving the GIL up costs more than it gives
sa_init()
su_init()
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


def squeeze(bytes subject not None, list pieces not None, bint is_wide, /):
    """(text, where its segments start) of the texts of a message. See sarender.pyi."""
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
            slot = st_hash(self._names + at + 1, len(name)) & self._mask
            while self._slots[slot]:
                slot = (slot + 1) & self._mask
            self._slots[slot] = at + 1
            at += 1 + <uint32_t>len(name)

    def __dealloc__(self):
        free(self._names)
        free(self._slots)

    cdef bint _has(self, const uint8_t* name, size_t n) noexcept nogil:
        cdef uint32_t slot = st_hash(name, n) & self._mask
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
    """Addresses in the segments of a text. See sarender.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(data)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(data), at, token, end, i, n_starts = <size_t>len(starts)
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
                has_mark |= s[at] == 46 or s[at] == 64 or s[at] == 58  # . @ :
                at += 1
            if has_mark:
                _token(found, s, line, token, at, known)
    return found


def longest_line(bytes data not None, size_t start, size_t end, /):
    """Bytes of the longest line in data[start:end]. See sarender.pyi."""
    cdef const char* s = PyBytes_AS_STRING(data)
    cdef size_t longest = 0, n
    cdef const char* mark
    if end > <size_t>PyBytes_GET_SIZE(data) or start > end:
        raise ValueError("no such part of the data")
    while start < end:
        mark = <const char*>memchr(s + start, 10, end - start)
        n = <size_t>(mark - s) + 1 - start if mark != NULL else end - start
        if mark != NULL and n >= 2 and mark[-1] == 13:
            longest = max(longest, n - 1)
        else:
            longest = max(longest, n)
        start += n
    return longest
