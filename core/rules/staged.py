"""Packs that can be served at once, while what takes long is worked out of the others by somebody else.

Working out thousands of rules takes seconds to half a minute; what comes of it is kept in the cache, where a mark says
that all of a set of packs is there. Who works it out, and when, is server/smtp/rules.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from mxward import __version__
from mxward.bindings import yara
from mxward.core.rules.cachefile import is_kept, write_cache
from mxward.core.rules.pack import Pack

HEAVY_BYTES: Final = 256 << 10  # text of rules of one pack that takes longer than a start may: about 500 YARA rules
YARA, REGEX, SPAMASSASSIN = "yara", "regex", "spamassassin"


class Loading(NamedTuple):
    """An engine that does without the rules of some packs for now."""

    engine: str
    packs: tuple[str, ...]  # labels


def is_built(packs: Sequence[Pack], cache: Path | None) -> bool:
    """Is all that these packs need in the cache, or worked out in no time?"""
    return not any(_is_heavy(pack) for pack in packs) or (cache is not None and is_kept(_mark(packs, cache)))


def mark_built(packs: Sequence[Pack], cache: Path) -> None:
    """Note that these packs were compiled with that cache, all together."""
    if any(_is_heavy(pack) for pack in packs):
        write_cache(_mark(packs, cache), b"")


def at_once(packs: Sequence[Pack], cache: Path | None) -> tuple[list[Pack], tuple[Loading, ...]]:
    """The packs without rules that would have to be worked out, and what is left out of which; of a set that is built,
    all of it.

    A pack that lacks rules has another digest, so that what was judged by it is told apart. Word lists and attachment
    rules are never left out.
    """
    if is_built(packs, cache):
        return list(packs), ()
    heavy = [pack for pack in packs if _is_heavy(pack)]
    left_out = (
        (YARA, tuple(pack.label for pack in heavy if pack.yara)),
        (REGEX, tuple(pack.label for pack in heavy if pack.regexes)),
        (SPAMASSASSIN, tuple(pack.label for pack in heavy if pack.spamassassin)),
    )
    return (
        [_light(pack) if _is_heavy(pack) else pack for pack in packs],
        tuple(Loading(engine, labels) for engine, labels in left_out if labels),
    )


def _light(pack: Pack) -> Pack:
    return replace(pack, yara=(), regexes=(), spamassassin=(), digest=f"{pack.digest}-loading")


def _is_heavy(pack: Pack) -> bool:
    size = sum(len(source.text) for source in pack.yara) + sum(len(source.text) for source in pack.spamassassin)
    size += sum(len(expression.regex.pattern) for regexes in pack.regexes for expression in regexes.expressions)
    return size > HEAVY_BYTES


def _mark(packs: Sequence[Pack], cache: Path) -> Path:
    digest = hashlib.sha256(f"{__version__}\0{yara.VERSION}".encode())
    for pack in packs:
        digest.update(f"\0{pack.label}\0{pack.digest}".encode())
    return cache / f"built-{digest.hexdigest()[:32]}"
