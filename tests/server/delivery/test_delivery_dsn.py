"""Delivery status notifications, read back by the standard library and checked field by field."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.deliverykit import Kit, open_kit, to
from mxtest.scriptpeer import PLAIN, ScriptPeer
from mxward.pyx import dotstuff
from mxward.server.config import Config, Domains, Server
from mxward.server.delivery import dsn
from mxward.server.delivery.outcome import Settled
from mxward.server.store.api import BOUNCED, DELIVERED, Outcome, Work, WorkRecipient

RAW = (
    b"From: s@home.example\r\nTo: a@x.example\r\nSubject: original\r\nX-Long: "
    + b"y" * 200
    + b"\r\n\r\nsecret body\r\n"
)
DAY = 86_400_000_000
ACCEPTED = 1_790_000_000_000_000


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    return cast(EmailMessage, message)


def groups(message: EmailMessage) -> list[dict[str, str]]:
    """Field groups of the message/delivery-status part: first the message's, then one a recipient."""
    part = message.get_payload(1)
    assert isinstance(part, EmailMessage)
    payload = part.get_payload()
    if isinstance(payload, str):  # message/global-delivery-status is not known to the library
        return [dict(re.findall(r"(?m)^([\w-]+): (.*?)\r?$", g)) for g in re.split(r"\r?\n\r?\n", payload.strip())]
    return [dict(g.items()) for g in payload if isinstance(g, EmailMessage) and g.items()]


def config() -> Config:
    return Config(server=Server(hostname="mx.trust.example"), domains=Domains(local=["trust.example"]))


def make(
    notice: str, *addresses: str, raw: bytes = RAW, status: str = "5.1.1", diagnostic: str = "550 5.1.1 no such user",
    orcpt: str = "", sender: str = "s@home.example", ret: str = "", envid: str = "",
) -> tuple[EmailMessage, bytes]:  # fmt: skip
    work = Work("Q" * 16, ACCEPTED, "inbound", sender, len(raw), False, "", ret, envid, b"", "smtp", [])
    settled = [
        Settled(
            Outcome(work.queue_id, n, BOUNCED, ACCEPTED + DAY, reply=diagnostic or "our own reason",
                    route="smtp://next.example:25 [192.0.2.1]"),
            WorkRecipient(n, a, "", orcpt, 0, [], False), notice, status, diagnostic, ACCEPTED + 5 * DAY,  # type: ignore[arg-type]  # a Notice
        )
        for n, a in enumerate(addresses or ("a@x.example",))
    ]  # fmt: skip
    new = dsn.build(work, notice, settled, raw, config=config(), queue_id="D" * 16, now=ACCEPTED + DAY)  # type: ignore[arg-type]  # a Notice
    assert (new.sender, new.origin, new.parent, new.recipients[0].address) == ("", "dsn", "Q" * 16, sender)
    assert dotstuff.faults(new.raw) == 0
    return read(new.raw), new.raw


def test_a_bounce_says_who_what_and_why() -> None:
    message, _ = make("failed", "a@x.example", "b@x.example", orcpt="rfc822;orig+2Bname@x.example", envid="id+3D7")
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["From"] == "Mail Delivery System <mailer-daemon@trust.example>"
    assert (message["To"], message["Auto-Submitted"]) == ("s@home.example", "auto-replied")
    assert message["Message-ID"] == f"<{'D' * 16}.dsn@mx.trust.example>"
    assert message["Date"].datetime.year == 2026
    assert [p.get_content_type() for p in message.iter_parts()] == [
        "text/plain", "message/delivery-status", "text/rfc822-headers",
    ]  # fmt: skip
    of_message, first, second = groups(message)
    assert of_message["Reporting-MTA"] == "dns; mx.trust.example"
    assert of_message["Original-Envelope-Id"] == "id=7"
    assert of_message["Arrival-Date"] == "Mon, 21 Sep 2026 14:13:20 +0000"
    assert first == {
        "Original-Recipient": "rfc822; orig+name@x.example", "Final-Recipient": "rfc822; a@x.example",
        "Action": "failed", "Status": "5.1.1", "Remote-MTA": "dns; next.example",
        "Diagnostic-Code": "smtp; 550 5.1.1 no such user", "Last-Attempt-Date": "Tue, 22 Sep 2026 14:13:20 +0000",
    }  # fmt: skip
    assert second["Final-Recipient"] == "rfc822; b@x.example"
    text = message.get_payload(0).get_content()  # type: ignore[union-attr]  # the text part
    assert "<a@x.example>" in text
    assert "the next hop said: 550 5.1.1 no such user" in text
    assert "postmaster@trust.example" in text


