"""DataReader against a slow state machine of a few lines, over random bytes split at random."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.smtpdata import DataReader

# Bytes that matter, and enough plain ones that vectors are crossed.
PIECES = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"\0", b".", b"..", b"a", b"x" * 17, b"y" * 40, b"\r\n.\r\n", b"\r\n."]
)
STREAMS = st.lists(PIECES, max_size=30).map(b"".join)


def oracle(stream: bytes) -> tuple[bytes, int, bool, set[str]]:
    """(content, bytes taken, end seen, what is wrong) of a DATA stream, one byte at a time."""
    out, state, wrong = bytearray(), "start", set()
    for at, byte in enumerate(stream):
        char = bytes((byte,))
        if state == "dot" and char == b"\r":
            state = "dot-cr"
            continue
        if state == "dot-cr":
            if char == b"\n":
                return bytes(out), at + 1, True, wrong
            out += b"\r"
            wrong.add("cr")
            state = "in"
        if state == "start" and char == b".":
            state = "dot"
            continue
        if state == "cr" and char != b"\n":
            wrong.add("cr")
        if char == b"\n" and state != "cr":
            wrong.add("lf")
        if char == b"\0":
            wrong.add("nul")
        out += char
        state = "start" if char == b"\n" and state == "cr" else "cr" if char == b"\r" else "in"
    return bytes(out), len(stream), False, wrong


def faults(reader: DataReader) -> set[str]:
    pairs = (("cr", reader.bare_cr), ("lf", reader.bare_lf), ("nul", reader.nul))
    return {name for name, is_set in pairs if is_set}


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(c % (len(stream) + 1) for c in cuts)})
    return [stream[a:b] for a, b in pairwise(places)]


@given(STREAMS, st.lists(st.integers(0, 2000), max_size=12))
def test_reader_equals_oracle_at_any_split(stream: bytes, cuts: list[int]) -> None:
    content, taken, done, wrong = oracle(stream)
    reader, total = DataReader(1 << 20), 0
    for chunk in cut(stream, cuts):
        total += reader.feed(chunk)
        if reader.done:
            break
    assert (total, reader.done, reader.size) == (taken, done, len(content))
    assert faults(reader) == wrong
    assert reader.take() == content


@given(STREAMS)
def test_reader_equals_oracle_byte_by_byte_and_from_an_offset(stream: bytes) -> None:
    content, taken, done, _ = oracle(stream)
    reader, at = DataReader(1 << 20), 0
    while at < len(stream) and not reader.done:
        at = reader.feed(stream[: at + 1], at)
    assert (at, reader.done, reader.take()) == (taken, done, content)


@given(STREAMS, st.integers(1, 60))
def test_limit_bounds_memory_and_changes_nothing_else(stream: bytes, limit: int) -> None:
    content, taken, done, wrong = oracle(stream)
    reader = DataReader(limit)
    assert reader.feed(stream) == taken
    assert (reader.done, reader.size, reader.is_over) == (done, len(content), len(content) > limit)
    assert faults(reader) == wrong
    assert reader.take() == content[:limit]
    assert reader.room == 0


@given(STREAMS, st.lists(st.integers(0, 2000), max_size=8))
def test_chunks_are_verbatim(stream: bytes, cuts: list[int]) -> None:
    reader = DataReader(1 << 20)
    for chunk in cut(stream, cuts):
        reader.feed_chunk(b"<<" + chunk + b">>", 2, len(chunk))
    reader.finish()
    stripped = stream.replace(b"\r\n", b"")
    assert reader.bare_cr == (b"\r" in stripped.replace(b"\n", b"") or b"\r" in stripped)
    assert reader.bare_lf == (b"\n" in stripped)
    assert reader.nul == (b"\0" in stream)
    assert reader.take() == (stream if not stream or stream.endswith(b"\r\n") else stream + b"\r\n")


@given(st.lists(st.integers(0, 2000), max_size=20), st.integers(1, 4000))
def test_longest_line(lengths: list[int], split: int) -> None:
    stream = b"".join(b"x" * n + b"\r\n" for n in lengths) + b".\r\n"
    reader = DataReader(1 << 20)
    for at in range(0, len(stream), split):
        reader.feed(stream[at : at + split])
    assert reader.done
    assert reader.longest_line == max(lengths, default=0)


def test_drop_frees_memory_and_still_finds_the_end() -> None:
    reader = DataReader(1 << 20)
    reader.feed(b"x" * 100_000)
    assert reader.room >= 100_000
    reader.drop()
    assert reader.room == 0
    assert reader.feed(b"y\r\n.\r\nQUIT\r\n") == 6
    assert reader.done
    assert reader.size == 100_003
    assert reader.take() == b""


def test_memory_stays_below_twice_the_message() -> None:
    reader = DataReader(1 << 30)
    for _ in range(1000):
        reader.feed(b"z" * 1000)
        assert reader.room <= max(8192, 2 * reader.size)


@pytest.mark.parametrize("start", [-1, 3])
def test_start_outside_is_refused(start: int) -> None:
    with pytest.raises(IndexError):
        DataReader(1).feed(b"ab", start)


@pytest.mark.parametrize(("start", "count"), [(-1, 1), (0, 3), (2, 1), (0, -1), (3, 0)])
def test_chunk_outside_is_refused(start: int, count: int) -> None:
    with pytest.raises(IndexError):
        DataReader(1).feed_chunk(b"ab", start, count)


def test_limit_must_be_positive() -> None:
    with pytest.raises(ValueError):
        DataReader(0)


def test_thirty_megabytes_of_empty_lines_cost_their_size() -> None:
    reader, chunk = DataReader(1 << 30), b"\r\n" * 32_768
    for _ in range(480):
        reader.feed(chunk)
    assert reader.size == 480 * 65_536
    assert reader.room <= 2 * reader.size
