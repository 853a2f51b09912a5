"""From a true type to the openers that look into it, by the tables of core/extract/formats.

The sandbox's template process loads all of them at its start, so that no worker has to read a file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from mxward.core.extract.formats import FORMATS
from mxward.core.extract.formats.disarm import DISARM
from mxward.core.unpack.work import Item, Work

Open = Callable[[Item, Work], None]
Disarm = Callable[[Item, Work], bytes | None]  # the document without what acts in it; None when nothing does


@lru_cache(maxsize=1)
def _by_type() -> dict[str, tuple[Open, ...]]:
    found: dict[str, tuple[Open, ...]] = {}
    for entry in FORMATS:
        for kind in entry.types:
            found[kind] = (*found.get(kind, ()), _load(entry.opener))
    return found


def _load(path: str) -> Open:
    if not path:
        return _recognised_only
    opener: Open = _function(path)
    return opener


def _function(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(f"mxward.core.unpack.{module}"), name)


@lru_cache(maxsize=1)
def _disarmers() -> dict[str, Disarm]:
    return {kind: _function(path) for kind, path in DISARM.items()}


def disarmer_of(item: Item) -> Disarm | None:
    """What makes this item harmless."""
    return _disarmers().get(item.true_type)


def _recognised_only(item: Item, work: Work) -> None:
    work.unseen(item, "unsupported", item.true_type)


def openers_of(item: Item) -> tuple[Open, ...]:
    """What looks into this item, in order; () for what has nothing inside."""
    return _by_type().get(item.true_type, ())


def load_all() -> None:
    """Import every opener and what it needs."""
    _by_type()
    _disarmers()