@pytest.mark.parametrize(
    ("notice", "status", "action", "shown"),
    [
        ("failed", "5.7.1", "failed", "5.7.1"),
        ("failed", "4.4.7", "failed", "4.4.7"),
        ("delayed", "4.4.1", "delayed", "4.4.1"),
        ("delivered", "2.0.0", "delivered", "2.0.0"),
        ("relayed", "2.1.5", "relayed", "2.1.5"),
        ("failed", "2.0.0", "failed", "5.0.0"),  # the class follows the action
    ],
)
def test_action_and_status(notice: str, status: str, action: str, shown: str) -> None:
    message, _ = make(notice, status=status)
    row = groups(message)[1]
    assert (row["Action"], row["Status"]) == (action, shown)
    assert ("Will-Retry-Until" in row) == (notice == "delayed")


def test_our_own_reasons_have_no_diagnostic_code() -> None:
    message, _ = make("failed", diagnostic="")
    row = groups(message)[1]
    assert "Diagnostic-Code" not in row
    assert "Remote-MTA" not in row
    assert "our own reason" in message.get_payload(0).get_content()  # type: ignore[union-attr]  # the text part


@pytest.mark.parametrize(
    ("notice", "ret", "size", "whole"),
    [
        ("failed", "", 100, False),
        ("failed", "HDRS", 100, False),
        ("failed", "FULL", 100, True),
        ("failed", "FULL", dsn.MAX_RETURNED, False),
        ("delayed", "FULL", 100, False),
    ],
)
def test_how_much_of_the_original_comes_back(notice: str, ret: str, size: int, whole: bool) -> None:
    raw = RAW + b"z" * size + b"\r\n"
    message, wire = make(notice, raw=raw, ret=ret)
    part = message.get_payload(2)
    assert isinstance(part, EmailMessage)
    assert part.get_content_type() == ("message/rfc822" if whole else "text/rfc822-headers")
    assert (b"secret body" in wire) == whole
    assert (raw in wire) == whole
    assert b"Subject: original\r\n" in wire


def test_a_huge_header_section_is_cut_at_a_line() -> None:
    raw = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 60) for i in range(5000)) + b"\r\nbody\r\n"
    _, wire = make("failed", raw=raw)
    assert len(wire) < dsn.MAX_HEADER_RETURNED + 8000
    assert dotstuff.faults(wire) == 0


def test_addresses_beyond_ascii_use_the_types_of_rfc_6533() -> None:
    message, wire = make("failed", "\u00fcser@x.example", sender="\u00e9@home.example")
    assert message.get_payload(1).get_content_type() == "message/global-delivery-status"  # type: ignore[union-attr]  # a part
    assert "Final-Recipient: utf-8; \u00fcser@x.example\r\n".encode() in wire
    assert b"Content-Transfer-Encoding: 8bit\r\n" in wire


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60), st.binary(max_size=300))
def test_no_words_of_others_become_structure(diagnostic: str, orcpt: str, envid: str, raw: bytes) -> None:
    canonical = re.sub(rb"[\r\n\0]", b"", raw) + b"\r\n\r\nx\r\n"
    message, wire = make("failed", diagnostic=f"550 {diagnostic}", orcpt=orcpt, envid=envid, raw=canonical)
    assert len(list(message.iter_parts())) == 3
    of_message, row = groups(message)
    assert set(of_message) <= {"Original-Envelope-Id", "Reporting-MTA", "Arrival-Date"}
    assert set(row) <= {
        "Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code",
        "Last-Attempt-Date",
    }  # fmt: skip
    assert row["Final-Recipient"] == "rfc822; a@x.example"
    assert wire.isascii() or message["Content-Transfer-Encoding"] == "8bit"


