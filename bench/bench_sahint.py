"""Hints of header fields for SpamAssassin's eval tests (mxward.pyx.sahint)."""

from __future__ import annotations

from typing import Any

import pytest

sahint = pytest.importorskip("mxward.pyx.sahint", reason="this tree has no sahint kernel", exc_type=ImportError)
FIELD = b"Received: from mail.example (mail.example [192.0.2.1]) by mx.example with ESMTPS id 4X-7 for <a@b.example>\n"
FIELDS = (b"staff@sender.example", b"jo@trust.example", b"Minutes of the meeting on Monday\n", FIELD * 6)


def test_look_at_the_fields_of_a_message(benchmark: Any) -> None:
    assert benchmark(sahint.hints, *FIELDS, FIELD * 20, FIELD * 20) == 0


def test_growth_look_at_fields(growth: Any) -> None:
    growth(lambda k: FIELD * 20 * k, lambda text: sahint.hints(*FIELDS[:3], text, text, text))
