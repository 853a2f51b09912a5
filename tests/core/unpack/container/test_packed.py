"""What libraries unpack: rar, 7z, cab, lha, cpio, ar, rpm, xar, ISO; self-extracting programs; ClamAV's test files."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mxtest import corpus
from mxtest.unpackkit import unpack

TEXT = b"canary in a container, " * 300
OTHER = bytes(range(256)) * 20


def run(folder: Path, *words: str) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    subprocess.run(words, cwd=folder, capture_output=True, check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "letter.txt").write_bytes(TEXT)
    (tmp_path / "d" / "other.bin").write_bytes(OTHER)
    return tmp_path


WHOLE = {"letter.txt": TEXT, "other.bin": OTHER}


def named(content: dict[str, bytes]) -> dict[str, bytes]:
    """By last step of the name."""
    return {name.rpartition("/")[2]: data for name, data in content.items()}


@pytest.mark.parametrize("method", ["LZMA", "LZMA2", "PPMd", "BZip2", "Deflate", "Deflate64", "Copy"])
def test_7z_of_all_methods(method: str, folder: Path) -> None:
    run(folder, "7zz", "a", f"-m0={method}", "a.7z", "d")
    tree = unpack((folder / "a.7z").read_bytes())
    assert named(tree.content) == WHOLE
    assert not tree.unseen and not tree.found


@pytest.mark.parametrize("hidden", [False, True])
def test_encrypted_7z(hidden: bool, folder: Path) -> None:
    run(folder, "7zz", "a", "-ps3cret", *(["-mhe=on"] if hidden else []), "a.7z", "d")
    data = (folder / "a.7z").read_bytes()
    opened = unpack(data, passwords=("wrong", "s3cret"))
    assert named(opened.content) == WHOLE and not opened.unseen
    assert "CONTAINER_PASSWORD_KNOWN" in opened.findings
    closed = unpack(data, passwords=("wrong",))
    assert not closed.children and closed.reasons == {"encrypted"}
    assert ("CONTAINER_HEADER_ENCRYPTED" in closed.findings) == hidden
    assert hidden or {name for _, name in closed.listed} == {"d/", "d/letter.txt", "d/other.bin"}


def test_trying_passwords_of_7z_ends(folder: Path) -> None:
    run(folder, "7zz", "a", "-ps3cret", "a.7z", "d")
    began = time.process_time()
    tree = unpack((folder / "a.7z").read_bytes(), passwords=tuple(f"word {n}" for n in range(200)))
    assert tree.reasons == {"encrypted"} and time.process_time() - began < 3


def test_a_7z_bomb_ends(folder: Path) -> None:
    with (folder / "d" / "zeros").open("wb") as stream:
        stream.truncate(300 << 20)
    run(folder, "7zz", "a", "-mx=1", "a.7z", "d/zeros")
    began = time.process_time()
    tree = unpack((folder / "a.7z").read_bytes())
    assert tree.reasons <= {"limit:ratio", "limit:bytes"} and tree.reasons
    assert time.process_time() - began < 1


@pytest.mark.parametrize("kind", ["newc", "odc", "ar", "xar"])
def test_what_bsdtar_packs(kind: str, folder: Path) -> None:
    run(folder / "d", "bsdtar", "-cf", "../a", f"--format={kind}", "letter.txt", "other.bin")
    tree = unpack((folder / "a").read_bytes())
    assert named(tree.content)["letter.txt"] == TEXT and not tree.unseen


def test_cab(folder: Path) -> None:
    run(folder / "d", "gcab", "-c", "-z", "../a.cab", "letter.txt", "other.bin")
    assert unpack((folder / "a.cab").read_bytes()).content == WHOLE


@pytest.mark.parametrize("flag", [1, 2])
def test_a_piece_of_a_split_cab_is_said(flag: int) -> None:
    data = b"MSCF" + bytes(26) + struct.pack("<HHH", flag, 0, 0) + bytes(40)
    tree = unpack(data, true_type="application/vnd.ms-cab-compressed")
    assert "unsupported" in tree.reasons and "CONTAINER_SPLIT" in tree.findings


def test_rpm(folder: Path) -> None:
    spec = (
        "Name: a\nVersion: 1\nRelease: 1\nSummary: a\nLicense: a\nBuildArch: noarch\n%description\na\n"
        f"%install\nmkdir -p %{{buildroot}}/o\ncp {folder}/d/letter.txt %{{buildroot}}/o/\n%files\n/o/letter.txt\n"
    )
    (folder / "a.spec").write_text(spec)
    run(folder, "rpmbuild", "-bb", "--define", f"_topdir {folder}", "--define", f"_rpmdir {folder}", "a.spec")
    tree = unpack(next(folder.rglob("*.rpm")).read_bytes())
    assert named(tree.content) == {"letter.txt": TEXT} and not tree.unseen


def test_iso_shows_one_tree(folder: Path) -> None:
    run(folder, "genisoimage", "-quiet", "-J", "-R", "-o", "a.iso", "d")
    tree = unpack((folder / "a.iso").read_bytes())
    assert named(tree.content) == WHOLE and not tree.unseen
    assert tree.findings == {"CONTAINER_DISK_IMAGE"}


@pytest.mark.parametrize("hide", ["-hide", "-hide-joliet"])
def test_files_that_only_one_tree_shows_are_told(hide: str, folder: Path) -> None:
    run(folder, "genisoimage", "-quiet", "-J", hide, "letter.txt", "-o", "a.iso", "d")
    tree = unpack((folder / "a.iso").read_bytes())
    assert set(named(tree.content).values()) == set(WHOLE.values())
    assert "CONTAINER_TWO_TREES" in tree.findings


def rar5(*members: tuple[str, bytes], lock: bool = False, hide: bool = False, volume: bool = False) -> bytes:
    """Stored members as RAR 5 writes them."""

    def number(value: int) -> bytes:
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes([*out, value])

    def block(body: bytes) -> bytes:
        head = number(len(body)) + body
        return struct.pack("<I", zlib.crc32(head)) + head

    out = b"Rar!\x1a\7\1\0"
    if hide:
        return out + block(number(4) + number(0) + number(0) + number(0) + bytes([15]) + bytes(16)) + os.urandom(64)
    out += block(number(1) + number(0) + number(1 if volume else 0) + (number(0) if volume else b""))
    for name, data in members:
        lock_record = number(1) + number(0) + number(0) + bytes([15]) + bytes(32)
        extra = number(len(lock_record)) + lock_record if lock else b""
        body = number(2) + number(3 if lock else 2) + (number(len(extra)) if lock else b"") + number(len(data))
        body += number(4) + number(len(data)) + number(0o100644) + struct.pack("<I", zlib.crc32(data))
        body += number(0) + number(1) + number(len(name)) + name.encode() + extra
        out += block(body) + data
    return out + block(number(5) + number(0) + number(0))


def test_rar5() -> None:
    tree = unpack(rar5(("letter.txt", TEXT), ("other.bin", OTHER)))
    assert tree.content == WHOLE and not tree.unseen and not tree.found


def test_rar5_names_locked_members() -> None:
    tree = unpack(rar5(("letter.txt", TEXT), lock=True))
    assert tree.reasons == {"encrypted"} and tree.listed == [(0, "letter.txt")] and not tree.children


def test_rar5_with_hidden_names() -> None:
    tree = unpack(rar5(hide=True))
    assert tree.reasons == {"encrypted"} and "CONTAINER_HEADER_ENCRYPTED" in tree.findings


def locked_rar5(data: bytes, password: bytes, *, hide: bool) -> bytes:
    """One stored member, encrypted as RARLAB's description of the format says."""

    def encrypted(content: bytes, vector: bytes) -> bytes:
        whole = content.ljust(-(-len(content) // 16) * 16, b"\0")
        return Cipher(algorithms.AES(derived(0)), modes.CBC(vector)).encryptor().update(whole)

    def derived(more: int) -> bytes:
        return hashlib.pbkdf2_hmac("sha256", password, salt, 1024 + more)

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)

    def block(body: bytes) -> bytes:
        head = number(len(body)) + body
        plain = struct.pack("<I", zlib.crc32(head)) + head
        return vector + encrypted(plain, vector) if hide else plain

    salt, vector = bytes(range(16)), bytes(range(50, 66))
    long = derived(32)
    check = bytes(long[n] ^ long[n + 8] ^ long[n + 16] ^ long[n + 24] for n in range(8))
    check += hashlib.sha256(check).digest()[:4]
    out = b"Rar!\x1a\7\1\0"
    if hide:
        body = bytes([4, 0, 0, 1, 10]) + salt + check
        out += struct.pack("<I", zlib.crc32(number(len(body)) + body)) + number(len(body)) + body
    record = bytes([1, 0, 1, 10]) + salt + vector + check
    extra, packed = number(len(record)) + record, encrypted(data, vector)
    head = bytes([2, 3]) + number(len(extra)) + number(len(packed)) + bytes([4]) + number(len(data)) + number(0o100644)
    head += struct.pack("<I", zlib.crc32(data)) + bytes([0, 1, 10]) + b"letter.txt" + extra
    return out + block(bytes([1, 0, 0])) + block(head) + packed + block(bytes([5, 0, 0]))


@pytest.mark.parametrize("hide", [False, True])
def test_a_password_opens_rar5(hide: bool) -> None:
    data = locked_rar5(TEXT, b"s3cret", hide=hide)
    opened = unpack(data, passwords=("wrong", "s3cret"))
    assert opened.content == {"letter.txt": TEXT} and not opened.unseen
    assert "CONTAINER_PASSWORD_KNOWN" in opened.findings
    closed = unpack(data, passwords=("wrong",))
    assert not closed.children and closed.reasons == {"encrypted"}


def test_a_piece_of_a_split_rar_is_said() -> None:
    tree = unpack(rar5(("letter.txt", TEXT), volume=True))
    assert "unsupported" in tree.reasons and "CONTAINER_SPLIT" in tree.findings


def test_what_follows_a_rar_is_a_child() -> None:
    assert unpack(rar5(("letter.txt", TEXT)) + b"the end").content["data after the container"] == b"the end"


def rar4(name: bytes, data: bytes, flags: int = 0, main: int = 0) -> bytes:
    def block(kind: int, flags: int, body: bytes) -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head

    body = struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 29, 0x30, len(name), 0o100644)
    return (
        b"Rar!\x1a\7\0" + block(0x73, main, bytes(6)) + block(0x74, 0x8000 | flags, body + name) + data
        + block(0x7B, 0x4000, b"")
    )  # fmt: skip


