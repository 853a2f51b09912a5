"""Received fields: the kernel says what the regular expressions of received_line.py say."""

from __future__ import annotations

from mxward.core.rules.spamassassin.received import relay_of
from mxward.core.rules.spamassassin.received_hops import hops
from mxward.core.rules.spamassassin.received_line import read
from mxward.pyx.sahops import ASK, Relay

SEEDS = [
    b"from a.example (b.example [203.0.113.9]) by c (Postfix) with ESMTPS id 4Q; Mon, 1 Jan 2024 01:02:03 +0000",
    b"from [1.2.3.4] (helo=x ident=me) by c.example with esmtp (Exim 4.9) id 1 (envelope-from <a@b.example>)",
    b"from a ([IPv6:::ffff:1.2.3.4]) by b (8.9) with SMTP id abc",
    b"from x (HELO y) (me@1.2.3.4) by z with SMTP",
]
WORDS = [
    b"from ", b" by ", b" (", b") ", b"[", b"] ", b"1.2.3.4", b"::1", b"fe80:", b"IPv6:", b"helo=", b"HELO ", b"ident=",
    b"@", b" with ", b" id ", b"unknown", b"Exim", b" (Postfix) with", b" SMTPSVC", b"localhost", b"; ", b" via ",
]  # fmt: skip
LIMIT = 1200


def run(data: bytes) -> None:
    came = hops().read(data)
    if came == ASK:
        return
    parsed = read(data)
    if not isinstance(came, Relay):
        assert parsed is None or parsed.is_skipped
        return
    assert parsed is not None
    assert not parsed.is_skipped
    assert came.text == relay_of(parsed).text
    assert came.is_private == relay_of(parsed).is_private
