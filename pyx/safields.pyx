"""Header fields of one part as SpamAssassin keeps them: found in one pass, objects made only of what is asked for.

Encoded words and bytes outside ASCII are decoded by whoever makes the table (core/rules/spamassassin/fields.py).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

from mxward.pyx.saheader cimport of_mailboxes

cdef extern from "sa_fields.h" nogil:
    ctypedef struct sf_field:
        uint32_t name, name_n, value, value_n, hash, next

    uint32_t sf_hash(const uint8_t* s, size_t n)
    bint sf_same(const uint8_t* s, const uint8_t* lower, size_t n)
    bint sf_next(const uint8_t* s, size_t n, size_t* at, sf_field* f)
    size_t sf_line_feeds(const uint8_t* s, size_t n, uint8_t* out)
    size_t sf_unfold(const uint8_t* s, size_t n, bint is_twice, uint8_t* out, size_t* start, bint* odd)

cdef enum:
    _MAX_NAME = 256  # bytes kept of a name
    _MAX_VALUE = 8192  # bytes kept of a value
    _MAX_ALL = 65536  # bytes of all fields together
    _N_SLOTS = 64
    _RAW = 1
    _MAIL = 2
    _NAME = 4
    _CLEAN = 8
    _ALL = 16
    _OTHER = 32
MAX_NAME, MAX_VALUE, MAX_ALL = _MAX_NAME, _MAX_VALUE, _MAX_ALL
DECODED, RAW, MAIL, NAME, CLEAN, ALL, OTHER = 0, _RAW, _MAIL, _NAME, _CLEAN, _ALL, _OTHER


cdef uint8_t[_MAX_VALUE] _room  # what is made of a value, used under the GIL only and never across a call into Python


cdef struct PlanEntry:
    uint32_t first  # number of its first name
    uint32_t n
    int kind


cdef class FieldPlan:
    """What is looked up in many messages. See safields.pyi."""

    cdef list _names  # of all entries, one after the other
    cdef uint32_t* _hashes
    cdef PlanEntry* _entries
    cdef Py_ssize_t _n

    def __init__(self, entries, /):
        cdef Py_ssize_t i
        cdef bytes name
        if self._entries != NULL:
            raise ValueError("a plan is made once")
        self._names = [bytes(name) for names, _ in entries for name in names]
        self._hashes = <uint32_t*>malloc((<size_t>len(self._names) + 1) * sizeof(uint32_t))
        self._entries = <PlanEntry*>malloc((<size_t>len(entries) + 1) * sizeof(PlanEntry))
        if self._hashes == NULL or self._entries == NULL:
            raise MemoryError
        for i in range(len(self._names)):
            name = self._names[i]
            self._hashes[i] = sf_hash(<const uint8_t*>PyBytes_AS_STRING(name), <size_t>PyBytes_GET_SIZE(name))
        i = 0
        for names, kind in entries:
            self._entries[self._n] = PlanEntry(<uint32_t>i, <uint32_t>len(names), kind)
            i += len(names)
            self._n += 1

    def __dealloc__(self):
        free(self._hashes)
        free(self._entries)


cdef class FieldTable:
    """The fields of one part. See safields.pyi."""

    cdef readonly bint is_truncated
    cdef object _decode
    cdef dict _odd  # what it has given, by the number of the field
    cdef bytes _section  # of a message's own header, its text is this object's
    cdef uint8_t* _made  # of any other part's, its text is here
    cdef const uint8_t* _s
    cdef sf_field* _fields
    cdef uint32_t _n, _n_lines
    cdef bytes _text  # all fields as lines, once made
    cdef uint32_t* _starts  # where each of its lines begins, and the end of the last
    cdef uint32_t[_N_SLOTS] _first, _last  # number + 1 of the first and last field of a slot

    def __init__(self, written, decode, /):
        if self._fields != NULL:
            raise ValueError("a table is made once")
        self._decode = decode
        if isinstance(written, bytes):
            self._read(<bytes>written)
        else:
            self._copy(list(written))

    def __dealloc__(self):
        free(self._made)
        free(self._fields)
        free(self._starts)

    cdef int _read(self, bytes section) except -1:
        """Find the fields of a header section."""
        cdef size_t n = <size_t>PyBytes_GET_SIZE(section), at = 0, room = 64
        cdef sf_field* more
        if n >= 0xffffffff:
            raise OverflowError("a header section of 4 GiB or more")
        self._section = section
        self._s = <const uint8_t*>PyBytes_AS_STRING(section)
        self._fields = <sf_field*>malloc(room * sizeof(sf_field))
        if self._fields == NULL:
            raise MemoryError
        while sf_next(self._s, n, &at, &self._fields[self._n]):
            self._add()
            if self._n == room:
                room *= 2
                more = <sf_field*>realloc(self._fields, room * sizeof(sf_field))
                if more == NULL:
                    raise MemoryError
                self._fields = more
        return 0

    cdef int _copy(self, list pairs) except -1:
        """Take over fields that somebody else has found."""
        cdef size_t total = 0, at = 0, n
        cdef bytes name, value
        cdef sf_field* f
        for name, value in pairs:
            total += <size_t>PyBytes_GET_SIZE(name) + <size_t>PyBytes_GET_SIZE(value)
        if total >= 0xffffffff:
            raise OverflowError("fields of 4 GiB or more")
        self._made = <uint8_t*>malloc(total + 1)
        self._fields = <sf_field*>malloc((<size_t>len(pairs) + 1) * sizeof(sf_field))
        if self._made == NULL or self._fields == NULL:
            raise MemoryError
        self._s = self._made
        for name, value in pairs:
            f = &self._fields[self._n]
            n = <size_t>PyBytes_GET_SIZE(name)
            memcpy(self._made + at, PyBytes_AS_STRING(name), n)
            f.name, f.name_n = <uint32_t>at, <uint32_t>n
            at += n
            n = <size_t>PyBytes_GET_SIZE(value)
            f.value = <uint32_t>at
            if n > _MAX_VALUE or f.name_n > _MAX_NAME:
                self.is_truncated = True
                f.name_n, n = min(f.name_n, <uint32_t>_MAX_NAME), min(n, <size_t>_MAX_VALUE)
            f.value_n = <uint32_t>sf_line_feeds(<const uint8_t*>PyBytes_AS_STRING(value), n, self._made + at)
            at += f.value_n
            self._add()
        return 0

    cdef void _add(self) noexcept nogil:
        """Cut the field behind the last one to size, and find it by its name from now on."""
        cdef sf_field* f = &self._fields[self._n]
        cdef uint32_t slot
        if f.name_n > _MAX_NAME or f.value_n > _MAX_VALUE:
            self.is_truncated = True
            f.name_n, f.value_n = min(f.name_n, <uint32_t>_MAX_NAME), min(f.value_n, <uint32_t>_MAX_VALUE)
        f.hash = sf_hash(self._s + f.name, f.name_n)
        f.next = 0
        slot = f.hash % _N_SLOTS
        self._n += 1
        if self._last[slot]:
            self._fields[self._last[slot] - 1].next = self._n
        else:
            self._first[slot] = self._n
        self._last[slot] = self._n

    cdef uint32_t _find(self, uint32_t number, uint32_t hash, const uint8_t* name, size_t n) noexcept nogil:
        """Number + 1 of the first field of that name from `number` + 1 on in its slot; 0: none."""
        cdef sf_field* f
        while number:
            f = &self._fields[number - 1]
            if f.hash == hash and f.name_n == n and sf_same(self._s + f.name, name, n):
                return number
            number = f.next
        return 0

    cdef uint32_t _first_of(self, bytes name, uint32_t* hash) noexcept:
        hash[0] = sf_hash(<const uint8_t*>PyBytes_AS_STRING(name), <size_t>PyBytes_GET_SIZE(name))
        return self._named(self._first[hash[0] % _N_SLOTS], hash[0], name)

    cdef uint32_t _named(self, uint32_t number, uint32_t hash, bytes name) noexcept:
        return self._find(number, hash, <const uint8_t*>PyBytes_AS_STRING(name), <size_t>PyBytes_GET_SIZE(name))

    cdef bytes _value(self, uint32_t number, bint is_line):
        """The value of field number - 1, decoded; a line end behind it when `is_line`."""
        cdef sf_field* f = &self._fields[number - 1]
        cdef size_t start = 0, n
        cdef bint odd = False
        cdef bytes made
        # at most _MAX_VALUE bytes, _add and _copy see to that
        n = sf_unfold(self._s + f.value, f.value_n, self._made == NULL, _room, &start, &odd)
        if odd:
            if self._odd is None:
                self._odd = {}
            made = self._odd.get(number)
            if made is not None:
                return made + b"\n" if is_line else made
            name = PyBytes_FromStringAndSize(<const char*>self._s + f.name, f.name_n).lower()
            made = self._decode(PyBytes_FromStringAndSize(<const char*>_room + start, <Py_ssize_t>n), name)
            self._odd[number] = made
            return made + b"\n" if is_line else made
        made = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>n + is_line)
        memcpy(PyBytes_AS_STRING(made), _room + start, n)
        if is_line:
            PyBytes_AS_STRING(made)[n] = 10
        return made

    cdef bytes _raw(self, uint32_t number):
        """The value as it stands and a line end."""
        cdef sf_field* f = &self._fields[number - 1]
        cdef size_t n = f.value_n
        cdef const uint8_t* text = self._s + f.value
        cdef bytes made
        if self._made == NULL:  # what had CR CR LF still has CR LF
            n = sf_line_feeds(text, n, _room)
            text = _room
        made = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>n + 1)
        memcpy(PyBytes_AS_STRING(made), text, n)
        PyBytes_AS_STRING(made)[n] = 10
        return made

    cdef object _joined(self, FieldPlan plan, PlanEntry entry):
        """What an entry of a plan asks for: None when there is none, Ellipsis when it has to be asked elsewhere."""
        cdef uint32_t i, number
        cdef bytes name, value = None
        cdef list more = None
        for i in range(entry.first, entry.first + entry.n):
            number = self._first[plan._hashes[i] % _N_SLOTS]
            if not number:
                continue
            name = <bytes>plan._names[i]
            number = self._named(number, plan._hashes[i], name)
            while number:
                if value is not None and more is None:
                    more = [value]
                value = self._raw(number) if entry.kind & _RAW else self._value(number, True)
                if more is not None:
                    more.append(value)
                number = self._named(self._fields[number - 1].next, plan._hashes[i], name)
        if value is None:
            return None
        if entry.kind & (_MAIL | _NAME):
            return of_mailboxes([value] if more is None else more, entry.kind & _NAME, entry.kind & _CLEAN)
        return value if more is None else b"".join(more)

    def __len__(self):
        return self._n

    def __contains__(self, bytes name not None):
        cdef uint32_t hash
        return self._first_of(name, &hash) != 0

    def __iter__(self):
        return iter(dict.fromkeys([name.lower() for name in self.order]))

    @property
    def n_lines(self):
        """See safields.pyi."""
        self.text()
        return self._n_lines

    @property
    def order(self):
        """See safields.pyi."""
        cdef uint32_t i
        return [
            PyBytes_FromStringAndSize(<const char*>self._s + self._fields[i].name, self._fields[i].name_n)
            for i in range(self._n)
        ]

    def raw(self, bytes name not None, /):
        """See safields.pyi."""
        cdef uint32_t hash, number = self._first_of(name, &hash)
        cdef list found = []
        while number:
            found.append(self._raw(number))
            number = self._named(self._fields[number - 1].next, hash, name)
        return found

    def values(self, bytes name not None, /):
        """See safields.pyi."""
        cdef uint32_t hash, number = self._first_of(name, &hash)
        cdef list found = []
        while number:
            found.append(self._value(number, False))
            number = self._named(self._fields[number - 1].next, hash, name)
        return found

    def joined(self, FieldPlan plan not None, /):
        """See safields.pyi."""
        cdef Py_ssize_t i
        cdef list found = [None] * plan._n, open_ = []
        for i in range(plan._n):
            if plan._entries[i].kind & _OTHER:
                open_.append(i)
            elif plan._entries[i].kind & _ALL:
                found[i] = self.text() or None
            else:
                value = self._joined(plan, plan._entries[i])
                if value is ...:
                    open_.append(i)
                elif value is not None:
                    found[i] = value
        return found, open_

    def numbers(self, bytes name not None, /):
        """See safields.pyi."""
        cdef uint32_t hash = 0, number = self._first_of(name, &hash)
        cdef list found = []
        while number:
            found.append(number - 1)
            number = self._named(self._fields[number - 1].next, hash, name)
        return found

    def lines(self):
        """See safields.pyi."""
        cdef uint32_t i
        cdef bytes text = self.text()
        return [text[self._starts[i]:self._starts[i + 1]] for i in range(self._n_lines)]

    def text(self, uint32_t first=0, uint32_t behind=0xffffffff, /):
        """See safields.pyi."""
        if self._text is None:
            self._make_text()
        if first == 0 and behind >= self._n_lines:
            return self._text
        behind = min(behind, self._n_lines)
        return self._text[self._starts[first]:self._starts[behind]] if first < behind else b""

    cdef int _make_text(self) except -1:
        """All fields as lines, until they are too many."""
        cdef uint32_t i
        cdef size_t at = 0, start = 0, n
        cdef bint odd = False
        cdef sf_field* f
        cdef const uint8_t* value
        cdef bytes made
        cdef uint8_t* out = <uint8_t*>malloc(_MAX_ALL)
        if self._starts == NULL:
            self._starts = <uint32_t*>malloc((<size_t>self._n + 1) * sizeof(uint32_t))
        try:
            if out == NULL or self._starts == NULL:
                raise MemoryError
            self._n_lines = self._starts[0] = 0
            for i in range(self._n):
                f = &self._fields[i]
                n = sf_unfold(self._s + f.value, f.value_n, self._made == NULL, _room, &start, &odd)
                value = _room + start
                if odd:
                    made = self._value(i + 1, False)
                    value, n = <const uint8_t*>PyBytes_AS_STRING(made), <size_t>PyBytes_GET_SIZE(made)
                if n + f.name_n + 3 > _MAX_ALL - at:
                    self.is_truncated = True
                    break
                memcpy(out + at, self._s + f.name, f.name_n)
                at += f.name_n
                out[at], out[at + 1] = 58, 32
                memcpy(out + at + 2, value, n)
                out[at + 2 + n] = 10
                at += n + 3
                self._n_lines = i + 1
                self._starts[i + 1] = <uint32_t>at
            self._text = PyBytes_FromStringAndSize(<const char*>out, <Py_ssize_t>at)
        finally:
            free(out)
        return 0