def test_rar4() -> None:
    assert unpack(rar4(b"letter.txt", TEXT)).content == {"letter.txt": TEXT}
    locked = unpack(rar4(b"letter.txt", TEXT, flags=4))
    assert locked.reasons == {"encrypted"} and locked.listed == [(0, "letter.txt")]
    assert "CONTAINER_HEADER_ENCRYPTED" in unpack(rar4(b"x", TEXT, main=0x80)).findings
    assert "unsupported" in unpack(rar4(b"x", TEXT, flags=2)).reasons


def program(behind: bytes) -> bytes:
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 0, 0)
    section = b".text\0\0\0" + struct.pack("<IIII", 512, 4096, 512, 512) + bytes(16)
    return (head + section).ljust(512, b"\0") + b"\x90" * 512 + behind


@pytest.mark.parametrize("before", [b"", b";!@Install@!UTF-8!\r\nTitle=x\r\n;!@InstallEnd@!"])
def test_self_extracting_programs(before: bytes, folder: Path) -> None:
    run(folder, "7zz", "a", "a.7z", "d")
    for data in ((folder / "a.7z").read_bytes(), rar5(("letter.txt", TEXT))):
        tree = unpack(program(before + data))
        assert tree.holds(TEXT) and "CONTAINER_SELF_EXTRACTING" in tree.findings
    assert not unpack(program(b"just some text")).children


