"""The session obeys its table: random verbs in random states, every reply and every next state as the table says."""

from __future__ import annotations

import time

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mxtest.smtpbox import Judge
from mxward.core.errors import Reply
from mxward.server.config import Config, Listener
from mxward.server.smtp import reply
from mxward.server.smtp.load import Load
from mxward.server.smtp.session import Session
from mxward.server.smtp.settings import Settings, build
from mxward.server.smtp.table import TABLE, State
from mxward.server.smtp.transaction import Client, Transaction
from mxward.server.smtp.verbs import HANDLERS

COMMANDS = {
    b"HELO": b"HELO c", b"EHLO": b"EHLO c", b"MAIL": b"MAIL FROM:<a@x.example>", b"RCPT": b"RCPT TO:<b@trust.example>",
    b"DATA": b"DATA", b"BDAT": b"BDAT 0", b"RSET": b"RSET", b"NOOP": b"NOOP", b"HELP": b"HELP", b"VRFY": b"VRFY b",
    b"EXPN": b"EXPN b",
}  # fmt: skip
LIMITS = {"max_errors": 10_000, "max_junk_commands": 10_000, "max_transactions_per_session": 10_000}


class TestFront:
    """Settings and load without a loop."""

    __test__ = False

    def __init__(self) -> None:
        config = msgspec.convert({"server": {"hostname": "mx.trust.example"}, "smtp": {"limits": LIMITS}}, Config)
        self.settings: Settings = build(config, Judge())
        self.load = Load(lambda: 1 << 40, time.monotonic)

    def now(self) -> float:
        return time.monotonic()


def new_session() -> Session:
    client = Client("192.0.2.1", peer_ip="192.0.2.1")
    return Session(TestFront(), Listener(address="127.0.0.1:0", side="inbound"), client)


def say(session: Session, data: bytes) -> bytes:
    session.receive(data)
    out = b"".join(session.out)
    session.out.clear()
    return out


def test_every_verb_has_a_row_and_a_handler() -> None:
    assert set(TABLE) == set(HANDLERS)
    assert all(len(row) == len(State) for row in TABLE.values())


@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=40))
def test_session_follows_the_table(verbs: list[bytes]) -> None:
    session = new_session()
    for verb in verbs:
        before, cell = session.state, TABLE[verb][session.state]
        out = say(session, COMMANDS[verb] + b"\r\n")
        if verb == b"DATA" and not isinstance(cell, Reply):
            assert out.startswith(b"354 ")
            say(session, b"x\r\n.\r\n")
            assert isinstance(session.action, Transaction)
            session.resume(reply.OK)
            session.out.clear()
        if isinstance(cell, Reply):
            assert out == cell.encode()
            assert session.state == before
        elif verb == b"EXPN":
            assert out == reply.NOT_HERE.encode()
            assert session.state == before
        else:
            assert out[:1] in (b"2", b"3")
            assert session.state == cell


PIECES = st.one_of(st.sampled_from([c + b"\r\n" for c in COMMANDS.values()]), st.binary(max_size=30))


@given(st.lists(PIECES, max_size=30), st.integers(1, 50))
def test_no_bytes_break_a_session(pieces: list[bytes], size: int) -> None:
    """Whatever comes, however split: replies only, and nothing after the session ended."""
    session, stream = new_session(), b"".join(pieces)
    for at in range(0, len(stream), size):
        was_closing = session.closing
        out = say(session, stream[at : at + size])
        assert not (was_closing and out)
        assert all(line[:3].isdigit() for line in out.split(b"\r\n") if line)
        if isinstance(session.action, Transaction):
            session.front.load.memory -= session.action.held
            session.resume(reply.OK)
            session.out.clear()
    session.abandon()
    assert session.front.load.memory == 0
    assert session.waiting_bytes < 2 * 2048 + size


@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=25), st.integers(1, 40))
def test_splitting_changes_nothing(verbs: list[bytes], size: int) -> None:
    """The same commands in one packet a command, or cut anywhere, get the same replies."""
    verbs = [v for v in verbs if v not in (b"DATA", b"HELO", b"EHLO")]  # these may not be followed in one packet
    stream = b"".join(COMMANDS[v] + b"\r\n" for v in (b"NOOP", *verbs))
    whole, cut = new_session(), new_session()
    one = say(whole, b"HELO c\r\n") + say(whole, stream)
    two = say(cut, b"HELO c\r\n") + b"".join(say(cut, stream[a : a + size]) for a in range(0, len(stream), size))
    assert one == two
