"""Keeps indexes of YARA rules in files, by content: what was built once is mapped at the next start.

The files hold libyara's own form, which libyara trusts: each begins with the digest of what follows, is written by
rename, and is used only where nobody else may write (cachefile.py). A file that is damaged, or of another version, is
made anew.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from pathlib import Path

from mxward import __version__
from mxward.bindings import yara
from mxward.core.rules.cachefile import is_kept, open_cache, write_cache
from mxward.core.rules.yara.build import Progress, build
from mxward.core.rules.yara.index import IndexDamaged, YaraIndex


def open_index(
    sources: Mapping[str, str], externals: Mapping[str, str | int | bool], cache: Path | None,
    progress: Progress | None = None,
) -> YaraIndex:  # fmt: skip
    """The index of these sources, from the cache when it is there.

    Args: sources: namespace -> text; externals: variables of conditions, with default values; cache: a directory,
    made when absent; None: the index is kept in memory; progress: as `build`.
    Raises: YaraSyntaxError, YaraFailure: as `build`. A cache that cannot be read or written is no fault.
    """
    file = cache / f"yara-{_key(sources, externals)}.idx" if cache else None
    if file is not None and (index := _load(file)) is not None:
        return index
    block = build(sources, externals, progress)
    if file is not None and write_cache(file, block) and (index := _load(file)) is not None:
        return index  # mapped: the block in memory can go
    return YaraIndex(block, is_trusted=True)


def is_cached(sources: Mapping[str, str], externals: Mapping[str, str | int | bool], cache: Path | None) -> bool:
    """Would `open_index` find a file, so that it takes no time?"""
    return cache is not None and is_kept(cache / f"yara-{_key(sources, externals)}.idx")


def _key(sources: Mapping[str, str], externals: Mapping[str, str | int | bool]) -> str:
    digest = hashlib.sha256(f"{__version__}\0{yara.VERSION}\0{sorted(externals.items())!r}".encode())
    for namespace, text in sources.items():
        digest.update(f"\0{len(namespace)}\0{namespace}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _load(file: Path) -> YaraIndex | None:
    try:
        with open_cache(file) as opened:
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        return YaraIndex(mapped)
    except (OSError, ValueError, IndexDamaged):
        return None