ACCEPTED_UNOPENED = {"clam.arj", "clam.sis"}  # said to be unsupported


def test_clamav_files_are_opened_or_said_to_be_unopened() -> None:
    files = sorted(corpus.need("attachments/clamav").iterdir())
    program = next(file for file in files if file.name == "clam.exe").read_bytes()
    assert len(files) > 30
    for file in files:
        data = file.read_bytes()
        tree = unpack(data, file.name)
        if data.startswith(b"MZ"):
            continue  # packed programs: nothing inside
        assert tree.ended
        if file.name in ACCEPTED_UNOPENED:
            assert tree.reasons == {"unsupported"}, file.name
        elif file.suffix not in (".rtf", ".doc", ".ppt", ".html", ".pdf") and file.name != "clam_cache_emax.tgz":
            assert any(leaf.data == program for leaf in tree.children), file.name


FORMATS = [
    "clam.7z",
    "clam.chm",
    "clam.cab",
    "clam.newc.cpio",
    "clam.exe.szdd",
    "clam.tnef",
    "clam.bin-le.cpio",
    "clam.exe.binhex",
]


@pytest.mark.parametrize("name", FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_files_are_answered(name: str, data: st.DataObject) -> None:
    content = bytearray((corpus.need("attachments/clamav") / name).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    assert unpack(bytes(content[:cut]), name).ended


@settings(max_examples=60, deadline=None)
@given(data=st.data(), old=st.booleans())
def test_damaged_rar_is_answered(data: st.DataObject, old: bool) -> None:
    content = bytearray(rar4(b"a", TEXT[:100]) if old else rar5(("a", TEXT[:100]), ("b", b"x")))
    if data.draw(st.booleans()):
        content = bytearray(locked_rar5(TEXT[:100], b"a", hide=old))
    for at in data.draw(st.lists(st.integers(8, len(content) - 1), max_size=6)):
        content[at] = data.draw(st.integers(0, 255))
    assert unpack(bytes(content), true_type="application/vnd.rar", passwords=("a",)).ended
