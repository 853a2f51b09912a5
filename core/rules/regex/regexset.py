"""A set of Perl regular expressions: which literals each needs, and the set that PCRE2 matches with.

The results are those of PCRE2 for every expression alone; the literals only spare tries that cannot match. What was
worked out from the expressions' text is cached by content, so that a start does not parse thousands again.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.cachefile import open_cache, write_cache
from mxward.core.rules.regex.needed import LiteralTable, needed
from mxward.core.rules.regex.sampletext import sample
from mxward.pyx import candidates, literals, sieve
from mxward.pyx.candidates import Need

BUDGET_US: Final = 2_000_000  # of one call: a message of ordinary size takes some 50
LOOKED_AT: Final = 8  # every such line of the sample
IN_VAIN: Final = 1 / 3  # of the lines that pass: more make the sieve useless
FEW: Final = 8  # expressions that are tried as quickly without a sieve: making it takes 4 ms of each
BEGINNING: Final = 4  # bytes of a match that are looked for in every text, or about so many
_MAGIC: Final = b"MXREGXA\n"  # another one whenever what is worked out from an expression changes
_SIZES: Final = struct.Struct("<QQQQQQ")


_Opened = tuple[candidates.Candidates, pcre2.Filter]
Piece = tuple[int, bytes, Sequence[int] | None]  # kind of text, text, where its segments begin


class Regex(NamedTuple):
    """An expression: Perl syntax over bytes; flags out of "imsx"; `multiple`: count matches, up to `max_hits`.

    `plain`: the same expression written out, to tell its literals from; b"": `pattern`; `place`: the kind of text that
    it is applied to, counted from 0.
    """

    pattern: bytes
    flags: str = ""
    multiple: bool = False
    max_hits: int = 1
    plain: bytes = b""
    place: int = 0


class _Blobs(NamedTuple):
    """Compiled forms: literals of the text, of its skeleton, the sieve, what each expression needs of them, its number
    in the sieve (int32 each), and the kinds of text that each literal is looked for in (rows of uint64)."""

    text: bytes | memoryview
    skeleton: bytes | memoryview
    sieve: bytes | memoryview
    needs: bytes | memoryview
    own: bytes
    uses: bytes


class RegexSet:
    """Immutable; may be shared between threads."""

    def __init__(self, patterns: Sequence[Regex], cache: Path | None = None, few: int = FEW) -> None:
        """Args: cache: directory for what was worked out, made when absent; few: a set of more expressions has a
        sieve, too; in one of no more PCRE2 tries all whose literals are found. Raises: RulePackError naming the fault.
        """
        self.patterns = tuple(patterns)
        needs, filters = _prepare(self.patterns, cache, has_sieve=len(self.patterns) > few)
        self.unfiltered = tuple(needs.always)
        given = [(p.pattern, p.flags, max(1, p.max_hits) if p.multiple else 1) for p in self.patterns]
        try:
            self._set = pcre2.Patterns(given, filters, [pattern.place for pattern in self.patterns])
        except pcre2.PatternError as error:
            text = self.patterns[error.number].pattern.decode("latin-1")
            raise RulePackError(f"{error} at offset {error.offset} of /{text}/", pack="regex") from None

    def match(self, data: bytes, starts: Sequence[int] | None = None) -> list[tuple[int, int, int, int]]:
        """(number, count, start, end of the first match) of each expression that matches in a segment of the text.

        Args: starts: offsets at which segments begin, ascending; None: the text is one. `^ $ \\A \\z .` see one
        segment only. Expressions that gave up are left out: see `match_all`.
        """
        return self._set.match(data, starts, BUDGET_US)[0]

    def match_all(
        self, data: bytes, starts: Sequence[int] | None = None
    ) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        """As `match`, and the numbers of expressions that used up their limits, so that nothing is known of them."""
        return self._set.match(data, starts, BUDGET_US)

    def match_pieces(self, pieces: list[Piece]) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        """As `match_all`, for texts of several kinds in one call: each expression sees the pieces of its place."""
        return self._set.match_pieces(pieces, BUDGET_US)


def _prepare(patterns: Sequence[Regex], cache: Path | None, *, has_sieve: bool) -> _Opened:
    """Compiled literals and needs, from the cache when it has them."""
    file = cache / f"regex-{_key(patterns)}.bin" if cache is not None else None
    if file is not None and (opened := _load(file)) is not None:
        return opened
    blobs = _worked_out(patterns, LiteralTable(has_sieve=has_sieve))
    if file is not None:
        _store(file, blobs)
    return _opened(blobs)


def _opened(blobs: _Blobs) -> _Opened:
    """Raises: ValueError for what is damaged or of another version."""
    needs = candidates.Candidates(blobs.needs)
    text, skeleton = literals.Literals(blobs.text), literals.Literals(blobs.skeleton)
    return needs, pcre2.Filter(text, skeleton, sieve.Sieve(blobs.sieve), needs, array("i", blobs.own), blobs.uses)


def _worked_out(patterns: Sequence[Regex], table: LiteralTable) -> _Blobs:
    needs = [needed(p.plain or p.pattern, p.flags, table, p.place) for p in patterns]
    text, skeleton = (literals.compile(column.literals, literals.CASELESS) for column in (table.text, table.skeleton))
    vain = _in_vain(table)
    needs = [True if type(need) is int and need % 3 == 2 and need // 3 in vain else need for need in needs]
    kinds = range(max(table.first, default=-1) + 1)
    first = [[number for number in table.first.get(kind, ()) if number not in vain] for kind in kinds]
    block = _sieve(table.automata, first)
    passed = _passed(block)
    own = array("i", (-1 if passed.get(number, 0.0) > IN_VAIN else number for number in table.own))
    uses = _uses(needs, [p.place for p in patterns], max(len(table.text.literals), len(table.skeleton.literals)))
    return _Blobs(text, skeleton, block, candidates.compile(needs), own.tobytes(), uses)


def _uses(needs: Sequence[Need], places: Sequence[int], n_literals: int) -> bytes:
    """Rows of bits: the kinds of text that expressions look for each literal in."""
    n_words = (max(places, default=0) + 64) // 64
    rows = array("Q", bytes(8 * n_words * (3 * n_literals + 3)))
    for need, place in zip(needs, places, strict=True):
        waiting = [need]
        while waiting:
            item = waiting.pop()
            if isinstance(item, tuple):
                waiting += () if isinstance(item[-1], int) else item[-1]
            elif item is not True and item % 3 < 2:
                rows[item * n_words + place // 64] |= 1 << place % 64
    return rows.tobytes()


def _in_vain(table: LiteralTable) -> set[int]:
    """Expressions looked for in every text whose beginnings stand in most lines, so that it is of no use."""
    numbers = [number for members in table.first.values() for number in members]
    beginnings = [sieve.cut(table.automata[number], BEGINNING) for number in numbers]
    passed = _passed(_sieve([places for places in beginnings if places is not None]))
    return {numbers[at] for at, share in passed.items() if share > IN_VAIN}


def _sieve(automata: Sequence[sieve.Automaton], first: Sequence[Sequence[int]] = ()) -> bytes:
    return sieve.compile(automata, sample() if automata else b"", first)


def _passed(block: bytes) -> dict[int, float]:
    """The share of lines in which each expression of a sieve may match."""
    every = sieve.Sieve(block)
    lines = sample().split(b"\n")[::LOOKED_AT] if every.n else []
    seen = Counter(number for line in lines for number in every.seen(line))
    return {number: times / len(lines) for number, times in seen.items()}


def _key(patterns: Sequence[Regex]) -> str:
    digest = hashlib.sha256(_MAGIC)
    for pattern in patterns:
        told = pattern.plain or pattern.pattern
        digest.update(b"%d\0%s\0%s\0%d\0" % (len(told), told, pattern.flags.encode(), pattern.place))
    return digest.hexdigest()[:32]


def _load(file: Path) -> _Opened | None:
    """What was kept, mapped, so that processes share it; None when there is nothing or it is not what was written."""
    try:
        with open_cache(file) as opened:
            content = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # no such file, an empty one, or one that others may have written
        return None
    head, body = content[: len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    if head != _MAGIC + hashlib.sha256(body).digest():
        return None
    at = _SIZES.size
    parts: list[memoryview] = []
    for size in _SIZES.unpack_from(body):
        parts.append(body[at : at + size])
        at += _padded(size)
    text, skeleton, block, needs, own, uses = parts
    blobs = _Blobs(text, skeleton, block, needs, bytes(own), bytes(uses))
    try:
        return _opened(blobs)
    except ValueError:  # of another version of ours
        return None


def _store(file: Path, blobs: _Blobs) -> None:
    body = _SIZES.pack(*map(len, blobs)) + b"".join(bytes(blob).ljust(_padded(len(blob)), b"\0") for blob in blobs)
    write_cache(file, _MAGIC + hashlib.sha256(body).digest() + body)


def _padded(size: int) -> int:
    """So that each of the compiled forms begins at a multiple of eight bytes."""
    return (size + 7) & ~7
