"""Which of many needs hold, given the literals that were found: a filter before costly rules.

A need is a monotone condition over numbered leaves; `compile` brings all needs into one table of threshold gates that
share what they have in common, and candidates.h counts upward from the leaves that were found. So a call costs what
was found, whatever the number of needs. Not here: finding the literals (pyx/literals), deriving needs from rules
(core/rules).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcpy, memset

from array import array
from mmap import mmap

cdef enum:
    MAX_LEAF = 1 << 26  # a table entry of four bytes a leaf
    MAX_EDGES = 1 << 30
NO_LIMIT = 0xFFFFFFFFFFFFFFFF
Need = bool | int | tuple  # told more exactly in candidates.pyi


class _Builder:
    """Gates of all needs; equal ones are made once.

    A reduced need is True, False, a leaf (its number), a gate (below zero: -1 is gate 0), or ("size", low, high).
    """

    def __init__(self):
        self.numbers = {}  # (threshold, children, low, high) -> gate
        self.gates = []    # the keys of `numbers`, in order: the children of a gate stand before it

    def reduce(self, need):
        """The need, reduced; never a bare size. Iterative: a rule may nest as deep as its text is long."""
        stack = [(need, self._children(need), [])]  # need, children yet to do, those reduced
        while True:
            need, left, done = stack[len(stack) - 1]
            if left:
                child = left.pop()
                stack.append((child, self._children(child), []))
                continue
            stack.pop()
            part = self._combine(need, done)
            if not stack:
                return self._closed(part)
            stack[len(stack) - 1][2].append(part)

    def _children(self, need):
        if isinstance(need, int):
            if not isinstance(need, bool) and not 0 <= need < MAX_LEAF:
                raise ValueError(f"leaf {need} is not from 0 to {MAX_LEAF - 1}")
            return []
        if isinstance(need, tuple) and need:
            if need[0] in ("all", "any") and len(need) == 2:
                return list(need[1])
            if need[0] == "of" and len(need) == 3 and isinstance(need[1], int):
                return list(need[2])
            if need[0] == "size" and len(need) == 3 and isinstance(need[1], int) and isinstance(need[2], int):
                return []
        raise ValueError("a need is True, False, a number, or a tuple of all, any, of or size")

    def _combine(self, need, parts):
        if isinstance(need, int):
            return need
        if need[0] == "size":
            return self._sized(max(0, need[1]), min(NO_LIMIT, need[2]))
        if need[0] == "all":
            return self._all(parts)
        return self._of(1 if need[0] == "any" else need[1], parts)

    def _sized(self, low, high):
        if low > high:
            return False
        return True if (low, high) == (0, NO_LIMIT) else ("size", low, high)

    def _all(self, parts):
        low, high, children = 0, NO_LIMIT, set()
        for part in parts:
            if part is False:
                return False
            if part is True:
                continue
            if isinstance(part, tuple):
                key = (0, (), part[1], part[2])
            else:
                key = self.gates[-1 - part] if part < 0 else None
            if key is not None and key[0] == len(key[1]):  # all of them, too: one gate does
                children.update(key[1])
                low, high = max(low, key[2]), min(high, key[3])
            else:
                children.add(part)
        if low > high or not children:
            return self._sized(low, high)
        if len(children) == 1 and (low, high) == (0, NO_LIMIT):
            return children.pop()
        return self._gate(len(children), children, low, high)

    def _of(self, k, parts):
        k -= sum(part is True for part in parts)
        rest = [self._closed(part) for part in parts if not isinstance(part, bool)]
        if k <= 0 or k > len(rest):
            return k <= 0
        if k == 1:
            flat = set()
            for part in rest:
                key = self.gates[-1 - part] if part < 0 else (0,)
                flat.update(key[1] if key[0] == 1 and key[2:] == (0, NO_LIMIT) else (part,))
            rest = list(flat)
            if len(rest) == 1:
                return rest[0]
        elif k == len(rest):
            return self._all(rest)
        return self._gate(k, rest, 0, NO_LIMIT)

    def _closed(self, part):
        """A bare size as the gate that it is."""
        return self._gate(0, (), part[1], part[2]) if isinstance(part, tuple) else part

    def _gate(self, threshold, children, low, high):
        key = (threshold, tuple(sorted(children)), low, high)
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = -1 - len(self.gates)
            self.gates.append(key)
        return found

    def used(self, roots):
        """Gates that needs lead to, ascending; those that were taken into others are left out."""
        wanted = {-1 - root for root in roots if not isinstance(root, bool) and root < 0}
        for gate in range(len(self.gates) - 1, -1, -1):
            if gate in wanted:
                wanted.update(-1 - child for child in self.gates[gate][1] if child < 0)
        return sorted(wanted)


def _tables(needs):
    """(n_leaves, gates as (threshold, bounds), bounds, first, edges, always, starters) of the block."""
    builder = _Builder()
    roots = [builder.reduce(need) for need in needs]
    used = builder.used(roots)
    position = {gate: at for at, gate in enumerate(used)}
    leaves = [child for gate in used for child in builder.gates[gate][1] if child >= 0]
    leaves += [root for root in roots if not isinstance(root, bool) and root >= 0]
    n_leaves = max(leaves, default=-1) + 1
    n_nodes = n_leaves + len(used)
    bounds, gates, edges = {(0, NO_LIMIT): 0}, [], []
    for at, gate in enumerate(used):
        threshold, children, low, high = builder.gates[gate]
        gates.append((threshold, bounds.setdefault((low, high), len(bounds))))
        edges += [(c if c >= 0 else n_leaves + position[-1 - c], n_leaves + at) for c in children]
    for number, root in enumerate(roots):
        if not isinstance(root, bool):
            edges.append((root if root >= 0 else n_leaves + position[-1 - root], n_nodes + number))
    edges.sort()
    first = [0] * (n_nodes + 1)
    for node, _ in edges:
        first[node + 1] += 1
    for node in range(n_nodes):
        first[node + 1] += first[node]
    always = [number for number, root in enumerate(roots) if root is True]
    starters = [at for at, (threshold, _) in enumerate(gates) if threshold == 0]
    return n_leaves, gates, list(bounds), first, [to for _, to in edges], always, starters


def compile(needs):
    """The compiled form. See candidates.pyi."""
    cdef list given = list(needs)
    cdef CandHead head
    cdef CandHead* at
    cdef bytes block
    n_leaves, gates, bounds, first, edges, always, starters = _tables(given)
    if len(edges) + len(given) + len(first) >= MAX_EDGES:
        raise ValueError("the needs are too many, or too large")
    memset(&head, 0, sizeof(head))
    head.magic = CAND_MAGIC
    head.n_needs, head.n_leaves, head.n_gates, head.n_edges = len(given), n_leaves, len(gates), len(edges)
    head.n_always, head.n_starters, head.n_bounds = len(always), len(starters), len(bounds)
    head.size = cand_size(&head)
    quads = array("Q", [value for pair in bounds for value in pair])
    words = array("I", [value for pair in gates for value in pair])
    for part in (first, edges, always, starters):
        words.extend(part)
    block = PyBytes_FromStringAndSize(<const char*>&head, sizeof(head)) + quads.tobytes() + words.tobytes()
    at = <CandHead*>PyBytes_AS_STRING(block)  # new, and nobody else has it yet
    at.checksum = cand_sum(<const uint8_t*>at + 16, len(block) - 16)
    return block


cdef int _ascending(const void* left, const void* right) noexcept nogil:
    cdef uint32_t a = (<const uint32_t*>left)[0], b = (<const uint32_t*>right)[0]
    return (a > b) - (a < b)


cdef class Candidates:
    """See candidates.pyi. Nothing changes after __init__ but the free scratch memory, which the GIL guards."""

    def __cinit__(self):
        self._copy = NULL
        self._n_free = 0

    def __init__(self, needs):
        if self._blob is not None:
            raise ValueError("a set is opened once")
        self._open(needs if isinstance(needs, (bytes, bytearray, memoryview, mmap)) else compile(needs))

    def __dealloc__(self):
        free(self._copy)
        while self._n_free:
            self._n_free -= 1
            cand_free(self._free[self._n_free])

    cdef int _open(self, object blob) except -1:
        cdef const uint8_t[::1] held = blob  # keeps the buffer, so that a mmap cannot be closed under us
        cdef size_t size = <size_t>held.shape[0]
        cdef const uint8_t* at = &held[0] if size else NULL
        cdef int is_valid
        if <uintptr_t>at & 7:
            self._copy = malloc(size)
            if self._copy == NULL:
                raise MemoryError()
            memcpy(self._copy, at, size)
            at = <const uint8_t*>self._copy
        is_valid = cand_is_valid(&self._set, at, size)
        if is_valid < 0:
            raise MemoryError()
        if not is_valid:
            raise ValueError("this is no compiled set of needs, or it is damaged")
        self._blob = held
        return 0

    @property
    def n(self):
        return self._set.head.n_needs if self._blob is not None else 0

    @property
    def always(self):
        """See candidates.pyi."""
        return [self._set.always[i] for i in range(self._set.head.n_always)] if self._blob is not None else []

    cdef CandScratch* take(self) except NULL:
        cdef CandScratch* scratch
        if self._blob is None:
            raise ValueError("the set is not opened")
        if self._n_free:
            self._n_free -= 1
            scratch = self._free[self._n_free]
        else:
            scratch = cand_scratch(&self._set)
            if scratch == NULL:
                raise MemoryError()
        scratch.n_touched, scratch.n_fired, scratch.n_needs = 0, 0, 0
        return scratch

    cdef void give(self, CandScratch* scratch) noexcept:
        if self._n_free < N_SCRATCH:
            self._free[self._n_free] = scratch
            self._n_free += 1
        else:
            cand_free(scratch)

    cdef list report(self, CandScratch* scratch):
        """The needs of a run and those that always hold, ascending: both are, so they are merged."""
        cdef size_t i = 0, j = 0, n_always = self._set.head.n_always
        cdef list out = []
        if scratch.n_needs > 1:
            qsort(scratch.needs, scratch.n_needs, 4, &_ascending)
        while i < scratch.n_needs or j < n_always:
            if j == n_always or (i < scratch.n_needs and scratch.needs[i] < self._set.always[j]):
                out.append(scratch.needs[i])
                i += 1
            else:
                out.append(self._set.always[j])
                j += 1
        return out

    def select(self, found not None, size=0):
        """Needs that hold. See candidates.pyi."""
        cdef uint64_t n_bytes = size
        cdef CandScratch* scratch
        cdef object number
        cdef list numbers = [int(number) for number in found] if not isinstance(found, list) else found
        for number in numbers:
            if not isinstance(number, int) or number < 0:
                raise ValueError("what was found is given as numbers of leaves, from 0")
        scratch = self.take()
        for number in numbers:
            if number < MAX_LEAF:
                cand_found(&self._set, scratch, number)
        with nogil:
            cand_run(&self._set, scratch, n_bytes)
        try:
            return self.report(scratch)
        finally:
            self.give(scratch)
