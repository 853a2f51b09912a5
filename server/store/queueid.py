"""Queue ids: 16 characters of [0-9A-Za-z], ordered by time, unique across processes and machines.

Ten characters hold microseconds since the epoch, six hold the entropy of this process; the order is that of
the bytes, so text columns that hold one compare bytewise.
"""

from __future__ import annotations

import os
import secrets
import threading
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH: Final = 16
_PAIRS: Final = [a + b for a in ALPHABET for b in ALPHABET]
_BASE: Final = 62 * 62
_SUFFIX: Final = 62**6


class _Process:
    """State of this process: the last microsecond used and the suffix that tells it from others."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reseed()

    def reseed(self) -> None:
        self.lock = threading.Lock()
        self.last = 0
        self.suffix = _encode(secrets.randbelow(_SUFFIX), 3)


def _encode(number: int, pairs: int) -> str:
    out = ""
    for _ in range(pairs):
        number, low = divmod(number, _BASE)
        out = _PAIRS[low] + out
    return out


_PROCESS: Final = _Process()
os.register_at_fork(after_in_child=_PROCESS.reseed)


def new_queue_id(now_us: int) -> str:
    """A fresh id. Ids of one process rise strictly even when the clock stands still or steps back a little.

    Args: now_us: microseconds since the epoch, 0 <= now_us < 62**10. Cost: about a microsecond.
    """
    with _PROCESS.lock:
        at = now_us if now_us > _PROCESS.last or now_us < _PROCESS.last - 1_000_000 else _PROCESS.last + 1
        _PROCESS.last = at
        return _encode(at, 5) + _PROCESS.suffix


def lower_bound(at_us: int) -> str:
    """The least id that a message received at `at_us` can have."""
    return _encode(max(at_us, 0), 5) + "000000"


def is_queue_id(text: str) -> bool:
    return len(text) == LENGTH and text.isascii() and text.isalnum()
