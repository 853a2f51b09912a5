"""pyx/hashlist against dictionaries and hashlib."""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx import hashlist
from mxward.pyx.hashlist import SIZES, TLSH_SIZE, HashTable


def lists_of(few: int) -> st.SearchStrategy[tuple[bytes, bytes, bytes]]:
    """Lists whose digests are few different ones, so that they meet each other."""
    return st.tuples(
        *(st.lists(st.integers(0, few).map(lambda n, s=size: _digest(n, s)), max_size=30).map(b"".join)
          for size in SIZES)
    )  # fmt: skip


def _digest(n: int, size: int) -> bytes:
    return (n * 0x0101010101010101 & (1 << 64) - 1).to_bytes(8, "big") + n.to_bytes(size - 8, "big")


def split(digests: bytes, size: int) -> list[bytes]:
    return [digests[i : i + size] for i in range(0, len(digests), size)]


@given(st.lists(lists_of(300) | lists_of(5), max_size=6))
def test_finds_what_a_dictionary_finds(lists: list[tuple[bytes, bytes, bytes]]) -> None:
    table = HashTable(hashlist.compile(lists))
    for kind, size in enumerate(SIZES):
        expected: dict[bytes, set[int]] = {}
        for number, one in enumerate(lists):
            for digest in split(one[kind], size):
                expected.setdefault(digest, set()).add(number)
        assert table.counts[kind] == sum(map(len, expected.values()))
        for n in range(310):
            assert table.find(_digest(n, size)) == sorted(expected.get(_digest(n, size), ()))


@given(st.lists(lists_of(300), max_size=4), st.data())
def test_a_damaged_table_is_refused(lists: list[tuple[bytes, bytes, bytes]], data: st.DataObject) -> None:
    blob = bytearray(hashlist.compile(lists))
    assert bytes(blob) == hashlist.compile(lists), "the same lists give the same bytes"
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(blob), bytes(blob[:at])):
        with pytest.raises(ValueError, match="damaged"):
            HashTable(broken)


def test_a_mapped_and_a_shifted_table_are_the_same(tmp_path: Path) -> None:
    digests = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(10_000))
    blob = hashlist.compile([(b"", b"", digests)])
    (tmp_path / "table").write_bytes(blob)
    with open(tmp_path / "table", "rb") as file:
        mapped = HashTable(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    shifted = HashTable(memoryview(b"x" + blob)[1:])
    for n in range(0, 20_000, 7):
        expected = [0] if n < 10_000 else []
        digest = hashlib.sha256(b"%d" % n).digest()
        assert mapped.find(digest) == shifted.find(digest) == expected


def test_a_list_of_one_beginning_is_no_danger() -> None:
    digests = b"".join(bytes(28) + n.to_bytes(4, "big") for n in range(50_000))
    table = HashTable(hashlist.compile([(b"", b"", digests)]))
    assert table.find(bytes(28) + (49_999).to_bytes(4, "big")) == [0]
    assert table.find(bytes(28) + (50_000).to_bytes(4, "big")) == []


def test_wrong_sizes_are_refused() -> None:
    table = HashTable(hashlist.compile([]))
    assert table.counts == (0, 0, 0)
    assert table.find(bytes(32)) == []
    for size in (0, 15, 17, 31, 33, 64):
        with pytest.raises(ValueError, match="16, 20 or 32"):
            table.find(bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        hashlist.compile([(b"", b"", b"short")])
    with pytest.raises(ValueError, match="once"):
        table.__init__(b"")  # type: ignore[misc]  # called a second time on purpose


LINES = st.one_of(
    st.sampled_from((b"", b"  ", b"# remark", b"@name X", b"\t# too")),
    st.tuples(
        st.sampled_from((*SIZES, TLSH_SIZE)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
        st.booleans(), st.sampled_from((b"", b"  ")), st.sampled_from((b"", b"  name.exe", b",1", b"\r", b":x", b"#y")),
    ),
)  # fmt: skip


@given(st.lists(LINES, max_size=20), st.booleans())
def test_reads_what_was_written(lines: list[bytes | tuple[bytes, bool, bytes, bytes]], has_end: bool) -> None:
    text: list[bytes] = []
    expected: dict[int, bytes] = dict.fromkeys((*SIZES, TLSH_SIZE), b"")
    for line in lines:
        if isinstance(line, bytes):
            text.append(line)
            continue
        digest, is_upper, before, after = line
        digits = digest.hex().encode()
        digits = digits.upper() if is_upper else digits
        text.append(before + (b"T1" if len(digest) == TLSH_SIZE else b"") + digits + after)
        expected[len(digest)] += digest
    written = b"\n".join(text) + b"\n" * has_end
    assert hashlist.read(written) == tuple(expected.values())


@pytest.mark.parametrize(
    ("text", "line", "quoted"),
    [
        (b"abc", 1, "abc"),
        (b"# a\n\n@x\n" + b"0" * 31 + b"\n", 4, "0" * 31),
        (b"0" * 32 + b"x\n", 1, "0" * 32 + "x"),
        (b"\n" + b"T1" + b"0" * 68, 2, "T1" + "0" * 38),
        (b"0" * 70, 1, "0" * 40),
        (b"\xff\xfe", 1, "\ufffd\ufffd"),
    ],
)
def test_a_line_that_is_no_digest_is_named(text: bytes, line: int, quoted: str) -> None:
    with pytest.raises(ValueError) as fault:
        hashlist.read(text)
    assert fault.value.args == (line, quoted)
