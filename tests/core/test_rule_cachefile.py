"""core/rules/cachefile: what others may have written is not read, and is made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mxward.core.rules.cachefile import distrusted, is_kept, open_cache, write_cache
from mxward.core.rules.regex import Regex, RegexSet
from mxward.core.rules.yara.store import is_cached, open_index

FOREIGN = 12345


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "cache" / "one.bin"
    assert write_cache(made, b"content")
    return made


def test_what_was_written_is_read(file: Path) -> None:
    with open_cache(file) as opened:
        assert opened.read() == b"content"
    assert file.stat().st_mode & 0o022 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    assert distrusted(file.parent) == []


@pytest.mark.parametrize("mode", [0o020, 0o002])
@pytest.mark.parametrize("part", ["file", "folder"])
def test_what_others_may_write_is_not_read_until_it_is_written_anew(file: Path, part: str, mode: int) -> None:
    path = file if part == "file" else file.parent
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(PermissionError, match="may be written by others"):
        open_cache(file)
    assert not is_kept(file)
    assert distrusted(file.parent) == [f"{path.name} may be written by others"]
    assert write_cache(file, b"content")
    assert is_kept(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give files away")
@pytest.mark.parametrize("part", ["file", "folder"])
def test_what_belongs_to_another_is_not_read(file: Path, part: str) -> None:
    os.chown(file if part == "file" else file.parent, FOREIGN, -1)
    with pytest.raises(PermissionError, match=f"belongs to user {FOREIGN}"):
        open_cache(file)


def test_links_are_not_followed(file: Path) -> None:
    other = file.with_name("two.bin")
    other.symlink_to(file)
    assert not is_kept(other)


def test_compiled_rules_that_others_may_write_are_made_anew(tmp_path: Path) -> None:
    cache, sources = tmp_path / "cache", {"a": 'rule A { strings: $a = "needle" condition: $a }'}
    open_index(sources, {}, cache)
    RegexSet([Regex(b"needle")], cache)
    before = {path: path.stat().st_ino for path in cache.iterdir()}
    assert len(before) == 2
    for path in before:
        path.chmod(0o666)
    assert not is_cached(sources, {}, cache)
    open_index(sources, {}, cache)
    RegexSet([Regex(b"needle")], cache)
    assert is_cached(sources, {}, cache)
    for path, number in before.items():
        assert path.stat().st_ino != number
        assert path.stat().st_mode & 0o022 == 0
