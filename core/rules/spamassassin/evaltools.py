"""What eval tests share: the two kinds of them, numbers and conditions of their arguments, patterns that cannot stall,
what they keep for each other. evalrun.py runs them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from mxward.bindings.pcre2 import PatternError, Patterns
from mxward.core.rules.regex.regexset import BUDGET_US
from mxward.pyx.sacount import count_lines
from mxward.pyx.sahint import hints

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

_T = TypeVar("_T")
_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?)", re.I)
_CONDITION: Final = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([-+]?\d+)\s*")
_AS_SPACE: Final = bytes.maketrans(b"\t\n\v\f\r", b"     ")
_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_NOTHING: Final[Any] = object()  # stands for what was not made yet
MAX_ARGUMENT: Final = 4096  # characters of a pattern in an argument


Condition = Callable[["TextSet"], object]  # whether a message has what tests of a kind need, any true value
# (message, keys) -> (key, number) of each
Measure = Callable[["TextSet", Collection[Any]], Iterable[tuple[Any, float]]]
Range = tuple[float, float]  # both ends included
NOT_ZERO: Final[tuple[Range, ...]] = ((-inf, nextafter(0.0, -inf)), (nextafter(0.0, inf), inf))


class Eval(NamedTuple):
    """A function: `run(texts, *arguments)` gives whether, or how often, the test matched.

    needs: what a message must have for the test to match at all; None: nothing.
    is_idle: whether, with these arguments and the settings of a rule set, the test cannot match any message.
    """

    run: Callable[..., float]
    needs: Condition | None = None
    is_idle: Callable[..., bool] | None = None


class Bound(NamedTuple):
    """A test that looks for a number in ranges: all tests of a measure are one call with all of their keys.

    A measure may give several numbers for a key, one of which must be in a range, or none: then no test of it matches.
    """

    measure: Measure
    key: Any
    ranges: Sequence[Range]
    needs: Condition | None = None


class Measured(NamedTuple):
    """A function whose tests each compare a number of the message: `bind(*arguments)` says which, and with what."""

    bind: Callable[..., Bound]


def _never(_texts: TextSet, *_arguments: str) -> bool:
    return False


NEVER: Final = Eval(_never, is_idle=lambda _site, *_arguments: True)  # a function that matches no message
Expression = tuple[bytes, str, int]  # as Patterns takes it
Table = dict[str, Eval | Measured]


def evals(*runs: Callable[..., float], needs: Condition | None = None) -> Table:
    """Functions under their own names."""
    return {run.__name__: Eval(run, needs) for run in runs}


def measured(*binds: Callable[..., Bound]) -> Table:
    """Functions that look for a number, under their own names."""
    return {bind.__name__: Measured(bind) for bind in binds}


def alone(number_of: Callable[[TextSet], float | None]) -> Measure:
    """The measure of a single number, None when there is nothing to count. Its key is ""."""

    def measure(texts: TextSet, _keys: Collection[Any]) -> Sequence[tuple[str, float]]:
        found = number_of(texts)
        return () if found is None else (("", found),)

    measure.__name__ = number_of.__name__
    return measure


def has_html(texts: TextSet) -> bool:
    """Whether there is an HTML part."""
    return bool(texts.html)


def has_image(texts: TextSet) -> bool:
    """Whether there is an image beside the texts."""
    return keep(texts, "has_image", lambda texts: any(node.type.startswith("image/") for node in texts.leaves))


def has_parts(texts: TextSet) -> bool:
    """Whether the message is more than one part."""
    return len(texts.nodes) > 1


def from_to(low: float, high: float) -> tuple[Range, ...]:
    """low <= value <= high."""
    return ((low, high),)


def from_below(low: float, high: float) -> tuple[Range, ...]:
    """low <= value < high."""
    return ((low, nextafter(high, -inf)),)


def above_to(low: float, high: float) -> tuple[Range, ...]:
    """low < value <= high."""
    return ((nextafter(low, inf), high),)


@lru_cache(maxsize=2048)
def number(text: str | None, default: float = 0.0) -> float:
    """The number that a text begins with, 0 when it begins with none; `default` without a text. "inf" is infinite."""
    if text is None:
        return default
    found = _NUMBER.match(text)
    if found:
        return float(found[1])
    return float("inf") if text.strip().lower() == "inf" else 0.0


def condition(text: str) -> tuple[Range, ...]:
    """The ranges of a comparison such as "!= 0" or "< 384"; none when the text is no comparison."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        return ()
    other = float(found[2])
    below, above = nextafter(other, -inf), nextafter(other, inf)
    return {
        "<": ((-inf, below),), "<=": ((-inf, other),), ">": ((above, inf),), ">=": ((other, inf),),
        "==": ((other, other),), "!=": ((-inf, below), (above, inf)),
    }[found[1]]  # fmt: skip


