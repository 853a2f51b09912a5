"""Packed streams: every kind gives its one file, joined from all streams, bounded, and never silently torn."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import subprocess
import tarfile
from io import BytesIO

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus
from mxtest.unpackkit import unpack
from mxward.core.unpack.container.streams import inner_name

FAST = [{"id": lzma.FILTER_LZMA1, "preset": 0, "dict_size": 8 << 20}]
TEXT = b"canary in a stream, " * 500


def tool(*words: str) -> bytes:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    return subprocess.run(words, input=TEXT, capture_output=True, check=True).stdout


PACKED = {
    "gz": lambda: gzip.compress(TEXT),
    "bz2": lambda: bz2.compress(TEXT),
    "xz": lambda: lzma.compress(TEXT),
    "lzma": lambda: lzma.compress(TEXT, lzma.FORMAT_ALONE),
    "zst": lambda: zstandard.compress(TEXT),
    "lz4": lambda: tool("lz4", "-c"),
    "Z": lambda: tool("compress", "-c"),
    "lz": lambda: tool("lzip", "-c"),
}


@pytest.mark.parametrize("kind", PACKED)
def test_each_kind_gives_its_file(kind: str) -> None:
    tree = unpack(PACKED[kind](), f"letter.txt.{kind}")
    assert tree.content == {"letter.txt": TEXT}
    assert tree.ended and not tree.unseen and not tree.found


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst", "lz", "lz4"])
def test_streams_one_behind_the_other_are_one_file(kind: str) -> None:
    tree = unpack(PACKED[kind]() * 3, f"a.{kind}")
    assert tree.content == {"a": TEXT * 3}
    assert not tree.unseen


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "lzma", "zst", "lz", "lz4"])
@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_what_breaks_off_is_said_and_its_beginning_told(kind: str, cut: float) -> None:
    data = PACKED[kind]()
    tree = unpack(data[: int(len(data) * cut)], f"a.{kind}")
    assert tree.reasons == {"damaged"}
    assert TEXT.startswith(b"".join(leaf.data for leaf in tree.children))


def test_a_wrong_checksum_is_said_and_the_content_told() -> None:
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 1
    tree = unpack(bytes(data), "a.gz")
    assert tree.reasons == {"damaged"} and tree.holds(TEXT)


def test_what_follows_the_stream_is_a_child() -> None:
    tree = unpack(gzip.compress(TEXT) + b"PS: canary two", "a.gz")
    assert tree.content == {"a": TEXT, "data after the container": b"PS: canary two"}
    assert "CONTAINER_APPENDED" in tree.findings


def test_a_name_in_the_header_comes_first() -> None:
    out = BytesIO()
    with gzip.GzipFile("inner.exe", "wb", fileobj=out) as stream:
        stream.write(TEXT)
    assert unpack(out.getvalue(), "a.gz").children[0].names == ("inner.exe", "a")


@pytest.mark.parametrize(
    ("name", "inner"), [("a.tgz", "a.tar"), ("a.txt.gz", "a.txt"), ("a", "a"), ("", "content"), (".gz", "content")]
)
def test_the_name_without_its_ending(name: str, inner: str) -> None:
    assert inner_name(name) == inner


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "lzma", "zst"])
def test_bombs_end_at_a_limit(kind: str) -> None:
    zeros = bytes(120 << 20)
    packed = {
        "gz": lambda: gzip.compress(zeros, 1),
        "bz2": lambda: bz2.compress(bytes(20 << 20), 1) * 8,
        "xz": lambda: lzma.compress(zeros, preset=0),
        "lzma": lambda: lzma.compress(zeros, lzma.FORMAT_ALONE, filters=FAST),
        "zst": lambda: zstandard.compress(zeros),
    }[kind]()
    tree = unpack(packed, "bomb")
    assert tree.reasons <= {"limit:ratio", "limit:bytes"} and tree.reasons
    assert tree.n_bytes <= 110 << 20


def test_a_large_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1, write_content_size=False)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    tree = unpack(packed.compress(TEXT) + packed.flush(), "a.zst")
    assert tree.reasons == {"limit:memory"}


def test_szdd_of_the_public_sample() -> None:
    folder = corpus.need("attachments/clamav")
    tree = unpack((folder / "clam.exe.szdd").read_bytes(), "clam.ex_")
    assert tree.children[0].data == (folder / "clam.exe").read_bytes()


def tar_of(kind: int) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as tar:
        long = tarfile.TarInfo("f/" + "x" * 90 + "/h\u00e4llo.txt")
        long.size = len(TEXT)
        tar.addfile(long, BytesIO(TEXT))
        for name, code, target in (("l", b"2", "../../etc/passwd"), ("h", b"1", "f"), ("d", b"3", ""), ("p", b"6", "")):
            other = tarfile.TarInfo(name)
            other.type, other.linkname = code, target
            tar.addfile(other)
    return out.getvalue()


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_of_all_kinds(kind: int) -> None:
    tree = unpack(gzip.compress(tar_of(kind)), "a.tgz")
    assert [leaf.data for leaf in tree.children[1:]] == [TEXT]
    assert tree.children[1].name.endswith("/h\u00e4llo.txt")
    assert [name for _, name in tree.listed] == ["l", "h", "d", "p"]
    assert tree.findings == {"CONTAINER_LINK", "CONTAINER_DEVICE", "CONTAINER_PATH_TRAVERSAL"}


def test_a_torn_tar_is_said() -> None:
    tree = unpack(tar_of(tarfile.USTAR_FORMAT)[:3000], "a.tar")
    assert tree.reasons == {"damaged"}


def test_a_sparse_tar_of_a_terabyte_ends_at_a_limit() -> None:
    head = tarfile.TarInfo("big")
    head.size = 1 << 40
    tree = unpack(head.tobuf(tarfile.GNU_FORMAT) + bytes(1024), "a.tar")
    assert tree.reasons == {"limit:bytes"}


@given(st.sampled_from(["gz", "bz2", "xz", "zst", "lzma"]), st.data())
def test_mutated_bytes_end_in_an_answer(kind: str, data: st.DataObject) -> None:
    packed = bytearray(PACKED[kind]())
    for place in data.draw(st.lists(st.integers(2, len(packed) - 1), max_size=5)):
        packed[place] = data.draw(st.integers(0, 255))
    assert unpack(bytes(packed), f"a.{kind}").ended
