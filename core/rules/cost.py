"""What rules cost, as CPU time of this thread, minima over rounds, beside a piece of work whose cost is known.

A shared or busy machine runs now faster and now slower; the known work is done in the same rounds, so costs are also
given in instructions: what the known work executes, times how much longer or shorter the measured one took. That is
what can be compared between machines. Exact counts need an instruction counter, which a production box does not have.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mxward.core.detect.detector import Detector
from mxward.core.extract.children import look_inside
from mxward.core.extract.opener import Opener
from mxward.core.extract.parts import extract
from mxward.core.limits import OPENING_DEADLINE_S
from mxward.core.message import Envelope, Message, Recipient
from mxward.pyx.mime import parse

ENOUGH_S: Final = 2.0  # CPU time of a round after which no other is measured
ENVELOPE: Final = Envelope("sender@partner.example", (Recipient("staff@trust.example"),))
# The known work: a backtracking search of the standard library through text that never matches. Counted by callgrind
# with CPython 3.11 (tests/core/test_rule_cost.py counts it again where Valgrind is installed).
_KNOWN_TEXT: Final = b"the quick brown fox jumps over the lazy dog " * 400
_KNOWN_PATTERN: Final = re.compile(rb"[a-z]+ (?:[a-z]+ )?dogs")
KNOWN_INSTRUCTIONS: Final = 16_864_000


def known_work() -> None:
    """Execute KNOWN_INSTRUCTIONS instructions, near enough."""
    assert _KNOWN_PATTERN.search(_KNOWN_TEXT) is None


def prepare(raws: Iterable[bytes], opener: Opener | None = None) -> list[Message]:
    """Messages parsed and extracted, ready for detectors; CRLF line ends. Args: opener: of their attachments."""
    messages = []
    for raw in raws:
        message = Message(raw, ENVELOPE)
        message.mime = parse(raw)
        extract(message)
        look_inside(message, opener, OPENING_DEADLINE_S)
        messages.append(message)
    return messages


def scan(detectors: Sequence[Detector], messages: Sequence[Message]) -> bool:
    """Let every detector look at every message; False when one of them ran out of time."""
    in_time = True
    for message in messages:
        n_before = len(message.not_inspected)
        for detector in detectors:
            for _ in detector.detect(message):
                pass
        new = message.not_inspected[n_before:]
        in_time = in_time and not any(item.reason == "timeout" for item in new)
        del message.not_inspected[n_before:]
    return in_time


def seconds(work: Callable[[], object]) -> float:
    """CPU time of this thread for one call."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


@dataclass(frozen=True, slots=True)
class Scale:
    """How fast this thread is just now: seconds for the known work."""

    known_s: float

    def instructions(self, cpu_s: float) -> float:
        """Instructions that take so long."""
        return cpu_s / self.known_s * KNOWN_INSTRUCTIONS


def compare(works: Sequence[Callable[[], object]], rounds: int) -> tuple[list[float], Scale]:
    """Least CPU time of each work, all of them and the known work once a round, in turn.

    Measured in turn, a machine that is slow for a while slows all alike. What takes ENOUGH_S in a round is so slow that
    another round would tell nothing new.
    """
    best = [float("inf")] * len(works)
    known = float("inf")
    for _ in range(rounds):
        known = min(known, seconds(known_work))
        spent = 0.0
        for n, work in enumerate(works):
            took = seconds(work)
            best[n] = min(best[n], took)
            spent += took
        if spent >= ENOUGH_S:
            break
    return best, Scale(known)
