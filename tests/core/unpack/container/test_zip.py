"""Zip: every dialect and method, every reading of what programs disagree on, passwords, bombs; never silent."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.unpackkit import USUAL, Tree, tree_of, unpack
from mxward.core.extract.opener import Request
from mxward.core.unpack.container.members import Members
from mxward.core.unpack.work import Work

TEXT = b"canary in a zip, " * 300


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as container:
        for name, data in members:
            container.writestr(name, data)
    return out.getvalue()


def sevenzip(folder: Path, *words: str) -> bytes:
    """What Debian's 7zz packs of TEXT as "letter.txt"."""
    if shutil.which("7zz") is None:
        pytest.skip("7zz (Debian: 7zip) is not installed")
    (folder / "letter.txt").write_bytes(TEXT)
    subprocess.run(["7zz", "a", "-tzip", *words, "out.zip", "letter.txt"], cwd=folder, capture_output=True, check=True)
    return (folder / "out.zip").read_bytes()


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_of_the_standard_library(method: int) -> None:
    tree = unpack(zipped(("a.txt", TEXT), ("f/", b""), ("f/b.bin", b""), method=method))
    assert tree.content == {"a.txt": TEXT, "f/b.bin": b""}
    assert [name for _, name in tree.listed] == ["f/"]
    assert tree.ended and not tree.found and not tree.unseen


@pytest.mark.parametrize("method", ["Copy", "Deflate", "Deflate64", "BZip2", "LZMA", "PPMd", "XZ"])
@pytest.mark.parametrize("cipher", ["", "ZipCrypto", "AES128", "AES256"])
def test_methods_and_ciphers_of_7zip(method: str, cipher: str, tmp_path: Path) -> None:
    if method == "XZ":
        pytest.importorskip("lzma")
        data = xz_in_zip()
    else:
        data = sevenzip(tmp_path, f"-mm={method}", *([f"-mem={cipher}", "-ppa55 word"] if cipher else []))
    tree = unpack(data, passwords=("wrong", "pa55 word"))
    assert tree.content == {"letter.txt": TEXT}
    assert not tree.unseen
    assert tree.findings == (
        {"CONTAINER_ENCRYPTED", "CONTAINER_PASSWORD_KNOWN"} if cipher and method != "XZ" else set()
    )


def xz_in_zip() -> bytes:
    import lzma

    packed = lzma.compress(TEXT)
    return member(b"letter.txt", packed, TEXT, method=95)


def member(
    name: bytes, packed: bytes, plain: bytes, *, method: int = 8, local: dict[str, int | bytes] | None = None
) -> bytes:
    """A zip of one member whose local header can say something else than the directory."""
    said = {"flags": 0, "method": method, "crc": zlib.crc32(plain), "packed": len(packed), "size": len(plain),
            "name": name} | (local or {})  # fmt: skip
    own = said["name"]
    assert isinstance(own, bytes)
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 20, said["flags"], said["method"], 0, 0, said["crc"], said["packed"], said["size"],
        len(own), 0,
    ) + own  # fmt: skip
    body = head + packed
    directory = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, method, 0, 0, zlib.crc32(plain), len(packed), len(plain),
        len(name), 0, 0, 0, 0, 0, 0,
    ) + name  # fmt: skip
    return body + directory + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(body), 0)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("cipher", ["ZipCrypto", "AES256"])
def test_without_the_password_each_member_is_said_to_be_encrypted(cipher: str, tmp_path: Path) -> None:
    tree = unpack(sevenzip(tmp_path, f"-mem={cipher}", "-pother"), passwords=("wrong",) * 3)
    assert not tree.children
    assert tree.reasons == {"encrypted"} and tree.listed == [(0, "letter.txt")]
    assert tree.findings == {"CONTAINER_ENCRYPTED"}


def test_many_passwords_end_in_time(tmp_path: Path) -> None:
    data = sevenzip(tmp_path, "-mem=AES256", "-pother")
    began = time.process_time()
    tree = unpack(data, passwords=tuple(f"word{n}" for n in range(200)))
    assert tree.reasons == {"encrypted"}
    assert time.process_time() - began < 2


def test_prepended_and_appended_data_are_children() -> None:
    tree = unpack(b"\x99\x98 first canary" + zipped(("a", TEXT)) + b"last canary", true_type="application/zip")
    assert tree.content["a"] == TEXT
    assert tree.holds(b"first canary") and tree.holds(b"last canary")
    assert tree.findings == {"CONTAINER_PREPENDED", "CONTAINER_APPENDED"}


def test_two_zips_one_behind_the_other_are_both_read() -> None:
    tree = unpack(zipped(("a", b"first" * 9)) + zipped(("b", b"second" * 9)))
    assert tree.holds(b"first" * 9) and tree.holds(b"second" * 9)
    assert tree.findings & {"CONTAINER_TWO_DIRECTORIES", "CONTAINER_PREPENDED"}


