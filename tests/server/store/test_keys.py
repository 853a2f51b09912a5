"""The key file: made once, private, whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from mxward.core.errors import StoreError
from mxward.server.store.keys import KeyRing


def path_of(data: Path) -> Path:
    return data / "keys" / "master.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_made_on_first_start_and_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyRing(tmp_path)
    finally:
        os.umask(before)
    assert (mode(path_of(tmp_path).parent), mode(path_of(tmp_path))) == (0o700, 0o600)


def test_a_second_start_uses_the_same_keys(tmp_path: Path) -> None:
    first, second = KeyRing(tmp_path), KeyRing(tmp_path)
    assert first.current()[0] == second.current()[0]
    assert first.content_key == second.content_key


@pytest.mark.parametrize(("which", "bits"), [("keys", 0o750), ("keys/master.json", 0o640), ("keys/master.json", 0o604)])
def test_loose_modes_stop_the_start_and_say_the_remedy(tmp_path: Path, which: str, bits: int) -> None:
    KeyRing(tmp_path)
    (tmp_path / which).chmod(bits)
    with pytest.raises(StoreError, match=r"run: chmod 0[67]00"):
        KeyRing(tmp_path)


def test_loosened_later_shows_in_check(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path)
    assert keys.check() == []
    path_of(tmp_path).chmod(0o644)
    assert any("chmod" in p for p in keys.check())


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"current": "a", "keys": {}, "content": ""}', "[]"])
def test_a_damaged_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    KeyRing(tmp_path)
    path_of(tmp_path).write_text(content)
    with pytest.raises(StoreError, match="backup"):
        KeyRing(tmp_path)
    assert path_of(tmp_path).read_text() == content


def test_rotation_keeps_the_old_and_reaches_others(tmp_path: Path) -> None:
    mine, other = KeyRing(tmp_path), KeyRing(tmp_path)
    old = mine.current()[0]
    new = mine.rotate().encode()
    assert mine.current()[0] == new != old
    mine.cipher(old)
    other.cipher(new)  # a record of another process makes it read the file anew
    assert other.current()[0] == new
    assert mode(path_of(tmp_path)) == 0o600
    assert sorted(p.name for p in path_of(tmp_path).parent.iterdir()) == [".lock", "master.json"]


def test_concurrent_rotations_lose_no_key(tmp_path: Path) -> None:
    rings = [KeyRing(tmp_path) for _ in range(4)]
    made: list[str] = []
    threads = [threading.Thread(target=lambda r=r: made.extend(r.rotate() for _ in range(5))) for r in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(made) < set(KeyRing(tmp_path).ids())
    assert len(set(made)) == 20
