"""Hints of header fields: flags only, and those of a text are there when it is part of a longer one."""

from __future__ import annotations

from mxward.pyx.sahint import GROUPS, HOTMAIL, IN_SENDER, RELAY, TEMPLATE, hints

SEEDS = [b"jo@a.example\0x-jo@b.example\0Re: JO\0by rly-x hotmail.com groups.msn.com\0%TO_NAME", b"%A\0@\0:\0rly"]
WORDS = [b"\0", b"jo", b"@", b":", b"%", b"%A_", b"rly-", b"hotmail.com", b"groups.msn.com", b"A", b"a", b"\xe9"]


def run(data: bytes) -> None:
    recipient, sender, subject, received, fields = (*data.split(b"\0", 4), b"", b"", b"", b"")[:5]
    recipient = recipient.lower()
    found = hints(sender, recipient, subject, received, fields, data)
    assert 0 <= found < 256
    longer = hints(sender + b" ", recipient, subject + b" ", received + b" ", fields + b" ", data + b" ")
    kept = TEMPLATE | RELAY | HOTMAIL | IN_SENDER | (GROUPS if received else 0)
    assert found & kept & ~longer == 0
