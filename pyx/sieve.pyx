"""Which of many regular expressions may match a text, by automata that read each byte once.

An expression is given by places (bytes that must stand one after the other) as core/rules/regex/places.py makes them.
Each has an automaton of its own. Expressions that are looked for in every text of a kind share joint automata too,
which tell only the beginning of a match and are read first. All automata are bounded: where one would need too many
states, what is left says "may match". Not here: matching itself (bindings/pcre2).
"""

from random import Random

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

MAX_PLACES = 16_000  # of one expression
MAX_MEMBERS = 64     # expressions of one joint automaton
MAX_STATES = 16_000  # of an automaton: rows of 2 bytes a class
MAX_LEAK = 0.01      # lines of the sample that may end in the sink before less of the expression is told
Automaton = tuple    # told more exactly in sieve.pyi
_JOINT_STATES = 2048     # of a joint automaton
_STREWN = 600            # beginnings of matches that are strewn into the sample
_LONGEST = 60            # bytes of one
_DEPTHS = (5, 4, 3)      # bytes of a match that a joint automaton tells, the most that it has room for
_ONE = 1             # a Python integer, of any size
_ALL_BYTES = (_ONE << 256) - _ONE
# The order of bytes, so that the classes that text uses most stand together in a row.
_OFTEN = b" etaoinshrdlucmfwygpbvkxqjz.,-0123456789ETAOINSHRDLUCMFWYGPBVKXQJZ:/'\"()@_=<>"

cdef enum:
    LANES = 8  # SIEVE_LANES


cdef class _Classes:
    """Bytes that no expression tells apart are one class; bytes beyond ASCII are told apart by fours."""

    cdef uint8_t[256] of_byte
    cdef readonly list masks    # of each class: its bytes
    cdef dict known

    def __init__(self, automata):
        classes = [_ALL_BYTES]
        for bits in {_coarse(bits) for sets, _, _, _ in automata for bits in sets}:
            classes = [part for whole in classes for part in (whole & bits, whole & ~bits) if part]
        order = {byte: at for at, byte in enumerate(_OFTEN)}
        classes.sort(key=lambda mask: min(order.get(byte, 300 + byte) for byte in range(256) if mask >> byte & 1))
        self.masks, self.known = classes, {}
        for number, mask in enumerate(classes):
            for byte in range(256):
                if mask >> byte & 1:
                    self.of_byte[byte] = number

    cdef list fitting(self, bits):
        """Classes whose bytes are in the set."""
        found = self.known.get(bits)
        if found is None:
            wide = _coarse(bits)
            found = self.known[bits] = [number for number, mask in enumerate(self.masks) if mask & wide]
        return found


def _coarse(bits):
    """The set with all four of each four bytes beyond ASCII of which it holds one."""
    high = bits >> 128
    high = (high | high >> 1 | high >> 2 | high >> 3) & _FOURS
    return (bits & _LOW_BYTES) | (high * 15) << 128


_FOURS = int("1" * 32, 16)
_LOW_BYTES = (_ONE << 128) - _ONE


