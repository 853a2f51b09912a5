"""Dates: whatever is read is a moment that there is, and a date found in a field stands there."""

from __future__ import annotations

from mxward.pyx.sadate import are_near, date_of_received, usual_date

SEEDS = [
    b"Mon, 2 Jun 2025 10:00:00 +0100 (BST)",
    b"from a by b with SMTP id 1; Mon, 2 Jun 2025 10:00:00 +0100 (BST)",
]
WORDS = [b" ", b"\n", b"12", b" Jun ", b"2025", b"10:00:00 ", b"+0000", b" (UTC)", b",", b"\xe9"]
LAST = 2_145_916_799  # the last second of 2037


def run(data: bytes) -> None:
    seconds = usual_date(data)
    assert seconds is None or 0 <= seconds <= LAST + 60 * (60 * 99 + 99)
    found = date_of_received(data)
    if are_near(SEEDS[0], data, 10):
        assert found is not None
        assert 0 < abs((usual_date(found) or 0) - (usual_date(SEEDS[0]) or 0)) < 10
    assert found is None or (found in data and found[:1].isspace())
