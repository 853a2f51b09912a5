"""Dates of mail (mxward.pyx.sadate)."""

from __future__ import annotations

from typing import Any

import pytest

sadate = pytest.importorskip("mxward.pyx.sadate", reason="this tree has no sadate kernel", exc_type=ImportError)
DATE = b"Mon, 2 Jun 2025 10:00:00 +0000"
FIELD = b"from mail.example (mail.example [192.0.2.1]) by mx.example with ESMTPS id 4X for <a@b.example>; " + DATE


def test_read_a_date(benchmark: Any) -> None:
    assert benchmark(sadate.usual_date, DATE) == 1_748_858_400


def test_find_a_date_in_received(benchmark: Any) -> None:
    assert benchmark(sadate.date_of_received, FIELD) == DATE[4:]


def test_growth_find_a_date(growth: Any) -> None:
    growth(lambda k: b"x 1 y " * 1000 * k, sadate.date_of_received)