def test_a_zip_in_the_comment_of_another_is_read() -> None:
    inner = zipped(("b", b"second" * 9))
    outer = zipped(("a", TEXT))
    data = outer[:-2] + struct.pack("<H", len(inner)) + inner
    tree = unpack(data)
    assert tree.holds(TEXT) and tree.holds(b"second" * 9)
    assert tree.findings & {"CONTAINER_TWO_DIRECTORIES", "CONTAINER_PREPENDED"}


DISAGREEING: dict[str, dict[str, int | bytes]] = {
    "name": {"name": b"a.exe"},
    "method": {"method": 0},
    "packed": {"packed": 5},
    "size": {"size": 5},
    "encrypted": {"flags": 1},
}


@pytest.mark.parametrize("what", DISAGREEING)
def test_headers_that_disagree_give_both_readings(what: str) -> None:
    packed = deflated(TEXT)
    tree = unpack(member(b"a.txt", packed, TEXT, local=DISAGREEING[what]))
    assert tree.holds(TEXT)
    assert "CONTAINER_HEADERS_DISAGREE" in tree.findings
    if what == "name":
        assert tree.children[0].names == ("a.txt", "a.exe")
    if what == "method":
        assert any(leaf.data == packed for leaf in tree.children)
    if what == "encrypted":
        assert "encrypted" in tree.reasons


def test_content_longer_than_both_headers_say_is_read_to_its_end() -> None:
    data = member(b"a", deflated(TEXT), TEXT[:40], local={"size": 40})
    tree = unpack(data)
    assert {leaf.data for leaf in tree.children} == {TEXT, TEXT[:40]}
    assert "CONTAINER_HEADERS_DISAGREE" in tree.findings


def test_a_member_that_the_directory_does_not_name_is_read() -> None:
    data = zipped(("a", b"A" * 50), ("hidden", b"the canary"), ("c", b"C" * 50), method=zipfile.ZIP_STORED)
    at = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    end = data.index(b"PK\1\2", at + 1)
    cut = data[:at] + data[end:]
    tail = cut.index(b"PK\5\6")
    size = struct.unpack_from("<I", cut, tail + 12)[0] - (end - at)
    cut = patched(cut, tail + 8, struct.pack("<HHI", 2, 2, size))
    tree = unpack(cut)
    assert tree.content["hidden"] == b"the canary"
    assert tree.findings == {"CONTAINER_HIDDEN_MEMBER"}


def test_without_a_directory_members_are_read_by_their_headers() -> None:
    data = zipped(("a", TEXT), ("b", b"x"))
    tree = unpack(data[: data.index(b"PK\1\2")])
    assert tree.content == {"a": TEXT, "b": b"x"}
    assert tree.reasons == {"damaged"} and tree.findings == {"CONTAINER_BROKEN_DIRECTORY"}


def test_streamed_members_are_read() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.out = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.out += bytes(data)  # type: ignore[call-overload]  # a buffer
            return len(bytes(data))  # type: ignore[call-overload]  # a buffer

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("a", TEXT)
        container.writestr("b", TEXT * 2)
    whole = bytes(pipe.out)
    assert unpack(whole).content == {"a": TEXT, "b": TEXT * 2}
    assert not unpack(whole).found
    assert unpack(whole[: whole.index(b"PK\1\2")]).content == {"a": TEXT, "b": TEXT * 2}


def test_zip64_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container, container.open("a", "w", force_zip64=True) as stream:
        stream.write(TEXT)
    assert unpack(out.getvalue()).content == {"a": TEXT}


def test_names_are_judged() -> None:
    tree = unpack(zipped(("../../etc/cron.d/x", b"1"), ("C:\\x", b"2"), ("\\\\host\\x", b"3")))
    assert "CONTAINER_PATH_TRAVERSAL" in tree.findings and len(tree.children) == 3
    assert not unpack(zipped(("a..b/c.txt", b"1"), ("...", b""))).found


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_both_told() -> None:
    tree = unpack(zipped(("a", b"one"), ("a", b"two")))
    assert [leaf.data for leaf in tree.children] == [b"one", b"two"]
    assert tree.findings == {"CONTAINER_SAME_NAME"}


def test_links_and_devices_are_listed() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, kind in (("link", 0o120777), ("pipe", 0o010666)):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, kind << 16
            container.writestr(info, "../../../etc/passwd")
    tree = unpack(out.getvalue())
    assert tree.findings == {"CONTAINER_LINK", "CONTAINER_DEVICE", "CONTAINER_PATH_TRAVERSAL"}


def test_pieces_of_split_files_are_said() -> None:
    data = zipped(("a", TEXT))
    at = data.rindex(b"PK\5\6")
    tree = unpack(patched(data, at + 4, struct.pack("<HH", 1, 1)))
    assert "unsupported" in tree.reasons and "CONTAINER_SPLIT" in tree.findings


