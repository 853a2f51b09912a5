"""Lock-out with back-off for failed log-ins, counted per account and per client address.

While a name or an address is locked nothing is verified, so that a right guess looks like a wrong one. The wait
doubles with each further failure up to a quarter of an hour: an attacker is stopped, an administrator is not
locked out for good.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FREE_FAILURES: Final = 5
FIRST_WAIT: Final = 30.0
MAX_WAIT: Final = 900.0
FORGET_AFTER: Final = 86_400.0  # seconds without a failure
MAX_ENTRIES: Final = 20_000  # names and addresses remembered; the one quiet for longest gives way


@dataclass(slots=True)
class _Record:
    failures: int
    last: float
    until: float


class Throttle:
    """Failures by key (`account:NAME`, `client:IP`) on the monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait(self, *keys: str) -> float:
        """Seconds until all of these keys may try again; 0 when they may now."""
        now = self._clock()
        return max((self._records[k].until - now for k in keys if k in self._records), default=0.0)

    def fail(self, *keys: str) -> None:
        now = self._clock()
        for key in keys:
            record = self._records.pop(key, None)
            if record is None or now - record.last > FORGET_AFTER:
                record = _Record(0, now, now)
            record.failures, record.last = record.failures + 1, now
            over = record.failures - FREE_FAILURES
            if over >= 0:
                record.until = now + min(MAX_WAIT, FIRST_WAIT * 2.0 ** min(over, 16))
            self._records[key] = record
        while len(self._records) > MAX_ENTRIES:
            self._records.popitem(last=False)

    def forgive(self, *keys: str) -> None:
        """Take one failure back: the try was never judged."""
        for key in keys:
            record = self._records.get(key)
            if record is not None:
                record.failures, record.until = record.failures - 1, min(record.until, self._clock())

    def succeed(self, *keys: str) -> None:
        for key in keys:
            self._records.pop(key, None)

    def __len__(self) -> int:
        return len(self._records)
