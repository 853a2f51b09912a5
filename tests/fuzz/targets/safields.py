"""Header fields as SpamAssassin keeps them: what is found stands in the text, and tables of both kinds agree."""

from __future__ import annotations

from mxward.pyx.safields import ALL, CLEAN, DECODED, MAIL, NAME, RAW, FieldPlan, FieldTable

SEEDS = [
    b"Subject: =?utf-8?q?a?=\n b\nTo: a@b.example,\n\tc@d.example\nX-Spam-Flag: YES\nReceived: from a by b\n\n",
    b'From: "A, B" <a@b.example>\r\nto:\r\r\n c\r\n \xe9\n nothing\n',
]
WORDS = [
    b":",
    b"\n",
    b"\r\n",
    b"\n ",
    b"\n\t",
    b"to",
    b"X-Spam-",
    b"=?",
    b"<",
    b">",
    b'"',
    b"@",
    b"a" * 300,
    b"b " * 5000,
]
KINDS = (DECODED, RAW, MAIL | RAW, NAME | RAW, NAME | CLEAN | RAW, MAIL, ALL)
PLAN = FieldPlan([([b"to"], kind) for kind in KINDS] + [([b"to", b"subject"], kind) for kind in KINDS])


def decode(value: bytes, name: bytes) -> bytes:
    assert b"=?" in value or not value.isascii()
    return value


def run(data: bytes) -> None:
    table = FieldTable(data, decode)
    again = FieldTable([(name, b"") for name in table.order], decode)
    assert list(again) == list(table)
    assert sum(len(table.numbers(name)) for name in table) == len(table) == len(table.order)
    for name in table:
        assert all(value[:-1] in data or b"\r" in data for value in table.raw(name))
        assert all(b"\n" not in value for value in table.values(name))
    lines = table.lines()
    assert b"".join(lines) == table.text()
    assert len(lines) == len(table) or table.is_truncated
    joined, _ = table.joined(PLAN)
    assert joined[0] == (b"".join(value + b"\n" for value in table.values(b"to")) if b"to" in table else None)