@lru_cache(maxsize=512)
def expression(source: str) -> Expression | None:
    """A pattern of an argument, without delimiters; None when it does not compile."""
    flags = ""
    if source.startswith("(?") and (head := re.match(r"\(\?([imsx]+)\)", source)):
        flags, source = head[1], source[head.end() :]
    if not source or len(source) > MAX_ARGUMENT:
        return None
    found = (source.encode("latin-1", "replace"), flags, 1)
    try:
        Patterns([found])
    except (PatternError, ValueError):
        return None
    return found


@lru_cache(maxsize=512)
def _pattern(source: str) -> Patterns | None:
    found = expression(source)
    return None if found is None else Patterns([found])


def matches(source: str, text: bytes) -> bool:
    """Whether a pattern of an argument matches somewhere. What it cannot decide within its limits is no match."""
    found = _pattern(source)
    return bool(found is not None and found.match(text, None, BUDGET_US)[0])


def keep(texts: TextSet, name: str, make: Callable[[TextSet], _T]) -> _T:
    """What `make` gives for this message, made once."""
    memo: dict[str, Any] = texts.memo
    found: _T = memo.get(name, _NOTHING)
    if found is _NOTHING:
        found = memo[name] = make(texts)
    return found


class People(NamedTuple):
    """The first address of From, of the envelope sender and of To, in lower case; b"" where there is none."""

    author: bytes
    sender: bytes
    recipient: bytes


def people(texts: TextSet) -> People:
    """Who a message says it is from and to."""
    return keep(texts, "people", _people)


def _people(texts: TextSet) -> People:
    first = texts.headers.first
    return People(first("From:addr").lower(), first("EnvelopeFrom:addr").lower(), first("To:addr").lower())


def stands_in(needle: bytes, text: bytes) -> bool:
    """Whether `needle` stands in a text with a word's border at both ends, as \\b tells it; case counts."""
    at = text.find(needle)
    while at >= 0:
        if is_border(text, at) and is_border(text, at + len(needle)):
            return True
        at = text.find(needle, at + 1)
    return False


def is_border(text: bytes, at: int) -> bool:
    """Whether a word begins or ends at a place of a text."""
    return (at > 0 and text[at - 1] in _WORD) != (at < len(text) and text[at] in _WORD)


def hinted(flag: int) -> Condition:
    """Whether the header fields have what a flag of pyx/sahint says."""
    return lambda texts: keep(texts, "hints", _hints) & flag


def _hints(texts: TextSet) -> int:
    first, (_, sender, recipient) = texts.headers.first, people(texts)
    subject, received = first("Subject"), first("Received")
    return hints(sender, recipient, subject, received, first("ALL"), texts.pristine_header)


def counted_lines(texts: TextSet) -> tuple[int, int, int, int]:
    """Counts of the lines of the body, see sacount.count_lines."""
    return keep(texts, "lines", lambda texts: count_lines(*texts.body))


def lines_with(mark: bytes, data: bytes, starts: Sequence[int]) -> Iterable[bytes]:
    """The segments of a text that hold a byte, in order. Cost: of those segments, and one pass over the text."""
    at = data.find(mark)
    while at >= 0:
        number = bisect_right(starts, at)
        end = starts[number] if number < len(starts) else len(data)
        yield data[starts[number - 1] : end]
        at = data.find(mark, end)


def flat(value: bytes) -> bytes:
    """White space as single spaces."""
    value = value.translate(_AS_SPACE)
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return value
