"""Which YARA rules cannot be filtered, and why: what `mxward rules lint` tells their authors.

What makes a rule filterable is told in docs/yara.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mxward.core.rules.yara.facts import holding
from mxward.core.rules.yara.partition import Root, partition
from mxward.pyx.candidates import Candidates, Need


class Unfilterable(NamedTuple):
    """A rule that libyara runs on every text, whatever is in it, and the reason in words."""

    namespace: str
    name: str  # "" for a whole namespace that is not understood
    line: int
    reason: str


def unfilterable(sources: Mapping[str, str], externals: Mapping[str, str | int | bool]) -> list[Unfilterable]:
    """Rules that need nothing but a size, or an external variable as it mostly is, to be run. Never raises on content.

    Args: sources: namespace -> text, which libyara compiles; externals: variables of conditions, with default values.
    """
    parts = partition(sources, externals)
    free = holding(parts.leaves.externals, externals)
    return [
        Unfilterable(root.namespace, root.name, root.line, _reason(root))
        for root in parts.roots
        if _is_open(root.need, free)
    ]


def _is_open(need: Need, free: list[int]) -> bool:
    """Does it hold in some text in which nothing is found, but for these leaves?"""
    return any(Candidates([need]).select(free, size) for size in _sizes(need))


def _sizes(need: Need) -> set[int]:
    """Sizes at which the need may change."""
    found: set[int] = {0, 1 << 20}
    left: list[Any] = [need]
    while left:
        one = left.pop()
        if isinstance(one, tuple) and one[0] == "size":
            found.update((one[1], min(one[2], 1 << 62)))
        elif isinstance(one, tuple):
            left += one[-1]
    return found


def _reason(root: Root) -> str:
    if root.reasons:
        return "; ".join(root.reasons[:3])
    return "its condition can be true without any string, byte at a fixed place or file type of its own"
