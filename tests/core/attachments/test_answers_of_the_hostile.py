"""Answers of a worker that was taken over: changed at random, or made to cost more than an attachment may."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit
from mxtest.openkit import SaidOpener
from mxward.core.extract import reply
from mxward.core.extract.children import open_attachments
from mxward.core.extract.opener import Opened
from mxward.core.extract.recall import RecallingOpener
from mxward.core.limits import MAX_CHILD_DEPTH, MAX_CHILDREN, MAX_TEXT_BYTES
from mxward.core.message import Message
from mxward.core.pipeline import Pipeline
from mxward.core.policy.load import load_policy

ZIP = b"PK\x03\x04" + bytes(40)
HONEST = b"".join(
    b"".join(reply.frame(record, content))
    for record, content in [
        (reply.Opening(0), b""), (reply.Child(0, ("a.zip", "b.txt")), ZIP), (reply.Listed(0, "c/"), b""),
        (reply.Found(0, "CONTAINER_ENCRYPTED"), b""), (reply.Opening(1), b""),
        (reply.Child(1, ("d.txt",), "text/plain", "utf-8"), b"words"), (reply.Text(2), b"words"),
        (reply.Address(2, "pdf", "https://x.example/"), b""), (reply.Fact(2, "author", "Ann"), b""),
        (reply.Unseen(1, "encrypted", "x"), b""), (reply.End(), b""),
    ]
)  # fmt: skip


def opened(frames: bytes, failure: str = "") -> Message:
    message = mailkit.extracted(mailkit.with_attachment("z.zip", ZIP))
    message.not_inspected.clear()
    open_attachments(message, SaidOpener(Opened(memoryview(frames), failure)), 5.0)
    return message


@given(st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_bytes_never_raise_and_never_point_outside(changes: list[tuple[int, int]]) -> None:
    frames = bytearray(HONEST)
    for at, value in changes:
        frames[at] = value
    message = opened(bytes(frames))
    for part in message.parts[3:]:
        assert 0 <= part.parent < part.index < len(message.parts)
    for seen in message.not_inspected:
        assert 0 <= seen.part < len(message.parts)


@given(st.integers(0, len(HONEST)))
def test_cut_anywhere_it_is_not_whole(cut: int) -> None:
    message = opened(HONEST[:cut], "crashed")
    assert any(seen.reason == "crashed" for seen in message.not_inspected)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), max_size=30))
def test_true_frames_in_any_order_never_raise(order: list[int]) -> None:
    frames, at = [], 0
    while at < len(HONEST):
        n_record, n_content = reply.FRAME.unpack_from(HONEST, at)
        end = at + reply.FRAME.size + n_record + n_content
        frames.append(HONEST[at:end])
        at = end
    message = opened(b"".join(frames[n] for n in order))
    assert all(part.index < len(message.parts) for part in message.parts)


def test_it_ended_and_failed_all_the_same() -> None:
    assert [seen.reason for seen in opened(HONEST, "timeout").not_inspected] == ["encrypted", "timeout"]


def test_more_things_than_asked_for_are_not_taken() -> None:
    child = b"".join(reply.frame(reply.Child(0, ("a",))))
    message = opened(child * (MAX_CHILDREN + 500))
    assert len(message.parts) == 3 + MAX_CHILDREN
    assert [seen.reason for seen in message.not_inspected] == ["crashed"]


def test_deeper_than_asked_for_is_not_taken() -> None:
    frames = b"".join(b"".join(reply.frame(reply.Child(n, ("x" * 1000,)))) for n in range(200))
    message = opened(frames)
    assert max(part.depth for part in message.parts[3:]) - message.parts[2].depth == MAX_CHILD_DEPTH
    assert sum(len(part.child_path) for part in message.parts) < 1_000_000


def test_a_million_records_end_early() -> None:
    record = b"".join(reply.frame(reply.Opening(0)))
    begun = time.process_time()
    message = opened(record * 1_000_000)
    assert time.process_time() - begun < 5.0
    assert [seen.reason for seen in message.not_inspected] == ["crashed"]


def test_text_in_many_pieces_costs_no_more_than_in_one() -> None:
    piece = b"".join(reply.frame(reply.Text(0), b"words and more words " * 20))
    begun = time.process_time()
    message = opened(piece * 60_000)
    assert time.process_time() - begun < 5.0
    assert len(message.parts[2].text) == MAX_TEXT_BYTES


def test_answers_are_remembered_and_failures_are_not() -> None:
    raw = mailkit.with_attachment("z.zip", ZIP)
    failed, good = Opened(memoryview(b""), "unavailable"), Opened(memoryview(HONEST), "")
    pipeline = Pipeline([], load_policy(None), opener=RecallingOpener(SaidOpener(failed, good)))
    n_parts = [len(pipeline.judge(raw, mailkit.envelope()).parts) for _ in range(4)]
    assert n_parts == [3, 5, 5, 5]  # a third question would find nothing left to be said
