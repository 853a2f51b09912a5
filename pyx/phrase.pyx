"""Whole words and phrases of a list in one pass over a text.

Phrases are grouped by their first word. At each word of the text its hash leads to the group, if there is one; in
the group, sorted by bytes, binary search finds the last phrase that is not greater than the text, and every phrase
that is a prefix of the text is that one or on its chain of prefixes. So the cost does not grow with the list, and a
text of nothing but listed words stays linear. Not here: folding of the text, parts of words (pyx/literals).
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize, Py_UNICODE_ISALNUM
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)

# Class of an ASCII byte: 1 letter or digit, 0 neither; bytes of 0x80 and above begin a longer character.
cdef uint8_t[128] IS_WORD
for _byte in range(128):
    IS_WORD[_byte] = chr(_byte).isalnum()

cdef enum:
    HASH_SEED = 2166136261u
    HASH_PRIME = 16777619u


cdef struct Phrase:
    const uint8_t* data  # into PhraseMatcher._bytes
    uint32_t size
    uint32_t number      # position in the caller's list
    int32_t parent       # longest other phrase of the group that this one begins with, or -1
    bint ends_in_word    # its last character is a letter or digit


cdef struct Group:
    uint32_t hash        # of the first word
    uint32_t first       # range in PhraseMatcher._phrases
    uint32_t end         # 0: the slot is free (a group is never empty)
    uint32_t word_size   # bytes of the first word


cdef inline uint32_t decode_at(const uint8_t* at, size_t* width) noexcept nogil:
    """The character at `at` of valid UTF-8, which does not end within it, and its width in bytes."""
    if at[0] < 0x80:
        width[0] = 1
        return at[0]
    if at[0] < 0xE0:
        width[0] = 2
        return (<uint32_t>(at[0] & 0x1F) << 6) | (at[1] & 0x3F)
    if at[0] < 0xF0:
        width[0] = 3
        return (<uint32_t>(at[0] & 0x0F) << 12) | (<uint32_t>(at[1] & 0x3F) << 6) | (at[2] & 0x3F)
    width[0] = 4
    return ((<uint32_t>(at[0] & 0x07) << 18) | (<uint32_t>(at[1] & 0x3F) << 12)
            | (<uint32_t>(at[2] & 0x3F) << 6) | (at[3] & 0x3F))


cdef inline bint is_word_at(const uint8_t* at, size_t* width) noexcept:
    """Is the character at `at` a letter or digit?"""
    if at[0] < 0x80:
        width[0] = 1
        return IS_WORD[at[0]]
    return Py_UNICODE_ISALNUM(<Py_UCS4>decode_at(at, width))


cdef inline size_t word_end(const uint8_t* data, size_t at, size_t size, uint32_t* hash_out) noexcept:
    """Where the word that begins at `at` ends, and its hash (FNV-1a)."""
    cdef uint32_t value = HASH_SEED
    cdef size_t width = 1, i
    while at < size and is_word_at(data + at, &width):
        for i in range(width):  # at + width <= size: the text is whole characters
            value = (value ^ data[at + i]) * HASH_PRIME
        at += width
    hash_out[0] = value
    return at


cdef inline int compare(const Phrase* phrase, const uint8_t* text, size_t room) noexcept nogil:
    """Below, at or above 0 as the phrase sorts before the text, is a prefix of it, or sorts after it."""
    cdef size_t size = phrase.size if phrase.size < room else room
    cdef int order = memcmp(phrase.data, text, size)
    if order == 0 and phrase.size > room:
        return 1
    return order


cdef class PhraseMatcher:
    """See phrase.pyi. Everything is made in __init__ and never changed."""

    cdef Phrase* _phrases
    cdef Group* _groups      # open addressing, `_mask` + 1 slots, at most half of them taken
    cdef uint32_t _mask
    cdef size_t _n
    cdef uint8_t* _bytes

    def __cinit__(self):
        self._phrases = NULL
        self._groups = NULL
        self._bytes = NULL
        self._n = 0

    def __init__(self, phrases):
        cdef size_t total = 0, at = 0, n_slots = 4, i
        cdef uint32_t hash_value
        if self._phrases != NULL:
            raise ValueError("a matcher is made once")
        rows = []
        for number, phrase in enumerate(phrases):
            if not phrase or not phrase[0].isalnum():
                raise ValueError(f"phrase {phrase!r} does not begin with a letter or digit")
            data = phrase.encode("utf-8", "replace")
            size = word_end(data, 0, len(data), &hash_value)
            rows.append((data[:size], data[size:], number, phrase[len(phrase) - 1].isalnum()))
            total += len(data)
        rows.sort()
        while n_slots < 2 * len(rows):
            n_slots *= 2
        self._mask = <uint32_t>(n_slots - 1)
        self._phrases = <Phrase*>malloc((len(rows) + 1) * sizeof(Phrase))
        self._groups = <Group*>calloc(n_slots, sizeof(Group))
        self._bytes = <uint8_t*>malloc(total + 1)
        if self._phrases == NULL or self._groups == NULL or self._bytes == NULL:
            raise MemoryError()
        for i, (word, rest, number, ends_in_word) in enumerate(rows):
            data = word + rest
            memcpy(self._bytes + at, <const uint8_t*>data, len(data))
            self._phrases[i] = Phrase(self._bytes + at, <uint32_t>len(data), number, -1, ends_in_word)
            at += len(data)
            self._join(i, len(word))
        self._n = len(rows)

    def __dealloc__(self):
        free(self._phrases)
        free(self._groups)
        free(self._bytes)

    cdef void _join(self, size_t i, size_t word_size) noexcept:
        """Put phrase i into the group of its first word (the last one made, or a new one); find its parent."""
        cdef uint32_t hash_value, slot
        cdef Phrase* mine = &self._phrases[i]
        cdef Group* group
        cdef int32_t before
        word_end(mine.data, 0, word_size, &hash_value)
        slot = self._slot(hash_value, mine.data, word_size)
        group = &self._groups[slot]
        if group.end == 0:
            group.hash, group.first, group.word_size = hash_value, <uint32_t>i, <uint32_t>word_size
        else:
            before = <int32_t>i - 1
            while before >= 0 and compare(&self._phrases[before], mine.data, mine.size) != 0:
                before = self._phrases[before].parent
            mine.parent = before
        group.end = <uint32_t>i + 1

    cdef inline uint32_t _slot(self, uint32_t hash_value, const uint8_t* word, size_t size) noexcept nogil:
        """The slot of a first word: its group's, or the free one where it would be. Half the slots are free."""
        cdef uint32_t slot = hash_value & self._mask
        cdef Group* group = &self._groups[slot]
        while group.end != 0 and not (
            group.hash == hash_value and group.word_size == size
            and memcmp(self._phrases[group.first].data, word, size) == 0
        ):
            slot = (slot + 1) & self._mask
            group = &self._groups[slot]
        return slot

    cdef int32_t _longest(self, const Group* group, const uint8_t* text, size_t room) noexcept nogil:
        """The last phrase of the group that does not sort after the text, or -1."""
        cdef uint32_t low = group.first, high = group.end, middle
        while low < high:
            middle = low + (high - low) // 2
            if compare(&self._phrases[middle], text, room) <= 0:
                low = middle + 1
            else:
                high = middle
        return <int32_t>low - 1 if low > group.first else -1

    def find(self, text not None, size_t limit=8):
        """Occurrences as whole words. See phrase.pyi."""
        cdef const uint8_t* data
        cdef Py_ssize_t length
        cdef bytes held
        cdef list out = []
        cdef uint8_t* counts
        if self._n == 0:
            return out
        if isinstance(text, bytes):
            # characters are read as whole ones: what is cut short at the end must not lead beyond it
            held = text if text.isascii() else text + b"\0\0\0"
            data, length = held, len(text)
        elif PyUnicode_IS_COMPACT_ASCII(text):
            data = <const uint8_t*>PyUnicode_AsUTF8AndSize(text, &length)
        else:
            held = text.encode("utf-8", "replace")
            data, length = held, len(held)
        counts = <uint8_t*>calloc(self._n, 1)
        if counts == NULL:
            raise MemoryError()
        try:
            self._scan(data, <size_t>length, counts, min(limit, 255), out)
        finally:
            free(counts)
        return out

    cdef int _scan(self, const uint8_t* data, size_t size, uint8_t* counts, size_t limit, list out) except -1:
        cdef size_t at = 0, end, width = 1
        cdef uint32_t hash_value
        cdef Group* group
        cdef int32_t found
        while at < size:
            if not is_word_at(data + at, &width):
                at += width
                continue
            end = word_end(data, at, size, &hash_value)
            group = &self._groups[self._slot(hash_value, data + at, end - at)]
            if group.end != 0:
                found = self._longest(group, data + at, size - at)
                while found >= 0:
                    self._take(found, data, at, size, counts, limit, out)
                    found = self._phrases[found].parent
            at = end
        return 0

    cdef int _take(
        self, int32_t found, const uint8_t* data, size_t at, size_t size, uint8_t* counts, size_t limit, list out
    ) except -1:
        """Note the phrase at `at` when it stands there whole and is not yet noted `limit` times."""
        cdef const Phrase* phrase = &self._phrases[found]
        cdef size_t end = at + phrase.size, width
        if counts[found] >= limit or compare(phrase, data + at, size - at) != 0:
            return 0
        if phrase.ends_in_word and end < size and is_word_at(data + end, &width):
            return 0
        counts[found] += 1
        out.append((at, end, phrase.number))
        return 0