def test_a_wrong_checksum_is_said_and_the_content_told() -> None:
    data = zipped(("a", TEXT), method=zipfile.ZIP_STORED)
    tree = unpack(patched(data, data.index(b"canary"), b"CANARY"))
    assert tree.holds(b"CANARY") and tree.reasons == {"damaged"}


def costs(data: bytes) -> tuple[Tree, float]:
    unpack(zipped(("a", b"")))  # imports
    began = time.process_time()
    tree = unpack(data)
    return tree, time.process_time() - began


def test_a_million_entries_end_within_a_second() -> None:
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    one = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = one * 1_000_000
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0, 0, len(directory), len(head), 0)
    tree, seconds = costs(head + directory + end)
    assert "CONTAINER_OVERLAP" in tree.findings or tree.reasons == {"limit:parts"}
    assert seconds < 1


def test_overlapping_members_are_a_finding_and_end_at_a_limit() -> None:
    """The kernel of zeros is quoted by each header before it, as in the bomb of Fifield (2019)."""
    kernel, plain = deflated(bytes(4 << 20)), bytes(4 << 20)
    n = 200
    headers: list[tuple[bytes, bytes, bytes]] = []
    content, packed = plain, kernel
    for number in reversed(range(n)):
        name = b"%04d" % number
        head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(packed), len(content), 4, 0) + name
        headers.append((name, head, packed))
        packed = b"\0" + struct.pack("<HH", len(head), len(head) ^ 0xFFFF) + head + packed
    body = headers[-1][1] + headers[-1][2]
    directory = b""
    for name, head, packed_one in headers:
        at = len(body) - len(packed_one) - len(head)
        directory += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(packed_one), 4 << 20, 4, 0, 0, 0, 0, 0, at
        ) + name  # fmt: skip
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, n, n, len(directory), len(body), 0)
    tree, seconds = costs(body + directory + end)
    assert "CONTAINER_OVERLAP" in tree.findings
    assert tree.reasons & {"limit:ratio", "limit:bytes"}
    assert seconds < 1


def test_a_flat_bomb_ends_at_the_ratio() -> None:
    tree, seconds = costs(zipped(*((f"{n}", bytes(10 << 20)) for n in range(30))))
    assert tree.reasons == {"limit:ratio"} and tree.n_bytes <= 70 << 20
    assert seconds < 1


def test_a_bomb_in_layers_ends() -> None:
    data = zipped(*((f"{n}", bytes(1 << 20)) for n in range(10)))
    for _ in range(5):
        data = zipped(*((f"{n}.zip", data) for n in range(10)))
    tree, seconds = costs(data)
    assert tree.reasons & {"limit:ratio", "limit:parts", "limit:bytes"}
    assert seconds < 1


def test_deep_nesting_ends_at_the_depth() -> None:
    data = b"the canary"
    for _ in range(20):
        data = zipped(("a.zip", data), method=zipfile.ZIP_STORED)
    assert unpack(data).reasons == {"limit:depth"}


def test_a_container_that_holds_itself_is_found() -> None:
    """A quine is rare to come by: its one member is told here as its opener would tell it."""
    data = zipped(("a", b"x"))
    frames = bytearray()
    work = Work(Request("application/zip", "", (), USUAL), data, frames.extend)
    Members(work.todo[0], work).file(data, "again.zip")
    assert tree_of(bytes(frames)).findings == {"CONTAINER_QUINE"}


def test_a_lone_header_is_no_container() -> None:
    tree = unpack(b"PK\3\4 not a whole one", true_type="application/zip")
    assert tree.reasons == {"damaged"} and not tree.children


BASE = zipped(("a.txt", TEXT), ("b/c.exe", b"MZ" + bytes(60)), ("d.zip", zipped(("e", b"deep"))))


@given(st.integers(0, len(BASE)))
def test_cut_anywhere_it_answers(cut: int) -> None:
    tree = unpack(BASE[:cut], true_type="application/zip")
    assert tree.ended
    assert tree.unseen or cut == len(BASE)


@given(st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_mutated_anywhere_it_answers(changes: list[tuple[int, int]]) -> None:
    data = bytearray(BASE)
    for at, value in changes:
        data[at] = value
    assert unpack(bytes(data), true_type="application/zip").ended


def test_honest_zips_are_read_as_others_read_them(tmp_path: Path) -> None:
    if shutil.which("bsdtar") is None or shutil.which("unzip") is None:
        pytest.skip("bsdtar and unzip are not installed")
    chance = random.Random(7)
    members = [(f"f{n}/x{n}.bin", chance.randbytes(chance.randrange(5000)) * 3) for n in range(20)]
    (tmp_path / "a.zip").write_bytes(zipped(*members))
    content = unpack((tmp_path / "a.zip").read_bytes()).content
    for name, data in members:
        for words in (["bsdtar", "-xOf", "a.zip", name], ["unzip", "-p", "a.zip", name]):
            assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout == data == content[name]
