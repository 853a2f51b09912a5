"""LMTP into a real Dovecot, over TCP and over its unix socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mxtest.deliverykit import open_kit, to
from mxtest.dovecot import Dovecot, need_dovecot
from mxward.server.store.api import BOUNCED, DELIVERED

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    need_dovecot()
    with Dovecot(["jane@trust.example", "joe@trust.example"]) as running:
        yield running


@pytest.mark.parametrize("way", ["tcp", "unix"])
async def test_each_recipient_has_dovecots_own_answer(tmp_path: Path, dovecot: Dovecot, way: str) -> None:
    url = f"lmtp://127.0.0.1:{dovecot.port}" if way == "tcp" else f"lmtp:unix:{dovecot.socket}"
    raw = b"From: s@x.example\r\nSubject: caf\xc3\xa9\r\n\r\n.dot\r\n..two\r\nfin\r\n"
    before = len(list((dovecot.root / "mail/jane@trust.example/new").glob("*")))
    async with open_kit(tmp_path, to(url, tls="opportunistic")) as kit:
        given = ("jane@trust.example", "ghost@trust.example", "joe@trust.example")
        rows = await kit.settled(kit.put(*given, raw=raw, sender="s@x.example"))
        assert [r.state for r in rows] == [DELIVERED, BOUNCED, DELIVERED]
        assert rows[0].reply.startswith("250 2.0.0 <jane@trust.example>")
        assert "5.1.1" in rows[1].reply
    stored = dovecot.messages("jane@trust.example", before + 1)[-1]
    assert stored.endswith(raw.replace(b"\r\n", b"\n"))
    assert stored.startswith(b"Return-Path: <s@x.example>\n")


async def test_one_connection_carries_a_series(tmp_path: Path, dovecot: Dovecot) -> None:
    async with open_kit(tmp_path, to(f"lmtp://127.0.0.1:{dovecot.port}", max_connections=2)) as kit:
        for queue_id in [kit.put("joe@trust.example", sender="") for _ in range(40)]:
            (row,) = await kit.settled(queue_id)
            assert row.state == DELIVERED, row.reply
