"""Folding of text for comparison, and reading of look-alike letters (the passes themselves are fold.h).

What a character becomes is asked of unicodedata, 256 characters at a time when the first of them is met, so that it is
always what the running Python says. Runs in which marks join or change places are folded by unicodedata as a whole.
"""

import re
import unicodedata
from functools import lru_cache

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)

cdef extern from "fold.h" nogil:
    enum: FOLD_SLOW, FOLD_PAGES, FOLD_DONE, FOLD_PAGE, FOLD_RUN, FOLD_ROOM
    enum: SKELETON_LOOKALIKE, SKELETON_LATIN, SKELETON_OTHER

    ctypedef struct fold_entry:
        uint8_t size
        uint8_t order
        char[6] text

    ctypedef struct fold_state:
        const uint8_t* data
        size_t size
        size_t at
        uint8_t* out
        size_t n
        size_t room
        int is_space
        int order
        size_t run
        size_t run_n
        int run_space
        fold_entry** pages
        uint32_t page

    ctypedef struct skeleton_words:
        uint32_t latin
        uint32_t lookalike
        uint32_t other
        uint32_t mixed

    int fold_has_blocks()
    int fold_some(fold_state* s, int use_blocks)
    size_t fold_run_end(const fold_state* s)
    void fold_replace_run(fold_state* s, const uint8_t* text, size_t size, size_t end)
    int skeleton_some(fold_state* s, skeleton_words* w)

cdef extern from "lookalike.h":
    ctypedef struct lookalike:
        uint32_t code
        char[4] plain
    lookalike LOOKALIKES[]
    int N_LOOKALIKES

# soft hyphen, combining grapheme joiner, zero-width and bidi controls, variation selectors, BOM, tag characters
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]+"
)
# marks and vowels that join the character before them (second halves of canonical compositions, Hangul jamo)
COMPOSING = re.compile(
    "[\u0300-\u0304\u0306-\u030c\u030f\u0311\u0313\u0314\u031b\u0323-\u0328\u032d\u032e\u0330\u0331\u0338\u0342\u0345"
    "\u05b4\u05b7-\u05b9\u05bc\u05bf\u05c1\u05c2\u0653-\u0655\u093c\u09bc\u09be\u09d7\u0a3c\u0b3c\u0b3e\u0b56\u0b57"
    "\u0bbe\u0bd7\u0c56\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dca\u0dcf\u0ddf\u0f72\u0f74\u0f80\u0fb5\u0fb7\u102e"
    "\u1161-\u1175"
    "\u11a8-\u11c2\u1b35\u3099\u309a\U000110ba\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af"
    "\U00011930\U0001d165\U0001d16e-\U0001d172]"
)
cdef object _STACK = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{64}").search
cdef object _BLANK = re.compile(r"\s+").sub
cdef dict _QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-"})
cdef object _invisible = INVISIBLE.sub
cdef object _composing = COMPOSING.search
cdef dict _LOOKALIKES = {chr(LOOKALIKES[i].code): LOOKALIKES[i].plain.decode("ascii") for i in range(N_LOOKALIKES)}
SHORT = 4  # characters of a run whose result is kept

cdef fold_entry** FOLDED = <fold_entry**>calloc(FOLD_PAGES, sizeof(fold_entry*))
cdef fold_entry** SKELETONS = <fold_entry**>calloc(FOLD_PAGES, sizeof(fold_entry*))
if FOLDED == NULL or SKELETONS == NULL:
    raise MemoryError
cdef int HAS_BLOCKS = fold_has_blocks()
cdef Py_ssize_t NOGIL_BYTES = 65536  # below, giving the GIL up costs more than it gives


cdef str _run(str run):
    """One run folded by unicodedata, white space as single spaces."""
    run = _invisible("", run)
    # a base character with thousands of combining marks costs NFKC quadratic time; joining them is never needed
    if len(run) < 64 or _STACK(run) is None:
        run = unicodedata.normalize("NFKC", run)
    return _BLANK(" ", run.translate(_QUOTES).casefold())


@lru_cache(maxsize=8192)
def _short_run(str run):
    """A language uses few short runs."""
    return _run(run)


cdef int _enter(fold_entry* entry, str text, int order) except -1:
    data = text.encode("utf-8", "surrogatepass")
    entry.order = <uint8_t>order
    if len(data) > 6:
        entry.size = FOLD_SLOW
        return 0
    entry.size = <uint8_t>len(data)
    memcpy(entry.text, PyBytes_AS_STRING(data), len(data))
    return 0


cdef int _folded_entry(fold_entry* entry, str c) except -1:
    """What folding makes of a character whatever stands beside it."""
    if not _invisible("", c):
        return _enter(entry, "", 0)
    plain = unicodedata.normalize("NFKC", c)
    moves = plain != c and any([unicodedata.combining(x) for x in plain])
    if moves or _composing(plain) is not None or _composing(c) is not None:
        entry.size = FOLD_SLOW
        return 0
    return _enter(entry, _BLANK(" ", plain.translate(_QUOTES).casefold()), unicodedata.combining(plain[0]))


