"""Tests that are code: the table of eval functions that need nothing but the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet


class Eval(NamedTuple):
    """One function: `run(texts, *arguments)` gives whether, or how often, the test matched."""

    run: Callable[..., int]


EVALS: Final[dict[str, Eval]] = {}
