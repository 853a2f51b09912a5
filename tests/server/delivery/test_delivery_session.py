"""The client's state machine without sockets: the table, any split of the stream, any replies, egress bytes."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx import dotstuff
from mxward.server.delivery import command
from mxward.server.delivery.body import Body, prepare
from mxward.server.delivery.reply import MAX_TEXT, PeerReply, ReplyError, ReplyParser
from mxward.server.delivery.session import TABLE, Session, State
from mxward.server.delivery.transaction import Transaction
from mxward.server.store.api import Work, WorkRecipient

HELLO = b"220 hi\r\n250-peer\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n"
STREAMS = [HELLO, b"250 a\n250-b\r\n250 c\r\n", b"550-5.1.1 x\r\n550 5.1.1 y\r\n"]
ANSWERS = [b"250 ok\r\n", b"354 go\r\n", b"450 later\r\n", b"550 no\r\n", b"421 bye\r\n", b"220 x\r\n"]
NO_REPLIES = [b"\r\n", b"25\r\n", b"2500 x\r\n", b"650 x\r\n", b"250_x\r\n", b"abc\r\n", b"150 x\r\n"]
SPICE = [b"\r\n", b".", b"\r", b"\n", b"\0", b"\r\n.\r\n", b"text", b"\xff", b".\r\n"]
PLAIN_HELLO = b"220 hi\r\n250 peer\r\n"


def transaction(*addresses: str, sender: str = "s@x.example", raw: bytes = b"x\r\n") -> Transaction:
    rows = [WorkRecipient(n, a, "", "", 0, [], False) for n, a in enumerate(addresses or ("a@x.example",))]
    given_work = Work("Q" * 16, 0, "inbound", sender, len(raw), False, "", "", "", b"", "smtp", rows)
    tx = Transaction(sender, rows, Body(given_work), (), lambda done: None)
    tx.content, tx.size, tx.is_8bit = prepare(b"", raw, ())
    tx.needs_utf8 = not all(command.ascii_address(a).isascii() for a in (sender, *addresses))
    return tx


def greeted(hello: bytes = HELLO, *, lmtp: bool = False) -> Session:
    session = Session(name="mx.example", lmtp=lmtp, tls_mode="none")
    for line in re.split(rb"(?<=\n)(?=220|250 )", hello):
        session.receive(line)
    assert session.state is State.IDLE
    session.take()
    return session


# -- replies


@given(
    st.lists(st.integers(0, 60)),
    st.sampled_from(STREAMS),
)
def test_any_split_of_the_stream_gives_the_same_replies(cuts: list[int], stream: bytes) -> None:
    whole = ReplyParser().feed(stream)
    parser = ReplyParser()
    places = sorted({0, len(stream), *(c for c in cuts if c < len(stream))})
    assert [r for a, b in itertools.pairwise(places) for r in parser.feed(stream[a:b])] == whole
    assert parser.is_empty


@given(st.binary(max_size=400))
def test_any_bytes_are_replies_or_a_reply_error(data: bytes) -> None:
    try:
        replies = ReplyParser().feed(data)
    except ReplyError:
        return
    for reply in replies:
        assert 200 <= reply.code < 600
        assert len(str(reply)) < MAX_TEXT + 40
        assert not re.search(r"[\x00-\x1f\x7f]", str(reply))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"250 2.1.0 Ok\r\n", (250, "2.1.0", "Ok")),
        (b"250\r\n", (250, "", "")),
        (b"550 4.1.1 class differs\r\n", (550, "", "4.1.1 class differs")),
        (b"550-5.7.1 a\r\n550 5.7.1 b\r\n", (550, "5.7.1", "a b")),
        (b"250 2.1.0\r\n", (250, "2.1.0", "")),
        (b"250 caf\xc3\xa9 \xff\r\n", (250, "", "caf\u00e9 \ufffd")),
        (b"421 x\x1b[31mred\r\n", (421, "", "x [31mred")),
    ],
)
def test_reply(line: bytes, expected: tuple[int, str, str]) -> None:
    (reply,) = ReplyParser().feed(line)
    assert reply[:3] == expected


@pytest.mark.parametrize(
    "line", [b"\r\n", b"25\r\n", b"2500 x\r\n", b"650 x\r\n", b"250_x\r\n", b"abc\r\n", b"150 x\r\n"]
)
def test_no_reply(line: bytes) -> None:
    with pytest.raises(ReplyError):
        ReplyParser().feed(line)


# -- the machine


def test_the_table_names_methods_and_reaches_every_state() -> None:
    for method in TABLE.values():
        assert callable(getattr(Session, method))
    waiting = set(State) - {State.IDLE, State.HANDSHAKE, State.CLOSED}  # these wait for the caller, not for a reply
    assert {state for state, _ in TABLE} == waiting


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"250 ok\r\n", b"354 go\r\n", b"450 later\r\n", b"550 no\r\n", b"421 bye\r\n", b"220 x\r\n"]
            ),
            st.binary(max_size=12),
        ),
        max_size=30,
    ),
    st.booleans(),
    st.booleans(),
)
def test_no_sequence_of_replies_breaks_the_machine(replies: list[bytes], pipelining: bool, lmtp: bool) -> None:
    """Never an exception; a finished transaction has a reply for everyone; content goes out after 354 only."""
    session = greeted(HELLO if pipelining else PLAIN_HELLO, lmtp=lmtp)
    tx = transaction("a@x.example", "b@x.example", raw=b"marker\r\n")
    session.begin(tx)
    had_354 = False
    for reply in replies:
        had_354 = had_354 or reply.startswith(b"354")
        session.receive(reply)
        sent = b"".join(session.take())
        assert b"marker" not in sent or had_354
        if session.finished:
            assert all(tx.replies)
            assert session.tx is None
            return
        if session.state is State.CLOSED:
            assert session.failure is not None
            assert session.tx is tx
            return


@given(st.lists(st.sampled_from([250, 450, 550]), min_size=1, max_size=5), st.sampled_from([250, 451, 554]))
def test_with_and_without_pipelining_the_fates_are_the_same(codes: list[int], final: int) -> None:
    def run(hello: bytes) -> list[int]:
        session = greeted(hello)
        tx = transaction(*(f"u{i}@x.example" for i in range(len(codes))))
        session.begin(tx)
        answers = iter([250, *codes])
        while session.finished is None:
            sent = b"".join(session.take())
            lines = re.findall(rb"(?m)^(MAIL|RCPT|DATA|\.\r$)", sent)
            for verb in lines or [b"?"]:
                code = {b"DATA": 354 if 250 in codes else 554, b".\r": final}.get(verb) or next(answers)
                session.receive(b"%d x\r\n" % code)
        return [r.code for r in tx.replies if r]

    expected = [final if c == 250 else c for c in codes]
    assert run(HELLO) == run(PLAIN_HELLO) == expected


def test_pipelining_is_one_write() -> None:
    session = greeted()
    session.begin(transaction("a@x.example", "b@x.example"))
    assert session.take() == [
        b"MAIL FROM:<s@x.example> SIZE=3\r\nRCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
    ]


def test_552_to_a_later_recipient_is_too_many_not_never() -> None:
    session = greeted()
    tx = transaction("a@x.example", "b@x.example")
    session.begin(tx)
    session.receive(b"250 m\r\n250 a\r\n552 too many recipients\r\n354 go\r\n250 ok\r\n")
    assert [r and r.code for r in tx.replies] == [250, 452]


@pytest.mark.parametrize(("reply", "code"), [(b"250 thanks\r\n", 0), (b"552 too big\r\n", 552)])
def test_a_reply_before_the_end_of_content(reply: bytes, code: int) -> None:
    """Acceptance of what is not sent yet is a breach; a refusal counts. Either way the connection is finished."""
    session = greeted()
    tx = transaction()
    session.begin(tx)
    session.receive(b"250 m\r\n250 a\r\n354 go\r\n")
    session.is_sending = True
    session.receive(reply)
    assert session.state is State.CLOSED
    assert [r and r.code for r in tx.replies] == [code or None]


# -- parameters


@pytest.mark.parametrize(
    ("extensions", "sender", "rcpt", "raw", "mail", "to"),
    [
        ("", "s@x.example", "a@x.example", b"\xe9\r\n", "MAIL FROM:<s@x.example>", "RCPT TO:<a@x.example>"),
        ("8BITMIME", "", "a@x.example", b"\xe9\r\n", "MAIL FROM:<> BODY=8BITMIME", "RCPT TO:<a@x.example>"),
        ("8BITMIME", "", "a@x.example", b"e\r\n", "MAIL FROM:<>", "RCPT TO:<a@x.example>"),
        (
            "SMTPUTF8",
            "\u00e9@x.example",
            "a@x.example",
            b"",
            "MAIL FROM:<\u00e9@x.example> SMTPUTF8",
            "RCPT TO:<a@x.example>",
        ),
        (
            "",
            "s@x.example",
            "a@b\u00fccher.example",
            b"",
            "MAIL FROM:<s@x.example>",
            "RCPT TO:<a@xn--bcher-kva.example>",
        ),
    ],
)
def test_parameters(extensions: str, sender: str, rcpt: str, raw: bytes, mail: str, to: str) -> None:
    offered = dict.fromkeys(extensions.split(), "")
    tx = transaction(rcpt, sender=sender, raw=raw)
    assert command.mail(tx, offered) == f"{mail}\r\n".encode()
    assert command.rcpt(tx, tx.rcpts[0], offered) == f"{to}\r\n".encode()


def test_dsn_parameters_are_passed_on_only_when_they_are_xtext() -> None:
    tx = transaction()
    tx.ret, tx.envid = "FULL", "id+2B1"
    tx.rcpts[0].notify, tx.rcpts[0].orcpt = "SUCCESS,DELAY", "rfc822;a+2Bb@x.example"
    offered = {"DSN": ""}
    assert command.mail(tx, offered) == b"MAIL FROM:<s@x.example> RET=FULL ENVID=id+2B1\r\n"
    assert command.rcpt(tx, tx.rcpts[0], offered) == (
        b"RCPT TO:<a@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@x.example\r\n"
    )
    tx.ret, tx.envid = "FULL\r\nDATA", "a b"
    tx.rcpts[0].notify, tx.rcpts[0].orcpt = "NEVER\r\nRSET", "x\n"
    assert command.envelope(tx, offered) == b"MAIL FROM:<s@x.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\n"


def test_smtputf8_needed_but_not_offered_is_settled_without_a_word() -> None:
    session = greeted(PLAIN_HELLO)
    tx = transaction("\u00e9@x.example")
    session.begin(tx)
    assert session.finished is tx
    assert session.take() == []
    assert tx.replies == [PeerReply(550, "5.6.7", "the message needs SMTPUTF8, which the next hop does not offer")]


@given(st.text(max_size=40))
def test_a_safe_address_stays_one_path_of_one_command(address: str) -> None:
    if command.is_safe(address):
        tx = transaction(address)
        line = command.rcpt(tx, tx.rcpts[0], {})
        assert line.count(b"\r\n") == 1
        assert line.endswith(b">\r\n")
        assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f]", line)


# -- egress


@given(
    st.lists(st.sampled_from(SPICE)).map(b"".join),
    st.lists(st.sampled_from([b"Received: x\r\n", b"X: y\r\n"])).map(b"".join),
    st.booleans(),
)
def test_whatever_is_stored_the_wire_is_canonical_and_ends_once(raw: bytes, trace: bytes, pipelining: bool) -> None:
    """The stream after 354 holds one end of data, at its end, whatever reading of line ends the peer has."""
    session = greeted(HELLO if pipelining else PLAIN_HELLO)
    tx = transaction(raw=raw)
    tx.content, tx.size, tx.is_8bit = prepare(trace, raw, ())
    session.begin(tx)
    session.receive(b"250 a\r\n")
    session.receive(b"250 b\r\n")
    session.take()
    session.receive(b"354 c\r\n")
    wire = b"\r\n" + b"".join(session.take())
    assert re.findall(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)", wire) == [b"\r\n.\r\n"]
    assert wire.endswith(b"\r\n.\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", wire)
    if not dotstuff.faults(raw):
        assert wire[:-3].replace(b"\r\n..", b"\r\n.")[2:] == trace + raw
