"""What eval tests share: numbers and conditions of their arguments, patterns that cannot stall, what they keep."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from mxward.bindings.pcre2 import PatternError, Patterns

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

_T = TypeVar("_T")
_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?)", re.I)
_CONDITION: Final = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([-+]?\d+)\s*")
_AS_SPACE: Final = bytes.maketrans(b"\t\n\v\f\r", b"     ")
MAX_ARGUMENT: Final = 4096  # characters of a pattern in an argument


class Eval(NamedTuple):
    """One function: `run(texts, *arguments)` gives whether, or how often, the test matched.

    needs: "" or what a message must have for the test to match at all; see TextSet.has.
    """

    run: Callable[..., float]
    needs: str = ""


@lru_cache(maxsize=2048)
def number(text: str | None, default: float = 0.0) -> float:
    """The number that a text begins with, 0 when it begins with none; `default` without a text. "inf" is infinite."""
    if text is None:
        return default
    found = _NUMBER.match(text)
    if found:
        return float(found[1])
    return float("inf") if text.strip().lower() == "inf" else 0.0


@lru_cache(maxsize=256)
def condition(text: str) -> tuple[str, float] | None:
    """A comparison such as "!= 0" or "< 384"; None when the text is none."""
    found = _CONDITION.fullmatch(text)
    return (found[1], float(found[2])) if found else None


def holds(value: float, text: str) -> bool:
    """Whether a value meets a condition; False when the text is none."""
    found = condition(text)
    if found is None:
        return False
    sign, other = found
    return {
        "<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other,
        "==": value == other, "!=": value != other,
    }[sign]  # fmt: skip


@lru_cache(maxsize=512)
def pattern(source: str) -> Patterns | None:
    """A pattern of an argument, without delimiters; None when it does not compile. Matching it is bounded."""
    flags = ""
    if source.startswith("(?") and (head := re.match(r"\(\?([imsx]+)\)", source)):
        flags, source = head[1], source[head.end() :]
    if not source or len(source) > MAX_ARGUMENT:
        return None
    try:
        return Patterns([(source.encode("latin-1", "replace"), flags, 0)])
    except (PatternError, ValueError):
        return None


def matches(source: str, text: bytes) -> bool:
    """Whether a pattern of an argument matches somewhere. What it cannot decide within its limits is no match."""
    found = pattern(source)
    return bool(found is not None and found.match(text)[0])


def keep(texts: TextSet, name: str, make: Callable[[TextSet], _T]) -> _T:
    """What `make` gives for this message, made once."""
    memo: dict[str, Any] = texts.memo
    if name not in memo:
        memo[name] = make(texts)
    found: _T = memo[name]
    return found


def flat(value: bytes) -> bytes:
    """White space as single spaces."""
    value = value.translate(_AS_SPACE)
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return value
