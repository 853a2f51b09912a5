"""Header fields as SpamAssassin's rules see them (mxward.pyx.safields, mxward.pyx.saheader)."""

from __future__ import annotations

from typing import Any

import pytest

safields = pytest.importorskip("mxward.pyx.safields", reason="this tree has no such kernel", exc_type=ImportError)
saheader = pytest.importorskip("mxward.pyx.saheader", reason="this tree has no such kernel", exc_type=ImportError)
NAMES = ("subject", "from", "to", "cc", "date", "message-id", "received", "list-unsubscribe", "x-mailer", "precedence")


def section(hops: int) -> bytes:
    """A header section as mail has it after some hops."""
    hop = "Received: from a.example (a.example [192.0.2.%d])\n\tby b.example (Postfix) with ESMTPS id %d\n"
    own = "Subject: hello\nFrom: A <a@a.example>\nTo: c@d.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nX-A: b\n\n"
    return ("".join(hop % (i % 250, i) for i in range(hops)) + own).encode()


def table(data: bytes) -> Any:
    return safields.FieldTable(data, lambda value, _: value)


def test_find_the_fields(benchmark: Any) -> None:
    assert len(benchmark(table, section(5))) == 10


def test_values_of_many_names(benchmark: Any) -> None:
    plan = safields.FieldPlan([([name.encode()], safields.DECODED) for name in NAMES])
    assert benchmark(table(section(5)).joined, plan)[0][0] == b"hello\n"


def test_lines_as_they_stand(benchmark: Any) -> None:
    assert benchmark(saheader.raw_text, section(5)) == section(5)[:-1]


def test_one_mailbox(benchmark: Any) -> None:
    assert benchmark(saheader.usual_mailboxes, b'"A, B"<a@b.example>') == [(b"A, B", b"a@b.example")]


def test_growth_fields(growth: Any) -> None:
    growth(lambda k: section(50 * k), table)
