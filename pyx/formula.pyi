"""Arithmetic over many values in one pass: formulas in postfix form, each giving one value that later ones may use."""

from collections.abc import Iterable

from typing_extensions import Buffer

# Operations. A formula is a run of them that ends with STORE; the argument of the others is 0.
CONSTANT: int  # argument: number of the constant
VALUE: int  # argument: number of the value
NOT: int
NEGATE: int
ADD: int
SUBTRACT: int
MULTIPLY: int
DIVIDE: int  # by 0: gives 0
XOR: int  # of 64-bit whole numbers
LESS: int
LESS_EQUAL: int
GREATER: int
GREATER_EQUAL: int
EQUAL: int
NOT_EQUAL: int
AND: int  # argument: place to go on at with the operand kept when it is 0; else it is dropped
OR: int  # argument: place to go on at with the operand kept when it is not 0; else it is dropped
BRANCH: int  # argument: place to go on at when the operand, which is dropped, is 0
JUMP: int  # argument: place to go on at
STORE: int  # argument: number of the value that the formula gives

class Formulas:
    """A program, immutable; may be shared between threads."""

    def __init__(self, code: Buffer, constants: Iterable[float], n_values: int) -> None:
        """Args: code: pairs of native 32-bit integers (operation, argument), formulas one after the other; constants:
        finite or not; n_values: how many values there are, at most 1,000,000.

        Raises: ValueError when the code would read or write outside of its values, go backwards, leave its formula,
        or need a stack of more than 64 numbers; MemoryError.
        """
    def evaluate(self, given: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
        """The results of all formulas, each run once, in order.

        Args: given: (number, value) of values that are not 0 at the start; numbers must be below n_values.
        Returns: (number, value) of every formula whose result is not 0, in order. A result below 0 counts as 1 there
        and for later formulas; so does one that is no number.
        Raises: ValueError for a number out of range; MemoryError. Cost: about a nanosecond a formula, and a few for
        each step of those that use a value which is not 0. The GIL is released.
        """
