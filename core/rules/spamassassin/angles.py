"""Where an entry of an address field ends when it has angle brackets, as SpamAssassin's relaxed parser decides it.

What stands between the brackets may hold more brackets, and any number of further ones may follow: the longest way to
read them wins behind which the entry is over. Written as one expression that takes time that doubles with every
bracket; here each place is tried once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_PLACES: Final = 20_000  # tried in one field; beyond, the rest of the field is read as no entry
_LETTERS: Final = 400  # at most, of each of the two things that a bracket may hold
_FREE: Final = re.compile(rb"[^>@]{0,%d}" % _LETTERS)
_RUN: Final = re.compile(rb"\S{1,%d}" % _LETTERS)
_CLOSE: Final = re.compile(rb"(?<=\S)\s*+>")
_AGAIN: Final = re.compile(rb"\s*+<\s*+")
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.S)
_OVER: Final = re.compile(rb"(?:\s*\((?P<comment>(?:[^()\\]|\\.)*+)\))?\s*+(?:[,;]|\Z)", re.S)


class Closed(NamedTuple):
    """An entry that is over: the bracket's content, the comment behind it, and where the next entry begins."""

    angle: bytes
    comment: bytes | None
    end: int


class Tries:
    """How many places of one field may still be tried."""

    def __init__(self) -> None:
        self.left = MAX_PLACES


class _Level(NamedTuple):
    place: int  # behind a closing bracket
    angle_end: int
    further: Iterator[tuple[int, int]]


def closed(text: bytes, start: int, tries: Tries) -> Closed | None:
    """The entry whose first bracket's content begins at `start`; None when it is over nowhere. Never raises."""
    tried: set[int] = set()
    levels = [_Level(-1, -1, _first(text, start))]
    while levels:
        level = levels[-1]
        for end, place in level.further:
            tries.left -= 1
            if tries.left < 0:
                return None
            if place not in tried:
                tried.add(place)
                angle_end = end if len(levels) == 1 else level.angle_end
                levels.append(_Level(place, angle_end, _further(text, place)))
                break
        else:
            levels.pop()
            over = _OVER.match(text, level.place) if levels else None
            if over is not None:
                return Closed(text[start : level.angle_end], over["comment"], over.end())
    return None


def _first(text: bytes, start: int) -> Iterator[tuple[int, int]]:
    """(end of content, place behind its bracket) of the first one, the longest first."""
    free = _FREE.match(text, start)
    assert free is not None, "it may be empty"
    run = _RUN.match(text, free.end())
    yield from _closings(text, start, run.end() if run else free.end())
    if text[start : start + 1] == b">":
        yield start, start + 1


def _further(text: bytes, place: int) -> Iterator[tuple[int, int]]:
    """The same of another one that may follow at a place: with a quoted string before its content, or without."""
    again = _AGAIN.match(text, place)
    if again is None:
        return
    start = again.end()
    quoted = _QUOTED.match(text, start)
    for begin in (start,) if quoted is None else (quoted.end(), start):
        run = _RUN.match(text, begin)
        if run is not None:
            yield from _closings(text, begin, run.end())
    if text[start : start + 1] == b">":
        yield start, start + 1


def _closings(text: bytes, start: int, limit: int) -> Iterator[tuple[int, int]]:
    """(end of content, place behind ">") for contents of a byte or more that end at most at `limit`, longest first."""
    found: list[tuple[int, int]] = []
    for close in _CLOSE.finditer(text, start + 1):
        if close.start() > limit:
            break
        found.append(close.span())
    return reversed(found)
