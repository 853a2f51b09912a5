"""Frames of an answer: what is written is read, what is torn is left out, what is wrong is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.extract import reply
from mxward.core.extract.reply import FRAME, Address, Child, End, Fact, Found, Listed, Opening, Text, Unseen, read

NUMBERS = st.integers(0, 3)
WORDS = st.text(max_size=20)
RECORDS = st.one_of(
    st.builds(Opening, NUMBERS), st.builds(Listed, NUMBERS, WORDS), st.builds(Text, NUMBERS),
    st.builds(Address, NUMBERS, WORDS, WORDS), st.builds(Found, NUMBERS, WORDS),
    st.builds(Unseen, NUMBERS, WORDS, WORDS), st.builds(Fact, NUMBERS, WORDS, WORDS), st.builds(End),
)  # fmt: skip
THREE = [Child(0, ("a",)), Child(0, ("b", "c"), "text/plain", "utf-8"), Child(2, ())]


def written(records: list[tuple[reply.Record, bytes]]) -> bytes:
    return b"".join(b"".join(reply.frame(record, content)) for record, content in records)


@given(st.lists(st.tuples(RECORDS, st.binary(max_size=50)), max_size=8))
def test_what_is_written_is_read(tail: list[tuple[reply.Record, bytes]]) -> None:
    records = [(record, b"x") for record in THREE] + tail
    assert [(record, bytes(content)) for record, content in read(memoryview(written(records)))] == records


@given(st.integers(0, 10_000))
def test_an_incomplete_last_frame_is_left_out(cut: int) -> None:
    records = [(record, b"content") for record in THREE]
    data = written(records)[:cut]
    found = [(record, bytes(content)) for record, content in read(memoryview(data))]
    assert found == records[: len(found)]
    assert len(found) == 3 or len(written(records[: len(found) + 1])) > len(data)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b'["x",0]', b'["o"]', b'["o",1]', b'["o",-1]', b'["o","0"]', b'["o",0,0]', b'["o",0.5]',
        b'["c",0,"name"]', b'["c",0,[1]]', b'["c",5,[]]', b'["u",0,"encrypted"]', b'{"o":0}', b'["o",1e99]',
        b'["o",99999999999999999999]', b"[" * 2000, b'["n",0,"\xff"]',
    ],
)  # fmt: skip
def test_what_no_honest_worker_writes_is_refused(body: bytes) -> None:
    with pytest.raises(reply.ReplyError):
        list(read(memoryview(FRAME.pack(len(body), 0) + body)))


def test_a_record_too_long_is_refused_both_ways() -> None:
    with pytest.raises(reply.ReplyError):
        reply.frame(Listed(0, "n" * reply.MAX_RECORD))
    with pytest.raises(reply.ReplyError):
        list(read(memoryview(FRAME.pack(reply.MAX_RECORD + 1, 0) + bytes(reply.MAX_RECORD + 1))))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        list(read(memoryview(data)))
    except reply.ReplyError:
        pass


@given(st.lists(st.tuples(RECORDS, st.binary(max_size=20)), max_size=5), st.data())
def test_a_changed_byte_is_read_or_refused(tail: list[tuple[reply.Record, bytes]], draw: st.DataObject) -> None:
    data = bytearray(written([(record, b"x") for record in THREE] + tail))
    data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    try:
        found = [record for record, _ in read(memoryview(data))]
    except reply.ReplyError:
        return
    assert all(isinstance(record, End) or record is not None for record in found)