async def bounced(kit: Kit, address: str, **fields: object) -> EmailMessage | None:
    """The one notification that a message to `address` causes, or None."""
    before = len(kit.notifications())
    await kit.settled(kit.put(address, sender="s@home.example", raw=RAW, **fields))  # type: ignore[arg-type]  # given on
    new = kit.notifications()[before:]
    assert len(new) <= 1
    return read(new[0][1]) if new else None


async def test_success_is_reported_by_whoever_is_last_to_know(tmp_path: Path) -> None:
    """RFC 3461 section 5.2: a next hop with DSN reports itself and gets the parameters; one without is reported."""
    async with (
        ScriptPeer(extensions=(*PLAIN, "DSN")) as knows,
        ScriptPeer() as plain,
        ScriptPeer(lmtp=True) as final,
        ScriptPeer() as home,
    ):
        routes = [to(knows.url, "k.example"), to(plain.url, "p.example"), to(final.url, "f.example"), to(home.url)]
        async with open_kit(tmp_path, *routes) as kit:
            wanted = {"notify": "SUCCESS,FAILURE", "orcpt": "rfc822;o@x.example", "ret": "HDRS", "envid": "e1"}
            assert await bounced(kit, "a@k.example", **wanted) is None
            assert b"RCPT TO:<a@k.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@x.example" in knows.lines
            assert next(x for x in knows.lines if x.startswith(b"MAIL")).endswith(b" RET=HDRS ENVID=e1")
            relayed, delivered = (
                await bounced(kit, "a@p.example", **wanted),
                await bounced(kit, "a@f.example", **wanted),
            )
            assert relayed is not None and delivered is not None
            assert groups(relayed)[1]["Action"] == "relayed"
            assert groups(delivered)[1]["Action"] == "delivered"
            assert b"RCPT TO:<a@p.example>" in plain.lines


async def test_a_notification_that_bounces_ends_there(tmp_path: Path) -> None:
    async with (
        ScriptPeer({"RCPT": b"550 5.1.1 nobody\r\n"}) as peer,
        open_kit(tmp_path, to(peer.url)) as kit,
    ):
        await kit.settled(kit.put("a@x.example", sender="forged@y.example"))
        await kit.until(lambda: len(kit.notifications()) == 1)
        (notice, _) = kit.notifications()[0]
        (row,) = await kit.settled(notice.queue_id)
        assert row.state == BOUNCED
        assert len(kit.notifications()) == 1
        assert b"MAIL FROM:<>" in b"\n".join(peer.lines)


async def test_the_notification_arrives_at_the_sender(tmp_path: Path) -> None:
    async with (
        ScriptPeer({"RCPT": b"550-5.7.1 no\r\n550 5.7.1 way\r\n"}) as bad,
        ScriptPeer() as home,
        open_kit(tmp_path, to(bad.url, "x.example"), to(home.url)) as kit,
    ):
        await bounced(kit, "a@x.example")
        notice, raw = kit.notifications()[0]
        (row,) = await kit.settled(notice.queue_id)
        assert row.state == DELIVERED
        assert home.contents == [dotstuff.stuff(raw) + b".\r\n"]
        assert groups(read(raw))[1]["Diagnostic-Code"] == "smtp; 550 5.7.1 no way"
        assert (notice.direction, notice.sender) == ("outbound", "")
