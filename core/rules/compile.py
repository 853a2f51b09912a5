"""Packs to compiled rules: one index of YARA rules for all packs, cached by content under DATA/cache.

How YARA rules are indexed and kept is core/rules/yara.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mxward.bindings import yara
from mxward.core.errors import RulePackError
from mxward.core.rules.attachments import AttachmentRule
from mxward.core.rules.hashlist import HashIndex, index_hashes
from mxward.core.rules.literals import LiteralList
from mxward.core.rules.pack import Pack
from mxward.core.rules.regexlist import RegexList, RegexView, compile_regexes
from mxward.core.rules.staged import mark_built
from mxward.core.rules.yara.build import Progress
from mxward.core.rules.yara.index import YaraIndex
from mxward.core.rules.yara.store import open_index

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.engine import Engine

# What conditions may refer to, with the values they have when nothing else is known. The last five are what
# public rule sets expect.
EXTERNALS: Final[dict[str, str | int | bool]] = {
    "view": "raw",  # "raw" the message as received, "part" a decoded part, "text" readable text
    "direction": "inbound",
    "content_type": "",  # as declared
    "true_type": "",  # by content
    "part_depth": 0,
    "part_reading": 0,
    "filename": "",
    "filepath": "",
    "extension": "",
    "filetype": "",
    "owner": "",
}
SEPARATOR: Final = ":"  # of pack label and file in a namespace


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that the detectors need of all enabled packs."""

    packs: tuple[Pack, ...]
    yara: YaraIndex | None
    literals: tuple[tuple[str, LiteralList], ...]  # (pack label, list)
    attachments: tuple[tuple[str, AttachmentRule], ...]  # (pack label, rule)
    version: str  # short digest of all packs
    spamassassin: tuple[tuple[str, Engine], ...] = ()  # (pack label, its SpamAssassin tests)
    regexes: tuple[tuple[str, RegexList], ...] = ()  # (pack label, list)
    regex_views: Mapping[str, RegexView] = field(default_factory=dict)  # view -> the expressions of all lists for it
    hashes: HashIndex | None = None  # all hash lists

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(pack.label for pack in self.packs)


def compile_packs(packs: Sequence[Pack], cache: Path | None = None, progress: Progress | None = None) -> RuleSet:
    """Compile all packs in one go.

    Args: cache: directory for what was worked out, made when absent; None compiles always; progress: as of `build` of
    YARA rules, which take longest.
    Raises: RulePackError with pack, file and line of the first rule that does not compile.
    """
    digest = hashlib.sha256("\0".join(f"{p.label}\0{p.digest}" for p in packs).encode()).hexdigest()
    sources = {f"{p.label}{SEPARATOR}{s.file}": s.text for p in packs for s in p.yara}
    rules = RuleSet(
        tuple(map(_without_digests, packs)), _compiled(sources, cache, progress) if sources else None,
        tuple((p.label, literal_list) for p in packs for literal_list in p.literals),
        tuple((p.label, rule) for p in packs for rule in p.attachments), digest[:12],
        tuple((p.label, _engine(p, cache)) for p in packs if p.spamassassin),
        tuple((p.label, regexes) for p in packs for regexes in p.regexes),
        compile_regexes([regexes for p in packs for regexes in p.regexes], cache),
        index_hashes([(p.label, one) for p in packs for one in p.hashes], cache),
    )  # fmt: skip
    if cache is not None:
        mark_built(packs, cache)
    return rules


def _without_digests(pack: Pack) -> Pack:
    """The pack without what is in the index: millions of digests need not be kept twice."""
    return replace(pack, hashes=tuple(replace(one, digests=()) for one in pack.hashes)) if pack.hashes else pack


def _engine(pack: Pack, cache: Path | None) -> Engine:
    """The SpamAssassin tests of a pack. Imported here, as few packs have some."""
    from mxward.core.rules.spamassassin.load import load_engine

    return load_engine(pack.spamassassin, pack.spamassassin_options, pack.left_out, cache)[0]


def _compiled(sources: dict[str, str], cache: Path | None, progress: Progress | None) -> YaraIndex:
    try:
        return open_index(sources, EXTERNALS, cache, progress)
    except yara.YaraSyntaxError as error:
        label, _, name = error.namespace.partition(SEPARATOR)
        raise RulePackError(error.reason, pack=f"{label.partition('@')[0]}/{name}", line=error.line) from None
    except yara.YaraFailure as error:
        raise RulePackError(str(error), pack="yara") from None
