"""Delivery to a real Postfix: pipelining, STARTTLS, refusals a recipient, size, DSN, and 460 end-of-data tricks."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxtest.certificate import make_certificate
from mxtest.deliverykit import open_kit, to
from mxtest.postfix import Postfix, need_postfix
from mxtest.sink import Sink
from mxward.pyx import dotstuff
from mxward.server.store.api import BOUNCED, DELIVERED, QUEUED

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink(keep=True) as running:
        yield running


@pytest.fixture(scope="module")
def postfix(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postfix]:
    need_postfix()
    folder = tmp_path_factory.mktemp("postfix")
    folder.chmod(0o755)
    pem, access = make_certificate(folder, "localhost"), folder / "access"
    access.write_text("no@trust.example REJECT unknown\nlater@trust.example DEFER greylisted\n")
    settings = {
        "smtpd_tls_security_level": "may", "smtpd_tls_chain_files": str(pem), "message_size_limit": "1000000",
        "smtpd_recipient_restrictions": f"check_recipient_access texthash:{access}, permit_mynetworks, reject",
        "smtpd_client_connection_rate_limit": "0",
    }  # fmt: skip
    with Postfix(sink.port, settings) as running:
        yield running


@pytest.fixture(autouse=True)
def empty_sink(sink: Sink) -> None:
    sink.messages.clear()


def url(postfix: Postfix) -> str:
    return f"smtp://localhost:{postfix.port}"


async def arrived(sink: Sink, rcpt: str, n: int = 1) -> list[bytes]:
    for _ in range(2000):
        if len(sink.messages.get(rcpt, [])) >= n:
            return sink.messages[rcpt]
        await asyncio.sleep(0.01)
    pytest.fail(f"{rcpt}: {len(sink.messages.get(rcpt, []))} of {n}")


async def test_each_recipient_has_its_own_fate_over_tls(tmp_path: Path, postfix: Postfix, sink: Sink) -> None:
    async with open_kit(tmp_path, to(url(postfix), tls="required")) as kit:
        rows = await kit.tried(kit.put("yes@trust.example", "no@trust.example", "later@trust.example", sender=""))
        assert [r.state for r in rows] == [DELIVERED, BOUNCED, QUEUED]
        assert rows[1].reply == "554 5.7.1 <no@trust.example>: Recipient address rejected: unknown"
        assert rows[2].reply.startswith("450 4.7.1 ")
        await kit.until(lambda: bool(kit.events("delivery")))
        assert kit.events("delivery")[0]["tls"].startswith("TLSv1.3 ")
    assert len(await arrived(sink, "yes@trust.example")) == 1


async def test_an_unknown_authority_is_refused_by_verify(tmp_path: Path, postfix: Postfix) -> None:
    async with open_kit(tmp_path, to(url(postfix), tls="verify")) as kit:
        (row,) = await kit.tried(kit.put("verify@trust.example", sender=""))
        assert row.state == QUEUED
        assert "4.7.5 TLS with" in row.reply


async def test_the_size_limit_is_seen_before_sending(tmp_path: Path, postfix: Postfix) -> None:
    async with open_kit(tmp_path, to(url(postfix))) as kit:
        (row,) = await kit.settled(kit.put("big@trust.example", sender="", raw=b"x" * 1_100_000 + b"\r\n"))
        assert (row.state, row.reply[:9]) == (BOUNCED, "550 5.3.4")


async def test_success_notification_is_postfixs_business(tmp_path: Path, postfix: Postfix, sink: Sink) -> None:
    async with open_kit(tmp_path, to(url(postfix))) as kit:
        queue_id = kit.put("dsn@trust.example", sender="author@trust.example", notify="SUCCESS", envid="e1")
        await kit.settled(queue_id)
        assert kit.notifications() == []
    (notice,) = await arrived(sink, "dsn@trust.example")
    assert notice.startswith(b"Received: from mx.trust.example")


async def test_a_series_on_few_connections(tmp_path: Path, postfix: Postfix, sink: Sink) -> None:
    async with open_kit(tmp_path, to(url(postfix), tls="opportunistic", max_connections=3)) as kit:
        for queue_id in [kit.put("series@trust.example", sender="") for _ in range(60)]:
            (row,) = await kit.settled(queue_id)
            assert row.state == DELIVERED, row.reply
    assert len(await arrived(sink, "series@trust.example", 60)) == 60


PREFIXES = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\0", b"\0\n", b"\v", b"\f", b"\xc2\x85", b"\xe2\x80\xa8")
DOTS = (b".", b"..", b" .", b"\0.", b"\t.", b"\xef\xbc\x8e")
ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\v", b"\xc2\x85")


async def test_nothing_is_smuggled_through_a_lenient_postfix(tmp_path: Path, postfix: Postfix, sink: Sink) -> None:
    """Debian's Postfix takes 14 of these as end of data when raw; through our writer it takes none."""
    tricks = list(itertools.product(PREFIXES, DOTS, ENDS))
    attack = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<smuggled@trust.example>\r\nDATA\r\nSubject: in\r\n\r\nx\r\n.\r\n"
    async with open_kit(tmp_path, to(url(postfix))) as kit:
        ids = []
        for i, trick in enumerate(tricks):
            raw = b"Subject: t\r\nX-Mxtest-Id: t%d\r\n\r\nfirst" % i + b"".join(trick) + attack
            ids.append(kit.put("grid@trust.example", sender="", raw=raw))
        for queue_id in ids:
            (row,) = await kit.settled(queue_id)
            assert row.state == DELIVERED, row.reply
    got = await arrived(sink, "grid@trust.example", len(tricks))
    assert len(got) == len(tricks)
    assert "smuggled@trust.example" not in sink.messages
    assert all(dotstuff.faults(message) == 0 for message in got)
    assert all(len(re.findall(rb"MAIL FROM:<evil", message)) == 1 for message in got)