cdef class _Net:
    """The places of a group of expressions, and the states that they lead to."""

    cdef SieveNet net
    cdef SieveMaker maker
    cdef _Classes classes
    cdef readonly list numbers

    def __cinit__(self):
        memset(&self.net, 0, sizeof(self.net))
        memset(&self.maker, 0, sizeof(self.maker))

    def __init__(self, list members, list numbers, bytes sample, size_t learnt, uint32_t max_states):
        """Args: members: expressions; numbers: what they are called; learnt: bytes of the sample that states are made
        for; how often there is none is measured by the rest."""
        cdef uint32_t number
        cdef int made
        cdef const uint8_t* text = <const uint8_t*>PyBytes_AS_STRING(sample)
        cdef size_t n = <size_t>PyBytes_GET_SIZE(sample)
        places = sum(len(sets) for sets, _, _, _ in members)
        self.numbers, self.classes = numbers, _Classes(members)
        self.net.n_places, self.net.words, self.net.n_members = places, (places + 63) // 64, len(members)
        self.net.n_classes, self.net.classes = len(self.classes.masks), self.classes.of_byte
        self.net.columns = <uint64_t*>calloc(<size_t>self.net.n_classes * self.net.words, 8)
        self.net.follow = <uint64_t*>calloc(<size_t>places * self.net.words, 8)
        self.net.first = <uint64_t*>calloc(self.net.words, 8)
        self.net.accept = <uint64_t*>calloc(<size_t>len(members) * self.net.words, 8)
        if NULL in (self.net.columns, self.net.follow, self.net.first, self.net.accept):
            raise MemoryError()
        base = 0
        for number, member in enumerate(members):
            self._add(number, base, member)
            base += len(member[0])
        with nogil:
            made = sieve_make(&self.net, &self.maker, max_states, text, n, learnt)
        if made < 0:
            raise MemoryError()

    cdef int _add(self, uint32_t number, size_t base, member) except -1:
        cdef size_t place, words = self.net.words
        sets, follow, first, accept = member
        for place, (bits, after) in enumerate(zip(sets, follow, strict=True), base):
            for kind in self.classes.fitting(bits):
                self.net.columns[<size_t>kind * words + place // 64] |= <uint64_t>1 << (place % 64)
            self._set(self.net.follow + place * words, after << base)
        self._set(self.net.first, first << base)
        self._set(self.net.accept + <size_t>number * words, accept << base)
        return 0

    cdef int _set(self, uint64_t* target, bits) except -1:
        """Add the places whose bits are set."""
        cdef size_t i
        cdef bytes raw = bits.to_bytes(self.net.words * 8, "little")
        cdef const uint8_t* data = <const uint8_t*>PyBytes_AS_STRING(raw)
        cdef uint64_t word
        for i in range(self.net.words):  # raw has 8 bytes a word
            memcpy(&word, data + 8 * i, 8)
            target[i] |= word
        return 0

    def __dealloc__(self):
        free(self.net.columns)
        free(self.net.follow)
        free(self.net.first)
        free(self.net.accept)
        sieve_maker_free(&self.maker)

    @property
    def leak(self):
        return self.maker.leak

    @property
    def n_rows(self):
        return self.maker.n_states + 1  # and the sink

    @property
    def shift(self):
        return max(1, (len(self.classes.masks) - 1).bit_length())

    cdef void write(self, SieveGroup* group, uint64_t* masks, uint16_t* entries):
        """Its head, masks and rows; the head tells where these are."""
        cdef uint32_t i
        group.n_rows, group.shift = self.n_rows, self.shift
        memcpy(group.classes, self.classes.of_byte, 256)
        for i in range(64):
            group.member[i] = self.numbers[i if i < <uint32_t>len(self.numbers) else 0]
        sieve_write(&self.net, &self.maker, group.shift, masks + group.row, entries + group.entry)


def _is_fault(member):
    """Is it no expression as sieve.pyi tells?"""
    sets, follow, first, accept = member
    bound = _ONE << len(sets)
    return (
        not 0 < len(sets) <= MAX_PLACES or len(follow) != len(sets)
        or any(not 0 <= bits < bound for bits in (first, accept, *follow))
        or any(not 0 <= bits <= _ALL_BYTES for bits in sets)
    )


def compile(automata, bytes sample not None, first=()):
    """The compiled form. See sieve.pyi."""
    cdef list automata_ = list(automata), joint = [], own, kinds = [0]
    if any(_is_fault(member) for member in automata_):
        raise ValueError(f"an expression has 1 to {MAX_PLACES} places, and bits for no others")
    for numbers in first:
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(automata_):
            raise ValueError("a kind of text names an expression that is not there")
        for at in range(0, len(numbers), MAX_MEMBERS):
            joint += _joint(automata_, list(numbers[at:at + MAX_MEMBERS]), sample)
        kinds.append(len(joint))
    own = [_own(member, number, sample) for number, member in enumerate(automata_)]
    return _block(joint + own, kinds, len(own))


cdef list _joint(list automata, list numbers, bytes sample):
    """Automata that tell the beginnings of some expressions, as few as will do."""
    for depth in _DEPTHS:
        members = [cut(automata[number], depth) for number in numbers]
        net = _Net(members, numbers, sample, len(sample) // 5 * 4, _JOINT_STATES)
        if net.leak <= MAX_LEAK or len(numbers) == 1:
            return [net]
    middle = len(numbers) // 2
    return _joint(automata, numbers[:middle], sample) + _joint(automata, numbers[middle:], sample)


cdef _Net _own(member, uint32_t number, bytes sample):
    """The automaton of one expression, as much of it as there is room for."""
    strewn = _strewn(sample, member)
    while True:
        net = _Net([member], [number], strewn + sample, len(strewn) + len(sample) // 5 * 4, MAX_STATES)
        shorter = cut(member, len(_layers(member)) * 3 // 4) if net.leak > MAX_LEAK else None
        if shorter is None:
            return net
        member = shorter


cdef bytes _block(list nets, list kinds, uint32_t n):
    cdef SieveHead* head
    cdef SieveGroup* group
    cdef _Net net
    cdef uint64_t entry = 0, n_entries = sum(net.n_rows << net.shift for net in nets)
    cdef uint32_t row = 0, i
    cdef size_t n_rows = sum(net.n_rows for net in nets)
    cdef size_t size = sieve_size(len(nets), n_rows, len(kinds) - 1, n_entries)
    cdef bytes block
    if n_rows > SIEVE_MAX_ROWS:
        raise ValueError("too many expressions")
    block = PyBytes_FromStringAndSize(NULL, size)
    head = <SieveHead*>PyBytes_AS_STRING(block)
    memset(head, 0, size)
    head.magic, head.size, head.n_joint, head.n = SIEVE_MAGIC, size, len(nets) - n, n
    head.n_kinds, head.n_rows, head.n_entries = len(kinds) - 1, n_rows, n_entries
    for i in range(<uint32_t>len(kinds)):
        (<uint32_t*>sieve_kinds(head))[i] = kinds[i]
    group = <SieveGroup*>sieve_groups(head)
    for net in nets:
        group.row, group.entry = row, entry
        net.write(group, <uint64_t*>sieve_masks(head), <uint16_t*>sieve_entries(head))
        row += group.n_rows
        entry += <uint64_t>group.n_rows << group.shift
        group += 1
    head.checksum = sieve_sum(<const uint8_t*>head + 16, size - 16)
    return block


def _layers(automaton):
    """Sets of places by their distance from the beginning."""
    _, follow, first, _ = automaton
    layers, known, layer = [], 0, first
    while layer:
        layers.append(layer)
        known |= layer
        ahead = 0
        for place in bits_of(layer):
            ahead |= follow[place]
        layer = ahead & ~known
    return layers


def cut(automaton, kept):
    """The first bytes of an expression. See sieve.pyi."""
    sets, follow, first, accept = automaton
    layers = _layers(automaton)
    if kept >= len(layers):
        return automaton
    if kept < 1:
        return None
    last, inside = layers[kept - 1], 0
    for layer in layers[:kept]:
        inside |= layer
    places = [place for place in range(len(sets)) if inside >> place & 1]
    at = {place: new for new, place in enumerate(places)}

    def moved(bits):
        return sum(_ONE << at[place] for place in bits_of(bits & inside))

    return (
        [sets[place] for place in places],
        [0 if last >> place & 1 else moved(follow[place]) for place in places],
        moved(first), moved(accept | last),
    )


def _strewn(bytes sample, automaton):
    """The sample with beginnings of matches strewn in, which text that is about the same has more often."""
    sets, follow, first, _ = automaton
    dice = Random(len(sets))
    members = [[byte for byte in _OFTEN if bits >> byte & 1] or [bits_of(bits)[0]] for bits in sets]
    ways = {}
    words = sample.split(b" ")
    for at in range(0, len(words), len(words) // _STREWN + 1):
        place, found = -1, bytearray()
        for _ in range(1 + dice.randrange(_LONGEST)):
            if place not in ways:
                ways[place] = bits_of(first if place < 0 else follow[place])
            if not ways[place]:
                break
            place = dice.choice(ways[place])
            found.append(members[place][int(len(members[place]) * dice.random() ** 3)])
        words[at] = bytes(found).replace(b"\n", b" ")
    return b" ".join(words)


def bits_of(bits):
    """Numbers of the bits that are set. See sieve.pyi."""
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


cdef class Sieve:
    """See sieve.pyi."""

    def __cinit__(self):
        self._copy = NULL
        self.head = NULL
        memset(&self._view, 0, sizeof(self._view))

    def __init__(self, blob):
        if self.head != NULL:
            raise ValueError("a sieve is made once")
        PyObject_GetBuffer(blob, &self._view, PyBUF_SIMPLE)
        self.head = <const SieveHead*>self._view.buf
        if <uintptr_t>self._view.buf % 8:
            self._copy = malloc(<size_t>self._view.len)
            if self._copy == NULL:
                raise MemoryError()
            memcpy(self._copy, self._view.buf, <size_t>self._view.len)
            self.head = <const SieveHead*>self._copy
        if not sieve_is_valid(<const uint8_t*>self.head, <size_t>self._view.len):
            raise ValueError("the block is damaged or of another version")

    def __dealloc__(self):
        PyBuffer_Release(&self._view)  # no more than nothing when it was not taken
        free(self._copy)

    @property
    def n(self):
        return self.head.n

    @property
    def shape(self):
        return self.head.n_joint, self.head.n_rows, self.head.size

    def seen(self, data, kind=None):
        """Numbers of the expressions that may match. See sieve.pyi."""
        cdef Py_buffer view
        cdef uint8_t* flags
        cdef uint32_t i, at = 0
        if kind is not None:
            at = kind
            if at >= self.head.n_kinds:
                raise ValueError("there is no such kind of text")
        flags = <uint8_t*>calloc(self.head.n + 1, 1)
        if flags == NULL:
            raise MemoryError()
        try:
            PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
            with nogil:
                if kind is not None:
                    self.first(at, <const uint8_t*>view.buf, <size_t>view.len, _flag, flags)
                else:
                    for i in range(self.head.n):
                        flags[i] = self.own(&i, 1, <const uint8_t*>view.buf, <size_t>view.len) != 0
            PyBuffer_Release(&view)
            return [i for i in range(self.head.n) if flags[i]]
        finally:
            free(flags)

    cdef void first(self, uint32_t kind, const uint8_t* text, size_t n, SieveCall call, void* context) noexcept nogil:
        """Tell `call` of each expression looked for in texts of a kind, below n_kinds, that may begin in this one."""
        cdef uint32_t at = sieve_kinds(self.head)[kind], end = sieve_kinds(self.head)[kind + 1], lanes, lane
        cdef uint32_t[LANES] groups
        cdef uint64_t[LANES] seen
        while at < end:
            lanes = end - at if end - at < LANES else LANES
            for lane in range(lanes):
                groups[lane] = at + lane
            sieve_scan(self.head, groups, lanes, text, n, seen)
            for lane in range(lanes):
                while seen[lane]:
                    call(context, sieve_groups(self.head)[groups[lane]].member[sieve_lowest(seen[lane])])
                    seen[lane] &= seen[lane] - 1
            at += lanes

    cdef uint32_t own(self, const uint32_t* numbers, uint32_t n_numbers, const uint8_t* text,
                      size_t n) noexcept nogil:
        """Which of up to eight expressions, each below n, may match: a bit for each."""
        cdef uint32_t[LANES] groups
        cdef uint64_t[LANES] seen
        cdef uint32_t lane, passed = 0
        for lane in range(n_numbers):
            groups[lane] = self.head.n_joint + numbers[lane]
        sieve_scan(self.head, groups, n_numbers, text, n, seen)
        for lane in range(n_numbers):
            passed |= <uint32_t>(seen[lane] != 0) << lane
        return passed


cdef void _flag(void* context, uint32_t number) noexcept nogil:
    (<uint8_t*>context)[number] = 1
