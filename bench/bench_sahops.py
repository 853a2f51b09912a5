"""Received fields to relays (mxward.pyx.sahops)."""

from __future__ import annotations

from typing import Any

import pytest

hops = pytest.importorskip(
    "mxward.core.rules.spamassassin.received_hops", reason="this tree has no such kernel", exc_type=ImportError
)
POSTFIX = (
    b"from a.example (b.example [203.0.113.9]) by c.example (Postfix) with ESMTPS id 4Q; Mon, 1 Jan 2024 01:02:03 +0000"
)
LATE = b"from a.example (203.0.113.9) by c.example with Microsoft Something id 15.20.1; Mon, 1 Jan 2024 01:02:03 +0000"


def test_a_field_of_postfix(benchmark: Any) -> None:
    assert benchmark(hops.hops().read, POSTFIX).by == b"c.example"


def test_a_field_known_by_a_late_template(benchmark: Any) -> None:
    assert benchmark(hops.hops().read, LATE).by == b"c.example"


def test_growth_received(growth: Any) -> None:
    read = hops.hops().read
    growth(lambda k: [POSTFIX] * (20 * k), lambda fields: [read(field) for field in fields])
