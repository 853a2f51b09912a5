"""The one source of wall time. Timers use the monotonic clock; records use `now_us`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Wall clock in microseconds since the epoch (UTC). Tests inject their own `source`."""

    __slots__ = ("_source",)

    def __init__(self, source: Callable[[], int] | None = None) -> None:
        self._source = source or (lambda: time.time_ns() // 1000)

    def now_us(self) -> int:
        return self._source()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._source() / 1e6, UTC)


SYSTEM_CLOCK = Clock()
