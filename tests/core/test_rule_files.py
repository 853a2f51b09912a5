"""core/rules/files: a pack's directory is read once and within bounds, and nothing in it leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mxward.core.errors import RulePackError
from mxward.core.rules import files
from mxward.core.rules.files import Collector, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine" / "tests" / "must-match").mkdir(parents=True)
    (tmp_path / "mine" / "pack.toml").write_text('name = "mine"\nversion = "1"\n')
    (tmp_path / "mine" / "tests" / "must-match" / "A.eml").write_bytes(b"sample\xff")
    return tmp_path / "mine"


def refused(folder: Path) -> str:
    with pytest.raises(RulePackError) as caught:
        read_folder(folder)
    return str(caught.value)


def test_what_is_read(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").symlink_to("/etc/passwd")
    assert list(read_folder(folder).contents) == ["pack.toml", "tests/must-match/A.eml"]
    assert list(read_folder(folder, samples=False).contents) == ["pack.toml"]


def test_a_pack_may_be_reached_by_a_link_and_is_the_same(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert read_folder(tmp_path / "link").digest == read_folder(folder).digest


def test_every_byte_and_name_counts_in_the_digest(folder: Path) -> None:
    seen = {read_folder(folder).digest}
    (folder / "tests" / "must-match" / "A.eml").write_bytes(b"sample\xfe")
    seen.add(read_folder(folder).digest)
    (folder / "tests" / "must-match" / "A.eml").rename(folder / "tests" / "must-match" / "B.eml")
    seen.add(read_folder(folder).digest)
    assert len(seen) == 3


@pytest.mark.parametrize("name", ["pack.toml", "a.yar", "tests/must-match/B.eml", "README"])
def test_links_are_refused_wherever_they_are(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to("/etc/passwd")
    assert refused(folder) == f"mine/{name}: is a symbolic link; packs hold plain files only"


def test_linked_folders_are_refused(folder: Path) -> None:
    (folder / "more").symlink_to("/etc")
    assert refused(folder) == "mine/more: is a symbolic link; packs hold plain files only"


def test_pipes_are_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "a.yar")
    assert refused(folder) == "mine/a.yar: is no plain file"


def test_a_file_that_is_too_large(folder: Path) -> None:
    with open(folder / "pack.toml", "wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    assert refused(folder) == f"mine/pack.toml: is larger than {files.MAX_FILE_BYTES} bytes"


def test_files_that_are_too_large_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_PACK_BYTES", 1000)
    (folder / "a.list").write_bytes(b"x" * 990)
    assert refused(folder) == "mine: is larger than 1000 bytes altogether"


def test_too_many_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    (folder / "a.list").write_text("x")
    assert refused(folder) == "mine: holds more than 2 files"


def test_too_deep(folder: Path) -> None:
    deep = folder / "/".join(["x"] * files.MAX_DEPTH)
    deep.mkdir(parents=True)
    (deep / "a.list").write_text("x")
    assert "folders deep" in refused(folder)


@pytest.mark.parametrize("name", ["a\nb.list", "a\\b.list", "\u202egpj.list", "x" * 201])
def test_names_that_would_mislead(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    message = refused(folder)
    assert "has a name" in message
    assert message.isprintable()


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "a//x", "", ".", "a/./x", "a\0b"])
def test_paths_that_climb(path: str) -> None:
    with pytest.raises(RulePackError, match="has a name that is not allowed"):
        Collector("mine").add(path, b"")


def test_one_path_twice() -> None:
    collector = Collector("mine")
    collector.add("a", b"")
    with pytest.raises(RulePackError, match="mine/a: is there twice"):
        collector.add("a", b"")


def test_what_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert refused(tmp_path / "file") == "file: cannot be read: Not a directory"
    assert refused(tmp_path / "none") == "none: cannot be read: No such file or directory"
