"""Arithmetic over many values in one pass: formulas in postfix form, each giving one value that later ones may use.

A formula is looked at only when one of its values is not 0, or when it is not 0 with all of them 0: of hundreds of
formulas few have to run for one set of values. The code is proven when it is taken in: every operand is there, every
number in range, every jump forward and within its formula, with the same number of operands on both ways to a place.
So the loop that runs it needs no checks and ends. Not here: how text becomes code
(core/rules/spamassassin/formulas.py).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

cdef enum:
    MAX_STACK = 64
    MAX_VALUES = 1000000
    MAX_STEPS = 16000000

cdef enum Op:
    OP_CONSTANT, OP_VALUE, OP_NOT, OP_NEGATE, OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_XOR, OP_LESS
    OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL, OP_EQUAL, OP_NOT_EQUAL, OP_AND, OP_OR, OP_BRANCH, OP_JUMP, OP_STORE

CONSTANT, VALUE, NOT, NEGATE = OP_CONSTANT, OP_VALUE, OP_NOT, OP_NEGATE
ADD, SUBTRACT, MULTIPLY, DIVIDE, XOR = OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_XOR
LESS, LESS_EQUAL, GREATER, GREATER_EQUAL = OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL
EQUAL, NOT_EQUAL, AND, OR, BRANCH, JUMP, STORE = OP_EQUAL, OP_NOT_EQUAL, OP_AND, OP_OR, OP_BRANCH, OP_JUMP, OP_STORE


cdef struct Step:
    int32_t op
    int32_t argument


cdef inline uint64_t as_integer(double value) noexcept nogil:
    """A whole number of 64 bits; out of range at its end, no number 0."""
    if value != value:
        return 0
    if value >= 18446744073709551615.0:
        return <uint64_t>0xFFFFFFFFFFFFFFFFu
    if value >= 0:
        return <uint64_t>value
    if value <= -9.3e18:
        return <uint64_t>1 << 63
    if value < -9223372036854775808.0:
        value = -9223372036854775808.0
    return <uint64_t><int64_t>value


cdef inline double binary(int32_t op, double a, double b) noexcept nogil:
    if op == OP_ADD:
        return a + b
    if op == OP_SUBTRACT:
        return a - b
    if op == OP_MULTIPLY:
        return a * b
    if op == OP_DIVIDE:
        return a / b if b != 0 else 0.0
    if op == OP_XOR:
        return <double>(as_integer(a) ^ as_integer(b))
    if op == OP_LESS:
        return a < b
    if op == OP_LESS_EQUAL:
        return a <= b
    if op == OP_GREATER:
        return a > b
    if op == OP_GREATER_EQUAL:
        return a >= b
    if op == OP_EQUAL:
        return a == b
    return a != b


cdef double run(const Step* code, size_t at, const double* constants, const double* values) noexcept nogil:
    """The result of the formula at `at`: what its STORE would keep.

    Stack: `_check` has proven that depth stays in 0..MAX_STACK and that every step finds its operands.
    """
    cdef double[MAX_STACK] stack
    cdef int depth = 0
    cdef int32_t op, argument
    while True:  # jumps lead forward and within the formula, which ends with STORE
        op, argument = code[at].op, code[at].argument
        at += 1
        if op == OP_VALUE:
            stack[depth] = values[argument]
            depth += 1
        elif op == OP_AND or op == OP_OR:
            if (stack[depth - 1] != 0) == (op == OP_OR):
                at = argument
            else:
                depth -= 1
        elif op == OP_STORE:
            if stack[depth - 1] == 0:
                return 0.0
            return stack[depth - 1] if stack[depth - 1] > 0 else 1.0
        elif op == OP_NOT:
            stack[depth - 1] = stack[depth - 1] == 0
        elif op == OP_CONSTANT:
            stack[depth] = constants[argument]
            depth += 1
        elif op == OP_NEGATE:
            stack[depth - 1] = -stack[depth - 1]
        elif op == OP_JUMP:
            at = argument
        elif op == OP_BRANCH:
            depth -= 1
            if stack[depth] == 0:
                at = argument
        else:
            depth -= 1
            stack[depth - 1] = binary(op, stack[depth - 1], stack[depth])


cdef struct Formula:
    int32_t first    # its first step
    int32_t result   # the value that it gives


cdef class Formulas:
    """See formula.pyi. Everything is made in __init__ and never changed."""

    cdef Step* _code
    cdef double* _constants
    cdef size_t _n, _n_constants, _n_formulas, _n_values
    cdef Formula* _formulas
    cdef int32_t* _users       # numbers of the formulas that use a value, value by value
    cdef int32_t* _users_at    # where those of a value begin; `_n_values` + 1 entries
    cdef uint8_t* _always      # of each formula: 1 when it is not 0 with all values 0

    def __cinit__(self):
        self._code = NULL
        self._constants = NULL
        self._formulas = NULL
        self._users = NULL
        self._users_at = NULL
        self._always = NULL
        self._n = self._n_values = self._n_constants = self._n_formulas = 0

    def __init__(self, code, constants, Py_ssize_t n_values):
        cdef size_t i
        if self._code != NULL:
            raise ValueError("a program is made once")
        if n_values < 0 or n_values > MAX_VALUES:
            raise ValueError("too many values")
        numbers = [float(number) for number in constants]
        self._n_values, self._n_constants = <size_t>n_values, len(numbers)
        self._constants = <double*>malloc((self._n_constants + 1) * sizeof(double))
        if self._constants == NULL:
            raise MemoryError()
        for i in range(self._n_constants):
            self._constants[i] = numbers[i]
        self._take(code)
        self._check()
        self._index()

    def __dealloc__(self):
        free(self._formulas)
        free(self._users)
        free(self._users_at)
        free(self._always)
        free(self._code)
        free(self._constants)

    cdef int _take(self, code) except -1:
        cdef Py_buffer view
        PyObject_GetBuffer(code, &view, PyBUF_SIMPLE)
        try:
            if view.len % sizeof(Step) or <size_t>view.len > MAX_STEPS * sizeof(Step):
                raise ValueError("the code is cut or too long")
            self._code = <Step*>malloc(view.len + sizeof(Step))
            if self._code == NULL:
                raise MemoryError()
            memcpy(self._code, view.buf, view.len)
            self._n = view.len // sizeof(Step)
        finally:
            PyBuffer_Release(&view)
        return 0

    cdef int _check(self) except -1:
        """Walk the code once: forward jumps only, so a place is reached after every jump to it was seen."""
        cdef int32_t* expected = <int32_t*>calloc(self._n + 1, sizeof(int32_t))  # operands at a jump's end, plus 1
        cdef size_t at, first = 0
        cdef int depth = 0
        if expected == NULL:
            raise MemoryError()
        try:
            for at in range(self._n):
                if expected[at]:
                    if depth >= 0 and depth != expected[at] - 1:
                        raise ValueError(f"step {at}: two ways lead here with different operands")
                    depth = expected[at] - 1
                if depth < 0:
                    raise ValueError(f"step {at} cannot be reached")
                depth = self._after(at, depth, expected)
                if self._code[at].op == OP_STORE:
                    self._check_jumps(first, at)
                    first, self._n_formulas = at + 1, self._n_formulas + 1
            if first != self._n:
                raise ValueError("the last formula does not end")
        finally:
            free(expected)
        return 0

    cdef int _index(self) except -1:
        """Where formulas begin, which use a value, and which are not 0 when all values are."""
        cdef size_t at, number = 0, first = 0
        cdef int32_t value
        cdef int32_t* place = <int32_t*>calloc(self._n_values + 1, sizeof(int32_t))
        cdef double* zeros = <double*>calloc(self._n_values + 1, sizeof(double))
        self._formulas = <Formula*>calloc(self._n_formulas + 1, sizeof(Formula))
        self._always = <uint8_t*>calloc(self._n_formulas + 1, 1)
        self._users_at = <int32_t*>calloc(self._n_values + 2, sizeof(int32_t))
        self._users = <int32_t*>calloc(self._n + 1, sizeof(int32_t))
        try:
            if (place == NULL or zeros == NULL or self._formulas == NULL or self._always == NULL
                    or self._users_at == NULL or self._users == NULL):
                raise MemoryError()
            for at in range(self._n):
                if self._code[at].op == OP_VALUE:
                    self._users_at[self._code[at].argument + 1] += 1
            for at in range(self._n_values):
                self._users_at[at + 1] += self._users_at[at]
                place[at] = self._users_at[at]
            for at in range(self._n):
                if self._code[at].op == OP_VALUE:
                    value = self._code[at].argument
                    self._users[place[value]] = <int32_t>number
                    place[value] += 1
                elif self._code[at].op == OP_STORE:
                    self._formulas[number] = Formula(<int32_t>first, self._code[at].argument)
                    self._always[number] = run(self._code, first, self._constants, zeros) != 0
                    first, number = at + 1, number + 1
        finally:
            free(place)
            free(zeros)
        return 0

    cdef void _mark(self, int32_t value, uint8_t* wanted) noexcept nogil:
        """Note that the formulas which use a value have to be looked at."""
        cdef int32_t i
        for i in range(self._users_at[value], self._users_at[value + 1]):
            wanted[self._users[i]] = 1

    cdef size_t _run(self, double* values, uint8_t* wanted, int32_t* fired) noexcept nogil:
        """Run what is wanted, in order; `fired` has room for one number a formula. Returns how many were written.

        A formula that sets a value which an earlier one gave or which was given replaces it.
        """
        cdef size_t i, n_fired = 0
        cdef double result
        for i in range(self._n_formulas):
            if wanted[i]:
                result = run(self._code, self._formulas[i].first, self._constants, values)
                if result != 0:
                    values[self._formulas[i].result] = result
                    fired[n_fired] = self._formulas[i].result
                    n_fired += 1
                    self._mark(self._formulas[i].result, wanted)
        return n_fired

    cdef int _check_jumps(self, size_t first, size_t last) except -1:
        """A jump of the formula at `first` to `last` leads forward and stays within it."""
        cdef size_t at
        for at in range(first, last):
            if self._code[at].op in (OP_AND, OP_OR, OP_BRANCH, OP_JUMP):
                if self._code[at].argument <= <int64_t>at or self._code[at].argument > <int64_t>last:
                    raise ValueError(f"step {at} leads out of its formula")
        return 0

    cdef int _after(self, size_t at, int depth, int32_t* expected) except -2:
        """Operands after a step, -1 when the next step is not reached from it; notes what a jump brings along."""
        cdef int32_t op = self._code[at].op, argument = self._code[at].argument
        cdef int needed = 2, left = depth - 1
        if op == OP_CONSTANT or op == OP_VALUE:
            needed, left = 0, depth + 1
            if argument < 0 or <size_t>argument >= (self._n_constants if op == OP_CONSTANT else self._n_values):
                raise ValueError(f"step {at} uses what there is not")
        elif op == OP_NOT or op == OP_NEGATE:
            needed, left = 1, depth
        elif op == OP_AND or op == OP_OR or op == OP_BRANCH:
            needed = 1
            self._expect(at, argument, depth if op != OP_BRANCH else depth - 1, expected)
        elif op == OP_JUMP:
            needed, left = 0, -1
            self._expect(at, argument, depth, expected)
        elif op == OP_STORE:
            needed = 1
            if argument < 0 or <size_t>argument >= self._n_values or depth != 1:
                raise ValueError(f"step {at} stores where or what it cannot")
        elif op < OP_CONSTANT or op > OP_STORE:
            raise ValueError(f"step {at} is no operation")
        if depth < needed or left > MAX_STACK:
            raise ValueError(f"step {at} has too few or too many operands")
        return left

    cdef int _expect(self, size_t at, int32_t target, int depth, int32_t* expected) except -1:
        if target <= <int64_t>at or <size_t>target >= self._n or depth < 0:
            raise ValueError(f"step {at} leads nowhere")
        if expected[target] and expected[target] != depth + 1:
            raise ValueError(f"step {target}: two ways lead here with different operands")
        expected[target] = depth + 1
        return 0

    def evaluate(self, given):
        """Run all formulas once. See formula.pyi."""
        cdef double* values = <double*>calloc(self._n_values + 1, sizeof(double))
        cdef uint8_t* wanted = <uint8_t*>malloc(self._n_formulas + 1)
        cdef int32_t* fired = <int32_t*>malloc((self._n_formulas + 1) * sizeof(int32_t))
        cdef size_t n_fired = 0, i
        cdef Py_ssize_t number
        cdef list out = []
        try:
            if values == NULL or fired == NULL or wanted == NULL:
                raise MemoryError()
            memcpy(wanted, self._always, self._n_formulas)
            for number, value in given:
                if number < 0 or <size_t>number >= self._n_values:
                    raise ValueError("a value that there is not")
                values[number] = value
                self._mark(<int32_t>number, wanted)
            with nogil:
                n_fired = self._run(values, wanted, fired)
            for i in range(n_fired):
                out.append((fired[i], values[fired[i]]))
        finally:
            free(values)
            free(fired)
            free(wanted)
        return out
