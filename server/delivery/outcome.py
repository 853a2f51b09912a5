"""From a reply to an outcome: delivered, try again and when, or bounced; and which notification that calls for.

A pure function of the work, the reply and the time, so that the whole retry schedule can be tested with a clock
in hand. Building the notification is dsn.py's business.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from mxward.core.errors import StoreCorrupt
from mxward.core.modify import ModifyError
from mxward.server.config import Delivery as DeliveryConfig
from mxward.server.delivery.reply import PeerReply
from mxward.server.store import api

if TYPE_CHECKING:
    from mxward.server.delivery.transaction import Transaction
    from mxward.server.store.api import Outcome, Work, WorkRecipient

JITTER: Final = 0.2  # of the pause, either way: a backlog does not come back as one wave
MIN_ATTEMPTS: Final = 3  # tried so often before expiry, so that a clock that jumped ahead bounces nothing
EXPIRED: Final = "4.4.7"

Notice = Literal["", "failed", "delayed", "delivered", "relayed"]


@dataclass(frozen=True, slots=True)
class Settled:
    """One recipient's outcome with what a notification would say of it."""

    outcome: Outcome
    recipient: WorkRecipient
    notice: Notice
    status: str  # RFC 3463 status for the notification
    diagnostic: str  # the peer's reply, "" when the reason is ours
    will_retry_until: int = 0


class Schedule:
    """Retry times of the configuration. Times in microseconds since the epoch, pauses in seconds."""

    def __init__(self, config: DeliveryConfig, rng: random.Random | None = None) -> None:
        self._first, self._max = config.retry_first, config.retry_max
        self.warn_us, self.expire_us = round(config.warn_after * 1e6), round(config.expire_after * 1e6)
        self._random = rng or random.Random()  # noqa: S311 - jitter, no secret

    def pause(self, attempts: int) -> float:
        """Seconds until the next attempt after `attempts` earlier ones: doubling, bounded, with jitter."""
        base = min(self._max, self._first * 2.0 ** min(attempts, 40))
        return base * self._random.uniform(1 - JITTER, 1 + JITTER)

    def next_attempt(self, attempts: int, now: int) -> int:
        return now + round(self.pause(attempts) * 1e6)

    def has_expired(self, work: Work, attempts: int, now: int) -> bool:
        return now - work.received_at >= self.expire_us and attempts + 1 >= MIN_ATTEMPTS

    def is_late(self, work: Work, now: int) -> bool:
        return now - work.received_at >= self.warn_us


def settle(tx: Transaction, schedule: Schedule, now: int) -> list[Settled]:
    """Outcomes of all recipients of a finished transaction."""
    return [
        _settle_one(tx, rcpt, reply, schedule, now)
        for rcpt, reply in zip(tx.rcpts, tx.replies, strict=True)
        if reply is not None
    ]


def _settle_one(tx: Transaction, rcpt: WorkRecipient, reply: PeerReply, schedule: Schedule, now: int) -> Settled:
    work = tx.body.work
    outcome = api.Outcome(work.queue_id, rcpt.n, api.QUEUED, now, reply=str(reply), route=tx.route, tls=tx.tls)
    diagnostic = str(reply) if reply.lines else ""
    if isinstance(tx.body_error, StoreCorrupt | KeyError | ModifyError):
        outcome.state = api.HELD  # never delivered damaged, never dropped: a person looks at it
        return Settled(outcome, rcpt, "", "4.3.0", "")
    if reply.code // 100 == 2:
        outcome.state = api.DELIVERED
        return Settled(outcome, rcpt, _success(tx, rcpt), reply.status, diagnostic)
    if reply.code // 100 == 5:
        return _bounce(outcome, work, rcpt, reply.status, diagnostic)
    if schedule.has_expired(work, rcpt.attempts, now):
        outcome.reply = f"delivery time expired; last reply: {reply}"
        return _bounce(outcome, work, rcpt, EXPIRED, diagnostic)
    return _retry(outcome, work, rcpt, reply, schedule, now, diagnostic)


def _bounce(outcome: Outcome, work: Work, rcpt: WorkRecipient, status: str, diagnostic: str) -> Settled:
    outcome.state = api.BOUNCED
    return Settled(outcome, rcpt, "failed" if _wants(work, rcpt, "FAILURE") else "", status, diagnostic)


def _retry(
    outcome: Outcome, work: Work, rcpt: WorkRecipient, reply: PeerReply, schedule: Schedule, now: int, diagnostic: str
) -> Settled:
    outcome.next_attempt = schedule.next_attempt(rcpt.attempts, now)
    warn = not rcpt.delay_warned and schedule.is_late(work, now) and _wants(work, rcpt, "DELAY")
    outcome.delay_warned = warn
    until = work.received_at + schedule.expire_us
    return Settled(outcome, rcpt, "delayed" if warn else "", reply.status, diagnostic, until)


def _success(tx: Transaction, rcpt: WorkRecipient) -> Notice:
    """RFC 3461 section 5.2: a next hop that knows DSN reports itself; otherwise it is for us to say so."""
    if not _wants(tx.body.work, rcpt, "SUCCESS") or tx.peer_has_dsn:
        return ""
    return "delivered" if tx.is_final else "relayed"


def _wants(work: Work, rcpt: WorkRecipient, kind: str) -> bool:
    """NOTIFY of the recipient (RFC 3461 section 4.1); never for the null sender (RFC 5321 section 4.5.5)."""
    if not work.sender:
        return False
    wanted = rcpt.notify.upper()
    if not wanted:
        return kind in ("FAILURE", "DELAY")
    return kind in wanted.split(",")
