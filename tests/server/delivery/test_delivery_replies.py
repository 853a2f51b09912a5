"""Every way in which a next hop can answer, or fail to: what each comes to for each recipient."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mxtest.deliverykit import open_kit, to
from mxtest.scriptpeer import Act, Script, ScriptPeer
from mxtest.storekit import now_us
from mxward.server.store.api import BOUNCED, DELIVERED, QUEUED


def by_address(answers: dict[bytes, bytes]) -> Script:
    """A RCPT script that answers by local part."""

    def answer(line: bytes, number: int) -> bytes:
        return next((reply for name, reply in answers.items() if name in line), b"250 2.1.5 Ok\r\n")

    return answer


async def test_a_message_arrives_byte_by_byte_behind_its_trace(tmp_path: Path) -> None:
    raw = b"Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n\r\n"
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
        queue_id = kit.put("a@far.example", raw=raw, trace=b"Received: by mx\r\n", sender="s@here.example")
        (row,) = await kit.settled(queue_id)
        assert (row.state, row.reply, row.attempts) == (DELIVERED, "250 2.0.0 taken", 1)
        assert row.route == f"smtp://127.0.0.1:{peer.port}"
        assert peer.contents == [b"Received: by mx\r\nSubject: x\r\n\r\n..dot\r\n...\r\nend\r\n\r\n.\r\n"]
        assert peer.lines[:4] == [
            b"EHLO mx.trust.example", b"MAIL FROM:<s@here.example> SIZE=48", b"RCPT TO:<a@far.example>", b"DATA",
        ]  # fmt: skip
        assert kit.notifications() == []


@pytest.mark.parametrize("extensions", [("PIPELINING", "SIZE"), ()], ids=["pipelining", "plain"])
async def test_each_recipient_has_its_own_fate(tmp_path: Path, extensions: tuple[str, ...]) -> None:
    answers = by_address({b"later": b"450 4.2.0 greylisted\r\n", b"never": b"550 5.1.1 no such user\r\n"})
    async with ScriptPeer({"RCPT": answers}, extensions=extensions) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        queue_id = kit.put("ok@x.example", "later@x.example", "never@x.example", "fine@x.example")
        rows = await kit.tried(queue_id)
        assert [r.state for r in rows] == [DELIVERED, QUEUED, BOUNCED, DELIVERED]
        assert rows[1].reply == "450 4.2.0 greylisted"
        assert rows[2].reply == "550 5.1.1 no such user"
        assert rows[1].next_attempt > rows[1].updated_at
        ((dsn, _),) = kit.notifications()
        assert dsn.parent == queue_id
        assert peer.contents[0].endswith(b"Text of a message.\r\n.\r\n")


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelining", "plain"])
async def test_all_refused_and_the_connection_serves_on(tmp_path: Path, extensions: tuple[str, ...]) -> None:
    answers: dict[str, Script] = {
        "RCPT": by_address({b"bad": b"550 5.1.1 no\r\n"}),
        "DATA": lambda line, n: b"554 5.5.1 no valid recipients\r\n" if refusing[0] else b"354 go\r\n",
    }
    refusing = [True]
    async with ScriptPeer(answers, extensions=extensions) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        rows = await kit.settled(kit.put("bad1@x.example", "bad2@x.example", sender=""))
        assert {r.state for r in rows} == {BOUNCED}
        refusing[0] = False
        await kit.settled(kit.put("good@x.example"))
        assert peer.n_connections == 1
        assert "RSET" in peer.verbs()


async def test_all_refused_but_354_gets_a_lone_dot_and_a_new_connection(tmp_path: Path) -> None:
    answers: dict[str, Script] = {"RCPT": by_address({b"bad": b"550 5.1.1 no\r\n"}), "DOT": b"554 5.5.1 empty\r\n"}
    async with ScriptPeer(answers) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        (row,) = await kit.settled(kit.put("bad@x.example", sender=""))
        assert (row.state, row.reply) == (BOUNCED, "550 5.1.1 no")
        await kit.until(lambda: peer.contents == [b".\r\n"])
        peer.answers["DOT"] = b"250 2.0.0 ok\r\n"
        await kit.settled(kit.put("good@x.example"))
        assert peer.n_connections == 2


@pytest.mark.parametrize(
    ("verb", "answer", "state", "reply"),
    [
        ("MAIL", b"451 4.7.1 not now\r\n", QUEUED, "451 4.7.1 not now"),
        ("MAIL", b"550 5.7.1 not you\r\n", BOUNCED, "550 5.7.1 not you"),
        ("DATA", b"452 4.3.1 full\r\n", QUEUED, "452 4.3.1 full"),
        ("DATA", b"554 5.7.0 never\r\n", BOUNCED, "554 5.7.0 never"),
        ("DOT", b"451 4.6.0 scanner down\r\n", QUEUED, "451 4.6.0 scanner down"),
        ("DOT", b"554-5.7.1 spam\r\n554 5.7.1 really\r\n", BOUNCED, "554 5.7.1 spam really"),
        ("DOT", b"552 too big\r\n", BOUNCED, "552 too big"),
        ("RCPT", b"421 4.3.2 going down\r\n", QUEUED, "421 4.3.2 going down"),
        ("MAIL", b"999 what\r\n", QUEUED, "451 4.5.0 protocol error"),
        ("MAIL", b"hello\r\n", QUEUED, "451 4.5.0 protocol error"),
        ("MAIL", b"354 early\r\n", QUEUED, "451 4.5.0 protocol error"),
        ("DATA", b"250 no\r\n", QUEUED, "451 4.5.0 protocol error"),
        ("MAIL", b"250-one\r\n251 two\r\n", QUEUED, "451 4.5.0 protocol error"),
        ("MAIL", b"250-x\r\n" * 5000, QUEUED, "451 4.5.0 protocol error"),
        ("MAIL", b"250 " + b"x" * 100_000, QUEUED, "451 4.5.0 protocol error"),
        ("MAIL", Act.CLOSE, QUEUED, "451 4.4.2 the peer closed the connection"),
        ("DATA", Act.RESET, QUEUED, "451 4.4.2 the peer closed the connection"),
        ("DOT", Act.RESET, QUEUED, "451 4.4.2 the peer closed the connection in phase content"),
        ("GREETING", b"554 5.7.1 go away\r\n", QUEUED, "451 4.3.0 the next hop refused the session: 554 5.7.1"),
        ("GREETING", b"421 busy\r\n", QUEUED, "421 busy"),
        ("GREETING", Act.CLOSE, QUEUED, "451 4.4.2 the peer closed the connection in phase greeting"),
        ("GREETING", b"HTTP/1.1 400 Bad Request\r\n", QUEUED, "451 4.5.0 protocol error"),
        ("EHLO", Act.RESET, QUEUED, "451 4.4.2 the peer closed the connection in phase ehlo"),
        ("EHLO", b"452 4.3.2 no\r\n", QUEUED, "452 4.3.2 no"),
    ],
)
async def test_answer(tmp_path: Path, verb: str, answer: bytes | Act, state: str, reply: str) -> None:
    async with ScriptPeer({verb: answer}) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        (row,) = await kit.tried(kit.put("a@x.example", sender=""))
        assert row.state == state
        assert row.reply.startswith(reply), row.reply
        assert kit.notifications() == []  # the null sender gets none


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT", "STARTTLS"])
async def test_a_silent_peer_is_given_up_in_every_phase(tmp_path: Path, verb: str) -> None:
    extensions = ("PIPELINING", "STARTTLS") if verb == "STARTTLS" else ("PIPELINING",)
    limits = {"command_timeout": 0.2, "data_timeout": 0.2, "connect_timeout": 0.5}
    route = {"tls": "opportunistic" if verb == "STARTTLS" else "none"}
    async with (
        ScriptPeer({verb: Act.HANG}, extensions=extensions) as peer,
        open_kit(tmp_path, to(peer.url, **route), **limits) as kit,
    ):
        (row,) = await kit.tried(kit.put("a@x.example"))
        assert row.state == QUEUED
        assert "time limit passed" in row.reply


@pytest.mark.parametrize("verb", ["GREETING", "MAIL", "DOT"])
async def test_a_dripping_peer_gains_no_time(tmp_path: Path, verb: str) -> None:
    """One byte at a time never resets the deadline: only whole replies do."""
    limits = {"command_timeout": 0.4, "data_timeout": 0.4}
    async with ScriptPeer({verb: Act.DRIP}) as peer, open_kit(tmp_path, to(peer.url), **limits) as kit:
        (row,) = await kit.tried(kit.put("a@x.example"))
        assert "time limit passed in phase" in row.reply


async def test_a_break_after_the_dot_is_ambiguous_and_logged(tmp_path: Path) -> None:
    async with ScriptPeer({"DOT": [Act.CLOSE]}) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        queue_id = kit.put("a@x.example")
        (row,) = await kit.tried(queue_id)
        assert row.state == QUEUED
        (event,) = kit.events("ambiguous_dot")
        assert event["queue_id"] == queue_id
        kit.store.flush("", now_us())
        kit.engine.wake()
        await kit.settled(queue_id)
        assert len(peer.contents) == 2  # the possible duplicate that RFC 5321 section 6.1 accepts


async def test_ehlo_unknown_falls_back_to_helo(tmp_path: Path) -> None:
    async with (
        ScriptPeer({"EHLO": b"502 5.5.1 never heard of it\r\n"}) as peer,
        open_kit(tmp_path, to(peer.url, tls="opportunistic")) as kit,
    ):
        (row,) = await kit.settled(kit.put("a@x.example", raw=b"S: \xc3\xa9\r\n\r\nx\r\n", sender="s@y.example"))
        assert row.state == DELIVERED
        assert peer.lines[1:3] == [b"HELO mx.trust.example", b"MAIL FROM:<s@y.example>"]
        assert peer.contents == [b"S: \xc3\xa9\r\n\r\nx\r\n.\r\n"]  # 8-bit goes out as it is


async def test_size_limit_of_the_peer_bounces_without_trying(tmp_path: Path) -> None:
    async with ScriptPeer(extensions=("SIZE 100",)) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        (row,) = await kit.settled(kit.put("a@x.example", raw=b"x" * 200 + b"\r\n"))
        assert row.state == BOUNCED
        assert "5.3.4" in row.reply
        assert "MAIL" not in peer.verbs()


async def test_lmtp_has_a_reply_for_each_accepted_recipient(tmp_path: Path) -> None:
    answers: dict[str, Script] = {
        "RCPT": by_address({b"no@": b"550 5.1.1 unknown\r\n"}),
        "DOT": [b"250 2.0.0 first\r\n", b"452 4.2.2 quota\r\n", b"550 5.2.1 disabled\r\n"],
    }
    async with ScriptPeer(answers, lmtp=True) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        rows = await kit.tried(kit.put("a@x.example", "no@x.example", "b@x.example", "c@x.example"))
        assert [r.state for r in rows] == [DELIVERED, BOUNCED, QUEUED, BOUNCED]
        assert [r.reply for r in rows] == [
            "250 2.0.0 first", "550 5.1.1 unknown", "452 4.2.2 quota", "550 5.2.1 disabled",
        ]  # fmt: skip
        assert peer.lines[0].startswith(b"LHLO ")


async def test_lmtp_broken_after_some_replies_repeats_only_the_rest(tmp_path: Path) -> None:
    async with (
        ScriptPeer({"DOT": [b"250 2.0.0 first\r\n", Act.CLOSE]}, lmtp=True) as peer,
        open_kit(tmp_path, to(peer.url)) as kit,
    ):
        rows = await kit.tried(kit.put("a@x.example", "b@x.example"))
        assert [r.state for r in rows] == [DELIVERED, QUEUED]


async def test_lmtp_over_a_unix_socket(tmp_path: Path) -> None:
    peer = ScriptPeer(lmtp=True)
    server = await asyncio.start_unix_server(peer._accept, tmp_path / "lmtp")
    async with open_kit(tmp_path, to(f"lmtp:unix:{tmp_path / 'lmtp'}", tls="opportunistic")) as kit:
        (row,) = await kit.settled(kit.put("a@x.example"))
        assert (row.state, row.route) == (DELIVERED, f"lmtp:unix:{tmp_path / 'lmtp'}")
    server.close()


async def test_an_unsafe_address_never_reaches_a_peer(tmp_path: Path) -> None:
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
        bad = ["a@x.example>\r\nRSET", "a b@x.example", "<a@x.example", "", "x@\x00.example", "a@" + "x" * 2000]
        rows = await kit.settled(kit.put(*bad, '"a b"@x.example', sender=""))
        assert [r.state for r in rows] == [BOUNCED] * len(bad) + [DELIVERED]
        assert peer.verbs().count("RCPT") == 1
        rows = await kit.settled(kit.put("a@x.example", sender="s@y>\r\nDATA"))
        assert rows[0].state == BOUNCED
        assert not any(b"\r" in line for line in peer.lines)
