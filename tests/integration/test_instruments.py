"""The instruments of the proofs prove themselves: sink and sender agree, and see faults put in by hand."""

from __future__ import annotations

import time

import pytest

from mxtest import corpus
from mxtest.product import lost
from mxtest.sender import Client, Load, make_message, stuff
from mxtest.sink import Sink, test_id


@pytest.mark.parametrize(
    "message",
    [
        b"Subject: x\r\n\r\nbody\r\n",
        b"\r\n",
        b".\r\n",
        b".dot\r\n..two\r\n.\r\n",
        b"a\r\n.\r\n.\r\nb\r\n",
        b"x" * 200_000 + b"\r\n",
    ],
)
def test_sink_keeps_the_bytes_that_were_sent(message: bytes) -> None:
    with Sink(keep=True) as sink, Client(sink.port) as client:
        result = client.transact("a@x.example", ["b@y.example"], message)
        assert result.accepted == ["b@y.example"]
        assert sink.messages["b@y.example"] == [message]


def test_stuffing_ends_in_one_dot() -> None:
    assert stuff(b"") == b".\r\n"
    assert stuff(b"a") == b"a\r\n.\r\n"
    assert stuff(b".a\r\n.b\r\n") == b"..a\r\n..b\r\n.\r\n"


def test_load_and_sink_agree() -> None:
    with Sink() as sink:
        load = Load(sink.port, threads=3, rcpts=("a@x.example", "b@x.example")).start()
        time.sleep(0.5)
        load.stop()
        assert load.acked and load.acked == set(sink.counts)
        assert not load.unknown and not load.refused


def test_lost_replies_are_unknown_not_acknowledged() -> None:
    with Sink(drop_dot_every=5) as sink:
        load = Load(sink.port, threads=2).start()
        time.sleep(0.5)
        load.stop()
        assert load.unknown and load.unknown == set(sink.unanswered)
        assert not load.unknown & load.acked
        assert load.acked | load.unknown == set(sink.counts)


def test_a_lost_message_is_seen() -> None:
    with Sink() as sink, Client(sink.port) as client:
        client.transact("a@x.example", ["u@x.example"], make_message("one"))
        assert lost({("one", "u@x.example"), ("two", "u@x.example")}, set(sink.counts)) == [("two", "u@x.example")]


def test_refused_recipient_is_not_counted() -> None:
    with Sink() as sink, Client(sink.port) as client:
        sink.refuse_rcpt["no@x.example"] = b"550 5.1.1 no\r\n"
        result = client.transact("a@x.example", ["no@x.example", "yes@x.example"], make_message("m"))
        assert result.accepted == ["yes@x.example"]
        assert set(sink.counts) == {("m", "yes@x.example")}


def test_folding_gives_what_smtp_can_carry() -> None:
    assert corpus.fold(b"From x Mon\nA: b\n\nc\r\nd\r\r\ne") == b"A: b\r\n\r\nc\r\nd\r\ne\r\n"
    assert corpus.is_transportable(corpus.fold(b"a\nb\r\nc"))
    assert not corpus.is_transportable(corpus.fold(b"a\rb\n"))
    assert not corpus.is_transportable(b"a\0b\r\n")


def test_test_id_is_read_from_the_header_section() -> None:
    assert test_id(make_message("abc-1")) == "abc-1"
    assert test_id(b"Subject: none\r\n\r\n") == ""
