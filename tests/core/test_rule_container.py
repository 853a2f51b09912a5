"""core/rules/container: packs in one file are read within bounds, and every trick of containers is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.errors import RulePackError
from mxward.core.rules import container, files
from mxward.core.rules.container import read_container, read_source

FILES = {"pack.toml": b'name = "p"\nversion = "1"\n', "a.yar": b"rule A { condition: true }", "tests/x/y": b"s"}


def tar(contents: dict[str, bytes], *more: tarfile.TarInfo, kind: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=kind) as file:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
        for entry in more:
            file.addfile(entry, io.BytesIO(bytes(entry.size)))
    return out.getvalue()


def entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def zipped(contents: dict[str, bytes], *more: tuple[zipfile.ZipInfo, bytes], method: int = 8) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in contents.items():
            file.writestr(name, content)
        for info, content in more:
            file.writestr(info, content)
    return out.getvalue()


def refused(name: str, content: bytes) -> str:
    with pytest.raises(RulePackError) as caught:
        read_container(name, content)
    return str(caught.value)


def extended(kind: bytes, payload: bytes) -> bytes:
    """A header of that kind, which extends the next one, with its content."""
    made = tarfile.TarInfo("././@PaxHeader")
    made.type, made.size = kind, len(payload)
    return made.tobuf(tarfile.USTAR_FORMAT) + payload + bytes(-len(payload) % 512)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_headers_that_extend_others_are_small(kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of digits of a megabyte keeps the library's own expressions busy for hours."""
    begin = time.process_time()
    assert "larger than that of any pack" in refused("p.tar", extended(kind, b"1" * 1_000_000) + bytes(1024))
    monkeypatch.setattr(container, "_MAX_EXTENDED_SUM", 400_000)
    many = extended(kind, b"1" * 4000) * 20_000
    assert "cannot be unpacked" in refused("p.tgz", gzip.compress(many + bytes(1024), 1))
    assert time.process_time() - begin < 30


def test_a_path_as_long_as_allowed_is_read() -> None:
    name = "/".join(["d" * files.MAX_NAME_BYTES] * (files.MAX_DEPTH - 1) + ["a.yar"])
    contents = {"pack.toml": FILES["pack.toml"], name: b"rule A { condition: true }"}
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert dict(read_container("p.tar.gz", tar(contents, kind=kind)).contents) == contents


@pytest.mark.parametrize("wrap", ["", "p-1.0/"])
def test_what_is_read(wrap: str) -> None:
    contents = {wrap + name: content for name, content in FILES.items()}
    contents[f"{wrap}.git/config"] = b"hidden"
    for name, content in (
        ("p.tar.gz", tar(contents)), ("p.tgz", tar(contents, kind=tarfile.GNU_FORMAT)),
        ("p.tar", gzip.decompress(tar(contents))), ("p.zip", zipped(contents)),
    ):  # fmt: skip
        assert dict(read_container(name, content).contents) == FILES, name


def test_a_directory_and_its_container_are_the_same_pack(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_bytes(content)
    (tmp_path / "p.zip").write_bytes(zipped(FILES))
    assert read_source(tmp_path / "p").digest == read_source(tmp_path / "p.zip").digest


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\\..\\x", "..", "a/./b"])
def test_names_that_lead_out(name: str) -> None:
    for file, content in (("p.tar.gz", tar({**FILES, name: b"x"})), ("p.zip", zipped({**FILES, name: b"x"}))):
        assert "has a name that is not allowed" in refused(file, content)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_in_a_tar(kind: bytes) -> None:
    assert refused("p.tgz", tar(FILES, entry("b.yar", kind, "a.yar"))) == "p.tgz/b.yar: is no plain file"


def test_links_encryption_and_odd_methods_in_a_zip() -> None:
    link = zipfile.ZipInfo("b.yar")
    link.external_attr = 0o120777 << 16
    assert refused("p.zip", zipped(FILES, (link, b"/etc/passwd"))) == "p.zip/b.yar: is no plain file"
    locked = bytearray(zipped({"b.yar": b"x"}))
    locked[locked.rfind(b"PK\x01\x02") + 8] |= 1
    assert refused("p.zip", bytes(locked)) == "p.zip/b.yar: is encrypted"
    assert "method that is not read" in refused("p.zip", zipped(FILES, method=zipfile.ZIP_BZIP2))


def test_a_name_twice() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        for _ in range(2):
            file.addfile(tarfile.TarInfo("pack.toml"))
    assert refused("p.tgz", out.getvalue()) == "p.tgz/pack.toml: is there twice"


def test_what_expands_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = {"a.yar": bytes(files.MAX_FILE_BYTES + 1)}
    assert "is larger than" in refused("p.zip", zipped(huge))
    assert "is larger than" in refused("p.tgz", tar(huge))
    monkeypatch.setattr(container, "_MAX_TAR_BYTES", 100_000)
    bomb = tarfile.TarInfo("a.yar")
    bomb.size = 200_000
    assert "grows beyond what a pack may hold" in refused("p.tgz", tar(FILES, bomb))


def test_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_FILES", 3)
    assert "holds more than 3 files" in refused("p.zip", zipped({f"{n}.yar": b"" for n in range(4)}))
    folders = [entry(f"d{n}", tarfile.DIRTYPE) for n in range(9)]
    assert "has more than 6 entries" in refused("p.tgz", tar({}, *folders))


def test_a_zip_whose_list_is_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_MAX_DIRECTORY_BYTES", 100)
    assert "holds more than" in refused("p.zip", zipped({f"{n}.yar": b"" for n in range(9)}))


@pytest.mark.parametrize("name", ["p.zip", "p.tgz", "p.tar", "p.tar.gz"])
@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06", b"PK\x03\x04" + bytes(50), b"\x1f\x8b\x08" + bytes(30), b"x" * 600]
)
def test_what_is_no_container(name: str, content: bytes) -> None:
    if (name, content) != ("p.tar", b""):
        assert refused(name, content).startswith(name)


@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from(["p.zip", "p.tgz", "p.tar"]))
def test_a_damaged_container_is_read_or_refused(at: int, value: int, name: str) -> None:
    made = {"p.zip": zipped(FILES), "p.tgz": tar(FILES), "p.tar": gzip.decompress(tar(FILES))}[name]
    damaged = bytearray(made)
    damaged[at % len(damaged)] = value
    try:
        read_container(name, bytes(damaged))
    except RulePackError:
        return


def test_cut_off(tmp_path: Path) -> None:
    for name, made in (("p.zip", zipped(FILES)), ("p.tgz", tar(FILES))):
        for size in range(0, len(made) - 1, 37):
            with pytest.raises(RulePackError):
                read_container(name, made[:size])


def test_what_is_no_pack_at_all(tmp_path: Path) -> None:
    (tmp_path / "p.rar").write_bytes(b"x")
    with pytest.raises(RulePackError, match="neither a directory nor one of"):
        read_source(tmp_path / "p.rar")
    with pytest.raises(RulePackError, match="No such file"):
        read_source(tmp_path / "none.zip")