cdef int _skeleton_entry(fold_entry* entry, str c) except -1:
    """What a folded character looks like: Latin letters, or itself; marks on Latin letters go."""
    found = _LOOKALIKES.get(c)
    base = unicodedata.normalize("NFD", c)[0]
    if found is not None:
        is_latin = unicodedata.name(c, "").startswith("LATIN")
        return _enter(entry, found, SKELETON_LATIN if is_latin else SKELETON_LOOKALIKE)
    if base != c and (base.isascii() or base in _LOOKALIKES):
        return _enter(entry, _LOOKALIKES.get(base, base), SKELETON_LATIN if base.isascii() else SKELETON_LOOKALIKE)
    if "\u0300" <= c <= "\u036f":
        return _enter(entry, "", 0)
    return _enter(entry, c, SKELETON_OTHER if c.isalpha() else 0)


cdef int _make_page(fold_entry** pages, uint32_t number) except -1:
    """All entries of one page, then the page; others may be reading the table meanwhile."""
    cdef fold_entry* page = <fold_entry*>calloc(256, sizeof(fold_entry))
    cdef int i
    if page == NULL:
        raise MemoryError
    for i in range(256):
        c = chr(number * 256 + i)
        if pages == FOLDED:
            _folded_entry(&page[i], c)
        else:
            _skeleton_entry(&page[i], c)
    if pages[number] != NULL:  # made by another thread while this one let go of the GIL
        free(page)
    else:
        pages[number] = page
    return 0


cdef int _begin(fold_state* s, const uint8_t* data, size_t size, fold_entry** pages) except -1:
    s.data, s.size, s.at, s.n = data, size, 0, 0
    s.room = size + size // 8 + 128
    s.out = <uint8_t*>malloc(s.room)
    if s.out == NULL:
        raise MemoryError
    s.is_space, s.run_space, s.order, s.run, s.run_n, s.pages, s.page = 1, 1, 0, 0, 0, pages, 0
    return 0


cdef int _grow(fold_state* s, size_t more) except -1:
    cdef size_t room = s.n + (s.size - s.at) + more + s.n // 2 + 256
    cdef uint8_t* out
    if room <= s.room:
        return 0
    out = <uint8_t*>realloc(s.out, room)
    if out == NULL:
        raise MemoryError
    s.out, s.room = out, room
    return 0


cdef int _slow_run(fold_state* s) except -1:
    cdef size_t end = fold_run_end(s)
    run = (<const char*>s.data)[s.run:end].decode("utf-8", "surrogatepass" if _is_whole(s, end) else "replace")
    made = (_short_run(run) if len(run) < SHORT else _run(run)).encode("utf-8", "surrogatepass")
    _grow(s, <size_t>len(made))
    fold_replace_run(s, <const uint8_t*>PyBytes_AS_STRING(made), <size_t>len(made), end)
    return 0


cdef bint _is_whole(fold_state* s, size_t end):
    """Is the run valid UTF-8, lone surrogates allowed?"""
    try:
        (<const char*>s.data)[s.run:end].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


cdef int _fold(fold_state* s, int use_blocks) except -1:
    cdef int what = FOLD_ROOM
    while what != FOLD_DONE:
        if s.size > <size_t>NOGIL_BYTES:
            with nogil:
                what = fold_some(s, use_blocks)
        else:
            what = fold_some(s, use_blocks)
        if what == FOLD_PAGE:
            _make_page(FOLDED, s.page)
        elif what == FOLD_RUN:
            _slow_run(s)
        elif what == FOLD_ROOM:
            _grow(s, 0)
    if s.n and s.out[s.n - 1] == b" ":
        s.n -= 1
    return 0


def fold_bytes(bytes text not None, *, bint wide=True) -> bytes:
    """The folded form of UTF-8. See fold.pyi."""
    cdef fold_state s
    _begin(&s, <const uint8_t*>PyBytes_AS_STRING(text), <size_t>PyBytes_GET_SIZE(text), FOLDED)
    try:
        _fold(&s, wide and HAS_BLOCKS)
        return PyBytes_FromStringAndSize(<const char*>s.out, <Py_ssize_t>s.n)
    finally:
        free(s.out)


def fold(str text not None) -> str:
    """The folded form. See fold.pyi."""
    cdef fold_state s
    cdef Py_ssize_t size
    cdef const char* data
    if PyUnicode_IS_COMPACT_ASCII(text):
        data = PyUnicode_AsUTF8AndSize(text, &size)
        _begin(&s, <const uint8_t*>data, <size_t>size, FOLDED)
        try:
            _fold(&s, HAS_BLOCKS)
            return PyUnicode_DecodeASCII(<const char*>s.out, <Py_ssize_t>s.n, NULL)
        finally:
            free(s.out)
    return fold_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def skeleton(bytes folded not None) -> tuple[bytes, int]:
    """Folded text with look-alikes read as Latin letters. See fold.pyi."""
    cdef fold_state s
    cdef skeleton_words words
    cdef int what = FOLD_ROOM
    if folded.isascii():
        return folded, 0
    words.latin = words.lookalike = words.other = words.mixed = 0
    _begin(&s, <const uint8_t*>PyBytes_AS_STRING(folded), <size_t>PyBytes_GET_SIZE(folded), SKELETONS)
    try:
        while what != FOLD_DONE:
            with nogil:
                what = skeleton_some(&s, &words)
            if what == FOLD_PAGE:
                _make_page(SKELETONS, s.page)
            elif what == FOLD_ROOM:
                _grow(&s, 0)
        made = PyBytes_FromStringAndSize(<const char*>s.out, <Py_ssize_t>s.n)
        return (folded if made == folded else made), words.mixed
    finally:
        free(s.out)
