"""Which of many regular expressions may match a text, by automata that read each byte once.

An expression is given by places (bytes that must stand one after the other) as core/rules/regex/places.py makes them.
The automata are bounded: where a set of expressions would need too many states, they are divided, and what is left
says "may match". Not here: matching itself (bindings/pcre2).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

MAX_PLACES = 8000   # of one expression
MAX_MEMBERS = 64    # expressions of one automaton
MAX_STATES = 2048   # of one automaton: rows of 2 bytes a class; 16,000 at most
MAX_LEAK = 0.02     # lines of the sample that may end in the sink before a group is divided
Automaton = tuple   # told more exactly in sieve.pyi
_SHARE = 16          # expressions that are tried together
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

    def __init__(self, automata, list numbers, _Classes classes, bytes sample):
        cdef uint32_t number, max_states = MAX_STATES
        cdef int made
        cdef const uint8_t* text = <const uint8_t*>PyBytes_AS_STRING(sample)
        cdef size_t n = <size_t>PyBytes_GET_SIZE(sample)
        members = [automata[number] for number in numbers]
        places = sum(len(sets) for sets, _, _, _ in members)
        self.numbers, self.classes = numbers, classes
        self.net.n_places, self.net.words, self.net.n_members = places, (places + 63) // 64, len(members)
        self.net.n_classes, self.net.classes = len(classes.masks), classes.of_byte
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
            made = sieve_make(&self.net, &self.maker, max_states, text, n)
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


def _is_fault(member):
    """Is it no expression as sieve.pyi tells?"""
    sets, follow, first, accept = member
    bound = _ONE << len(sets)
    return (
        not 0 < len(sets) <= MAX_PLACES or len(follow) != len(sets)
        or any(not 0 <= bits < bound for bits in (first, accept, *follow))
        or any(not 0 <= bits <= _ALL_BYTES for bits in sets)
    )


def compile(automata, bytes sample not None):
    """The compiled form. See sieve.pyi."""
    automata = list(automata)
    if any(_is_fault(member) for member in automata):
        raise ValueError(f"an expression has 1 to {MAX_PLACES} places, and bits for no others")
    classes = _Classes(automata)
    groups = []
    waiting = [list(range(at, min(at + _SHARE, len(automata)))) for at in range(0, len(automata), _SHARE)]
    while waiting:
        numbers = waiting.pop()
        net = _Net(automata, numbers, classes, sample)
        if net.leak > MAX_LEAK and len(numbers) > 1:
            middle = len(numbers) // 2
            waiting += [numbers[middle:], numbers[:middle]]
        elif net.leak > MAX_LEAK and (shorter := _shortened(automata[numbers[0]])) is not None:
            automata[numbers[0]] = shorter
            waiting.append(numbers)
        else:
            groups.append(net)
    return _block(groups, classes, len(automata))


cdef bytes _block(list groups, _Classes classes, uint32_t n):
    cdef SieveHead* head
    cdef SieveGroup* group
    cdef uint64_t* masks
    cdef uint16_t* entries
    cdef _Net net
    cdef uint32_t row = 0, shift = max(1, (len(classes.masks) - 1).bit_length()), i
    cdef size_t n_rows = sum(net.n_rows for net in groups), size = sieve_size(len(groups), n_rows, shift)
    cdef bytes block
    if n_rows > SIEVE_MAX_ROWS:
        raise ValueError("too many expressions")
    block = PyBytes_FromStringAndSize(NULL, size)
    head = <SieveHead*>PyBytes_AS_STRING(block)
    memset(head, 0, size)
    head.magic, head.size, head.n_groups, head.n = SIEVE_MAGIC, size, len(groups), n
    head.n_rows, head.shift = n_rows, shift
    memcpy(head.classes, classes.of_byte, 256)
    group = <SieveGroup*>(head + 1)
    masks = <uint64_t*>(group + len(groups))
    entries = <uint16_t*>(masks + n_rows)
    for net in groups:
        group.first, group.n_rows = row, net.n_rows
        for i in range(64):
            group.member[i] = net.numbers[i if i < <uint32_t>len(net.numbers) else 0]
        sieve_write(&net.net, &net.maker, shift, masks + row, entries + (<size_t>row << shift))
        row += net.n_rows
        group += 1
    head.checksum = sieve_sum(<const uint8_t*>head + 16, size - 16)
    return block


def _layers(automaton):
    """Sets of places by their distance from the beginning."""
    sets, follow, first, _ = automaton
    layers, known, layer = [], 0, first
    while layer:
        layers.append(layer)
        known |= layer
        ahead = 0
        for place in range(len(sets)):
            if layer >> place & 1:
                ahead |= follow[place]
        layer = ahead & ~known
    return layers


def _shortened(automaton):
    """The expression up to three quarters of its length, which matches more; None when it cannot be shorter."""
    sets, follow, first, accept = automaton
    layers = _layers(automaton)
    kept = len(layers) * 3 // 4
    if kept < 1:
        return None
    last, inside = layers[kept - 1], 0
    for layer in layers[:kept]:
        inside |= layer
    follow = [0 if last >> place & 1 else after & inside for place, after in enumerate(follow)]
    return sets, follow, first, accept | last


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
        return self.head.n_groups, self.head.n_rows, 1 << self.head.shift

    def seen(self, data):
        """Numbers of the expressions that may match. See sieve.pyi."""
        cdef Py_buffer view
        cdef uint8_t* flags = <uint8_t*>calloc(self.head.n + 1, 1)
        cdef uint32_t i
        if flags == NULL:
            raise MemoryError()
        try:
            PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
            with nogil:
                self.scan(<const uint8_t*>view.buf, <size_t>view.len, _flag, flags)
            PyBuffer_Release(&view)
            return [i for i in range(self.head.n) if flags[i]]
        finally:
            free(flags)

    cdef void scan(self, const uint8_t* text, size_t n, SieveCall call, void* context) noexcept nogil:
        """Tell `call` of each expression that may match."""
        cdef const SieveGroup* group = sieve_groups(self.head)
        cdef uint32_t left = self.head.n_groups, lanes, lane
        cdef uint64_t[LANES] seen
        while left:
            lanes = left if left < LANES else LANES
            sieve_scan(self.head, group, lanes, text, n, seen)
            for lane in range(lanes):
                while seen[lane]:
                    call(context, group[lane].member[sieve_lowest(seen[lane])])
                    seen[lane] &= seen[lane] - 1
            group += lanes
            left -= lanes


cdef void _flag(void* context, uint32_t number) noexcept nogil:
    (<uint8_t*>context)[number] = 1
