"""Training of a linear model on hashed features: which weights part two classes with the widest margin.

Dual coordinate descent for the L2-loss support vector machine (Hsieh et al., "A dual coordinate descent method for
large-scale linear SVM", 2008, algorithm 1). Only additions, multiplications, divisions and square roots of doubles are
used, in a fixed order, so that every machine with IEEE arithmetic finds the same weights to the bit. Not here: what
the features are (pyx/tokens), folds, calibration and quantising (core/classify).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from mxward.pyx.tokens cimport TOK_MAX_BITS, TOK_MIN_BITS, TOK_SEGMENTS, Features

MAX_ROWS = 4_000_000


cdef struct Row:
    const uint32_t* index
    const uint32_t* ends   # TOK_SEGMENTS of them
    double[8] value        # of each feature, by segment
    double cost            # the most that one example may pull with; 0: left out
    double dual            # its present pull
    double norm            # of the row, squared, the bias among it
    double sign            # 1 or -1


cdef double _margin(const Row* row, const double* weight, double bias) noexcept nogil:
    cdef double total = 0, part
    cdef uint32_t at = 0
    cdef int s
    for s in range(TOK_SEGMENTS):
        part = 0
        while at < row.ends[s]:
            part += weight[row.index[at]]  # features are below 2^bits, the size of `weight`
            at += 1
        total += part * row.value[s]
    return total + bias


cdef void _pull(const Row* row, double* weight, const uint8_t* allowed, double by) noexcept nogil:
    cdef uint32_t at = 0
    cdef double step
    cdef int s
    for s in range(TOK_SEGMENTS):
        step = by * row.value[s]
        while at < row.ends[s]:
            weight[row.index[at]] += step * allowed[row.index[at]]
            at += 1


cdef double _norm(const Row* row, const uint8_t* allowed) noexcept nogil:
    cdef double total = 1
    cdef uint32_t at = 0
    cdef int s
    for s in range(TOK_SEGMENTS):
        while at < row.ends[s]:
            total += row.value[s] * row.value[s] * allowed[row.index[at]]
            at += 1
    return total


cdef uint32_t _below(uint64_t* state, uint32_t n) noexcept nogil:
    """The next of a fixed row of numbers below n (splitmix64)."""
    cdef uint64_t z
    state[0] += <uint64_t>0x9E3779B97F4A7C15
    z = state[0]
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return <uint32_t>(((z ^ (z >> 31)) >> 32) * n >> 32)


cdef double _epoch(Row* rows, uint32_t* order, uint32_t n, double* weight, const uint8_t* allowed, double* bias,
                   uint64_t* dice) noexcept nogil:
    """Visit every row once, in a new order. Returns the largest violation seen."""
    cdef double worst = 0, slope, fresh, by
    cdef uint32_t i, k, other
    cdef Row* row
    for i in range(n):
        k = i + _below(dice, n - i)  # below n
        other = order[k]
        order[k] = order[i]
        order[i] = other
        row = &rows[other]
        if row.cost <= 0:
            continue
        slope = row.sign * _margin(row, weight, bias[0]) - 1 + row.dual / (2 * row.cost)
        if row.dual == 0 and slope >= 0:
            continue
        worst = max(worst, slope if slope > 0 else -slope)
        fresh = row.dual - slope / (row.norm + 1 / (2 * row.cost))
        fresh = fresh if fresh > 0 else 0
        by = (fresh - row.dual) * row.sign
        row.dual = fresh
        _pull(row, weight, allowed, by)
        bias[0] += by
    return worst


def fit(examples, values, signs, costs, allowed, int epochs=60, double tolerance=0.01):
    """Weights and bias. See linear.pyi."""
    cdef uint32_t n = <uint32_t>len(examples), i
    cdef Features one
    cdef const uint8_t[::1] mask = allowed
    cdef unsigned bits
    cdef size_t size
    cdef bytes out
    cdef double* weight
    cdef double bias = 0, worst
    cdef uint64_t dice = 1
    cdef Row* rows
    cdef uint32_t* order
    cdef list held = list(examples)  # holds what C points into
    if not 1 <= len(held) <= MAX_ROWS or not len(held) == len(values) == len(signs) == len(costs):
        raise ValueError("one value row, sign and cost an example, and one example at least")
    one = held[0]
    bits = one.bits
    size = <size_t>1 << bits
    if <size_t>mask.shape[0] != size:
        raise ValueError(f"the mask has {size} bytes")
    out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(size * sizeof(double)))
    weight = <double*>PyBytes_AS_STRING(out)
    memset(weight, 0, size * sizeof(double))
    rows = <Row*>calloc(n, sizeof(Row))
    order = <uint32_t*>calloc(n, sizeof(uint32_t))
    try:
        if rows == NULL or order == NULL:
            raise MemoryError()
        for i in range(n):
            one = held[i]
            if one.bits != bits:
                raise ValueError("all examples have features of the same size")
            order[i] = i
            _fill(&rows[i], one, values[i], signs[i], costs[i])
            rows[i].norm = _norm(&rows[i], &mask[0])
        with nogil:
            for _ in range(epochs):
                worst = _epoch(rows, order, n, weight, &mask[0], &bias, &dice)
                if worst < tolerance:
                    break
    finally:
        free(rows)
        free(order)
    return out, bias


cdef size_t _size(unsigned bits) except 0:
    """How many features there are of so many bits."""
    if not TOK_MIN_BITS <= bits <= TOK_MAX_BITS:
        raise ValueError(f"bits are {TOK_MIN_BITS} to {TOK_MAX_BITS}")
    return <size_t>1 << bits


cdef int _fill(Row* row, Features one, values, int sign, double cost) except -1:
    cdef int s
    row.index, row.ends = one.index, one.ends
    row.sign, row.cost = (1 if sign > 0 else -1), cost
    for s in range(TOK_SEGMENTS):
        row.value[s] = values[s]
    return 0


def spread(examples, unsigned bits, uint32_t least):
    """Which features enough examples have. See linear.pyi."""
    cdef size_t size = _size(bits), i
    cdef Features one
    cdef uint32_t* counts = <uint32_t*>calloc(size, 4)
    cdef bytearray out = bytearray(size)
    if counts == NULL:
        raise MemoryError()
    try:
        for one in examples:
            if one.bits != bits:
                raise ValueError("all examples have features of the same size")
            for i in range(one.ends[TOK_SEGMENTS - 1]):
                counts[one.index[i]] += 1
        for i in range(size):
            out[i] = 1 if counts[i] >= least else 0
    finally:
        free(counts)
    return out


def quantise(weights, unsigned bits, double step, table, int column):
    """Round weights into a column of signed bytes. See linear.pyi."""
    cdef size_t size = _size(bits), i
    cdef const uint8_t[::1] source = weights
    cdef int8_t[::1] target = memoryview(table).cast("b")
    cdef const double* weight
    cdef double value
    if <size_t>source.shape[0] != size * sizeof(double) or <size_t>target.shape[0] < 2 * size or not 0 <= column <= 1:
        raise ValueError("the table or the weights have another size, or there is no such column")
    if not step > 0:
        raise ValueError("the step is above 0")
    weight = <const double*>&source[0]
    for i in range(size):
        value = weight[i] / step
        value = -127 if value < -127 else 127 if value > 127 else value if value == value else 0  # NaN is no number
        target[2 * i + column] = <int8_t>(value + 0.5) if value >= 0 else -<int8_t>(0.5 - value)


def narrow(sums, unsigned bits, int divisor, table, int column):
    """Divide sums into a column of signed bytes. See linear.pyi."""
    cdef size_t size = _size(bits), i
    cdef const int32_t[::1] source = memoryview(sums).cast("i")
    cdef int8_t[::1] target = memoryview(table).cast("b")
    cdef int64_t value  # the lowest sum has no opposite in 32 bits
    if <size_t>source.shape[0] != size or <size_t>target.shape[0] < 2 * size or not 0 <= column <= 1 or divisor < 1:
        raise ValueError("the table or the sums have another size, or there is no such column or divisor")
    for i in range(size):
        value = source[i]
        value = value // divisor if value >= 0 else -(-value // divisor)
        target[2 * i + column] = <int8_t>(-127 if value < -127 else 127 if value > 127 else value)
