"""A set of Perl regular expressions: which literals each needs, and the set that PCRE2 matches with.

The results are those of PCRE2 for every expression alone; the literals only spare tries that cannot match. What was
worked out from the expressions' text is cached by content, so that a start does not parse thousands again.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.cachefile import write_cache
from mxward.core.rules.regex.needed import LiteralTable, needed
from mxward.core.rules.regex.sampletext import sample
from mxward.pyx import candidates, literals, sieve

BUDGET_US: Final = 2_000_000  # of one call: a message of ordinary size takes some 50
_MAGIC: Final = b"MXREGX4\n"  # another one whenever what is worked out from an expression changes
_SIZES: Final = struct.Struct("<QQQQ")


class Regex(NamedTuple):
    """An expression: Perl syntax over bytes; flags out of "imsx"; `multiple`: count matches, up to `max_hits`.

    `plain`: the same expression written out, to tell its literals from; b"": `pattern`.
    """

    pattern: bytes
    flags: str = ""
    multiple: bool = False
    max_hits: int = 1
    plain: bytes = b""


class _Blobs(NamedTuple):
    """Compiled forms: literals of the text, of its skeleton, the sieve, and what each expression needs of them."""

    text: bytes
    skeleton: bytes
    sieve: bytes
    needs: bytes


class RegexSet:
    """Immutable; may be shared between threads."""

    def __init__(self, patterns: Sequence[Regex], cache: Path | None = None) -> None:
        """Args: cache: directory for what was worked out, made when absent. Raises: RulePackError naming the fault."""
        self.patterns = tuple(patterns)
        blobs = _prepare(self.patterns, cache)
        needs = candidates.Candidates(blobs.needs)
        self.unfiltered = tuple(needs.always)
        given = [(p.pattern, p.flags, max(1, p.max_hits) if p.multiple else 1) for p in self.patterns]
        try:
            self._set = pcre2.Patterns(
                given,
                literals.Literals(blobs.text),
                literals.Literals(blobs.skeleton),
                sieve.Sieve(blobs.sieve),
                needs,
            )
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


def _prepare(patterns: Sequence[Regex], cache: Path | None) -> _Blobs:
    """Compiled literals and needs, from the cache when it has them."""
    file = cache / f"regex-{_key(patterns)}.bin" if cache is not None else None
    if file is not None and (blobs := _load(file)) is not None:
        return blobs
    table = LiteralTable()
    needs = [needed(pattern.plain or pattern.pattern, pattern.flags, table) for pattern in patterns]
    text, skeleton = (literals.compile(column.literals, literals.CASELESS) for column in (table.text, table.skeleton))
    blobs = _Blobs(text, skeleton, sieve.compile(table.automata, sample()), candidates.compile(needs))
    if file is not None:
        _store(file, blobs)
    return blobs


def _key(patterns: Sequence[Regex]) -> str:
    digest = hashlib.sha256(_MAGIC)
    for pattern in patterns:
        told = pattern.plain or pattern.pattern
        digest.update(b"%d\0%s\0%s\0" % (len(told), told, pattern.flags.encode()))
    return digest.hexdigest()[:32]


def _load(file: Path) -> _Blobs | None:
    """What was kept, or None when there is nothing or the file is not what was written."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    head, body = content[: len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    if head != _MAGIC + hashlib.sha256(body).digest():
        return None
    at, parts = _SIZES.size, []
    for size in _SIZES.unpack_from(body):
        parts.append(body[at : at + size])
        at += size
    blobs = _Blobs(*parts)
    try:
        literals.Literals(blobs.text)
        literals.Literals(blobs.skeleton)
        sieve.Sieve(blobs.sieve)
        candidates.Candidates(blobs.needs)
    except ValueError:  # of another version of ours
        return None
    return blobs


def _store(file: Path, blobs: _Blobs) -> None:
    body = _SIZES.pack(*map(len, blobs)) + b"".join(blobs)
    write_cache(file, _MAGIC + hashlib.sha256(body).digest() + body)
