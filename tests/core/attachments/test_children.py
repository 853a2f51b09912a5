"""From answers to parts: what is taken, what is checked again, and what an answer cannot do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit
from mxtest.openkit import SaidOpener
from mxward.core.extract import reply, views
from mxward.core.extract.children import open_attachments
from mxward.core.extract.opener import Opened
from mxward.core.extract.parts import is_inside
from mxward.core.message import Message
from mxward.core.pipeline import Pipeline
from mxward.core.policy.load import load_policy

ZIP = b"PK\x03\x04" + bytes(40)
PROGRAM = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(40)


def answer(*records: tuple[reply.Record, bytes] | reply.Record, end: bool = True, failure: str = "") -> Opened:
    listed = [entry if isinstance(entry, tuple) else (entry, b"") for entry in records]
    if end:
        listed.append((reply.End(), b""))
    return Opened(memoryview(b"".join(b"".join(reply.frame(record, data)) for record, data in listed)), failure)


def opened(*answers: Opened) -> Message:
    message = mailkit.extracted(mailkit.with_attachment("z.zip", ZIP))
    message.not_inspected.clear()
    open_attachments(message, SaidOpener(*answers), 5.0)
    return message


def test_a_child_becomes_a_part_with_its_own_true_type() -> None:
    message = opened(answer((reply.Child(0, ("run.exe", "other.txt")), PROGRAM)))
    part = message.parts[-1]
    assert (part.index, part.parent, part.depth) == (3, 2, message.parts[2].depth + 1)
    assert part.data == PROGRAM
    assert part.true_type == "application/x-dosexec"
    assert part.names == ("run.exe", "other.txt")
    assert part.child_path == "z.zip/run.exe"
    assert is_inside(part)
    assert (2, "z.zip") in views.names(message)
    assert (3, "run.exe") in views.names(message)


def test_children_of_children_know_their_way() -> None:
    message = opened(answer((reply.Child(0, ("a.zip",)), ZIP), (reply.Child(1, ("b.txt",)), b"text")))
    assert message.parts[-1].child_path == "z.zip/a.zip/b.txt"
    assert message.parts[-1].parent == 3
    assert message.parts[-1].content_type == "text/plain"


def test_text_files_and_texts_of_documents_are_read_as_texts() -> None:
    message = opened(
        answer(
            (reply.Child(0, ("a.txt",)), b"inside text"), (reply.Child(0, ("b.docx",)), ZIP),
            (reply.Text(2), b"of a "), (reply.Text(2), b"document"),
        )
    )  # fmt: skip
    texts = dict(views.texts(message))
    assert texts[3] == "inside text"
    assert texts[4] == "of a document"
    assert dict(views.visible(message))[4] == "of a document"


def test_links_in_documents_are_links_of_the_message() -> None:
    message = opened(answer(reply.Address(0, "qr", "https://x.example/")))
    assert [(link.part, link.kind, link.url) for link in views.links(message)] == [(2, "qr", "https://x.example/")]


@pytest.mark.parametrize("failure", ["crashed", "timeout", "unavailable", "limit:memory"])
def test_an_answer_without_an_end_is_not_inspected(failure: str) -> None:
    message = opened(answer((reply.Child(0, ("a",)), b"x"), reply.Opening(1), end=False, failure=failure))
    assert [(n.part, n.reason) for n in message.not_inspected] == [(3, failure)]
    assert len(message.parts) == 4  # what was found before it still counts


def test_garbage_is_an_answer_of_a_worker_that_crashed() -> None:
    message = opened(Opened(memoryview(b"\x05\0\0\0\0\0\0\0nonsense"), ""))
    assert [(n.part, n.reason) for n in message.not_inspected] == [(2, "crashed")]


def test_words_that_are_in_no_table_are_not_passed_on() -> None:
    message = opened(answer(reply.Found(0, "NO_SUCH_FINDING"), reply.Unseen(0, "because", "x")))
    assert message.hits == []
    assert [n.reason for n in message.not_inspected] == ["damaged"]


def test_plain_mail_asks_nothing() -> None:
    message = mailkit.extracted(mailkit.plain("Hello\r\n"))
    open_attachments(message, SaidOpener(), 5.0)
    assert views.OPENED not in message.views


def test_a_failing_opener_is_degraded_not_silent() -> None:
    policy = load_policy(None)
    message = Pipeline([], policy, opener=SaidOpener()).judge(mailkit.with_attachment("z.zip", ZIP), mailkit.envelope())
    assert [hit.category for hit in message.hits] == ["degraded"]


@given(st.binary(max_size=400))
def test_whatever_is_answered_the_message_is_judged(data: bytes) -> None:
    message = opened(Opened(memoryview(data), ""))
    assert any(n.part == 2 or n.part >= 3 for n in message.not_inspected) or bytes(data).endswith(b'["e"]')
