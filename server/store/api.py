"""The store as the rest of the server sees it: records in, records out, and what each call promises.

One implementation over SQLAlchemy Core serves SQLite (embedded; bodies in the spool log) and PostgreSQL
(cluster; bodies in chunked rows). All calls are synchronous and thread-safe; `GroupCommit` (group.py) is the
asynchronous face that batches `commit` and `record_outcomes` of one process into few durable transactions.

Times are integers, microseconds since the epoch, UTC. A queue id is a string of 16 characters from
[0-9A-Za-z], unique and ordered by time. Recipient numbers count from 0 in envelope order.

The states of a recipient, and nothing else:

    queued -> delivered | held | quarantined | bounced | discarded | redirected
    queued -> queued (a later next attempt)
    held, quarantined -> queued | discarded | expired
    delivered, bounced, discarded, redirected, expired: final
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

QUEUED, DELIVERED, HELD, QUARANTINED = "queued", "delivered", "held", "quarantined"
BOUNCED, DISCARDED, REDIRECTED, EXPIRED = "bounced", "discarded", "redirected", "expired"
STATES = (QUEUED, DELIVERED, HELD, QUARANTINED, BOUNCED, DISCARDED, REDIRECTED, EXPIRED)
FINAL_STATES = frozenset((DELIVERED, BOUNCED, DISCARDED, REDIRECTED, EXPIRED))
TRANSITIONS: dict[str, frozenset[str]] = {
    QUEUED: frozenset((QUEUED, DELIVERED, HELD, QUARANTINED, BOUNCED, DISCARDED, REDIRECTED)),
    HELD: frozenset((QUEUED, DISCARDED, EXPIRED)),
    QUARANTINED: frozenset((QUEUED, DISCARDED, EXPIRED)),
}


@dataclass(slots=True)
class NewRecipient:
    """One ledger row to be: the recipient with its disposition already decided."""

    address: str
    state: str  # QUEUED, QUARANTINED, HELD, DISCARDED or REDIRECTED
    action: str = "deliver"  # Disposition.action
    area: str = ""  # quarantine area when state is QUARANTINED
    notify: str = ""
    orcpt: str = ""
    next_attempt: int = 0  # 0: at once
    disposition: dict[str, Any] = field(default_factory=dict)  # Disposition.to_dict()


@dataclass(slots=True)
class NewMessage:
    """What `commit` makes durable. `raw` is the message exactly as received, CRLF line ends.

    `trace` is the header block that delivery puts in front (Received, and what policy adds for every
    recipient); it is kept apart so that the original stays as it was.
    """

    queue_id: str
    received_at: int
    direction: str
    sender: str
    raw: bytes
    recipients: list[NewRecipient]
    trace: bytes = b""
    client_ip: str = ""
    client_name: str = ""
    helo: str = ""
    protocol: str = "ESMTP"
    tls: str = ""
    auth_user: str = ""
    body: str = ""  # BODY= parameter
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    subject: str = ""  # decoded, at most 250 characters
    header_from: str = ""  # first author address, at most 320 characters
    message_id: str = ""
    verdict: str = "clean"
    score: float = 0.0
    policy_version: str = ""
    judgement: dict[str, Any] = field(default_factory=dict)  # Verdict.to_dict(); stored as JSON
    origin: str = "smtp"  # smtp, dsn, release, copy
    parent: str = ""  # queue id of the message this one speaks about


@dataclass(slots=True)
class WorkRecipient:
    n: int
    address: str
    notify: str
    orcpt: str
    attempts: int
    additions: list[list[str]]  # Disposition additions: [[kind, argument], ...]
    delay_warned: bool


@dataclass(slots=True)
class Work:
    """One leased message with those of its recipients that are due. Only the lease holder delivers them."""

    queue_id: str
    received_at: int
    direction: str
    sender: str
    size: int
    smtputf8: bool
    body: str
    ret: str
    envid: str
    trace: bytes
    origin: str
    recipients: list[WorkRecipient]


@dataclass(slots=True)
class Outcome:
    """What became of one recipient in one attempt; `state` QUEUED means try again at `next_attempt`."""

    queue_id: str
    n: int
    state: str
    at: int
    reply: str = ""  # the peer's reply, or our reason, one line
    route: str = ""  # "smtp://host:port [ip]", "maildir:...", ...
    tls: str = ""
    next_attempt: int = 0
    delay_warned: bool = False
    actor: str = "delivery"  # who: delivery, policy, or a user's name


@dataclass(slots=True)
class MessageRow:
    """A message as tracking shows it, with its recipients."""

    queue_id: str
    received_at: int
    direction: str
    sender: str
    size: int
    client_ip: str
    client_name: str
    helo: str
    protocol: str
    tls: str
    auth_user: str
    subject: str
    header_from: str
    message_id: str
    verdict: str
    score: float
    policy_version: str
    origin: str
    parent: str
    judgement: dict[str, Any]
    recipients: list[RecipientRow]


@dataclass(slots=True)
class RecipientRow:
    n: int
    address: str
    state: str
    action: str
    area: str
    attempts: int
    next_attempt: int
    updated_at: int
    reply: str
    route: str
    disposition: dict[str, Any]
    lease_until: int = 0  # above now: a delivery worker has it


@dataclass(slots=True)
class Event:
    """One line of a message's history (append-only): accepted, attempt, delivered, held, released, ..."""

    queue_id: str
    n: int  # -1: the whole message
    at: int
    kind: str
    actor: str
    detail: str


@dataclass(slots=True)
class MessageQuery:
    """Filter of `find`: text filters match case-insensitively anywhere; None or "" means any."""

    sender: str = ""
    recipient: str = ""
    subject: str = ""
    text: str = ""  # any of the three, or the queue id, or the Message-ID
    state: str = ""
    verdict: str = ""
    direction: str = ""
    area: str = ""
    since: int = 0
    until: int = 0
    before_id: str = ""  # keyset paging: rows older than this queue id
    limit: int = 50


@dataclass(slots=True)
class LedgerCount:
    """`mxward ledger verify`, counted per recipient. Expired and policy-discarded rows are `discarded`."""

    accepted: int
    queued: int
    delivered: int
    held: int  # held and quarantined
    discarded: int
    bounced: int
    redirected: int
    problems: list[str]  # each inconsistency found, in words

    @property
    def consistent(self) -> bool:
        parts = self.queued + self.delivered + self.held + self.discarded + self.bounced + self.redirected
        return not self.problems and self.accepted == parts


@dataclass(slots=True)
class UserRow:
    name: str
    password_hash: str
    role: str
    created_at: int
    disabled: bool
    must_change: bool = False  # the password was given by someone else: the console asks for a new one first


@dataclass(slots=True)
class AuditRow:
    """One entry of the audit trail, numbered from 1 without gaps."""

    id: int
    at: int
    actor: str
    action: str
    object: str
    detail: dict[str, Any]


class Store(Protocol):
    """Errors: StoreUnavailable, StoreFull, StoreUnfit, StoreCorrupt (mxward.core.errors)."""

    def commit(self, messages: Sequence[NewMessage]) -> None:
        """Make all of them durable in one transaction, or none. THE commit point: 250 may be said after it.

        After StoreUnfit every later call of `commit` in this process raises StoreUnfit too.
        """

    def lease(self, owner: str, limit: int, now: int, lease_us: int) -> list[Work]:
        """Claim up to `limit` due messages for `owner` until now + lease_us; expired leases count as due."""

    def renew(self, owner: str, queue_ids: Sequence[str], until: int) -> None:
        """Extend leases that `owner` still holds."""

    def reclaim(self, prefix: str, now: int) -> int:
        """End the leases of owners whose name begins with `prefix`: a delivery process that starts calls it with
        its own name, since what its dead predecessor held need not wait for the end of the lease. Returns how many."""

    def release(self, owner: str, now: int) -> int:
        """Give back what `owner` still holds, as if never leased: due now, no attempt counted; returns rows."""

    def next_due(self) -> int:
        """Time of the earliest next attempt or lease end of a queued recipient; 0 when nothing is queued."""

    def record_outcomes(self, outcomes: Sequence[Outcome], new: Sequence[NewMessage] = ()) -> None:
        """Record attempts durably in one transaction, with DSNs that they cause (`new`), and end the leases.

        An outcome for a recipient that is already in a final state changes nothing.
        """

    def body(self, queue_id: str) -> bytes:
        """The message exactly as received. Raises KeyError when unknown or expired, StoreCorrupt when damaged."""

    def message(self, queue_id: str) -> MessageRow | None: ...

    def events(self, queue_id: str) -> list[Event]: ...

    def find(self, query: MessageQuery) -> list[MessageRow]:
        """Newest first, with recipients."""

    def iterate(self, query: MessageQuery) -> Iterator[MessageRow]:
        """All matches, oldest first, streamed without a cap (postqueue -j, exports)."""

    def set_state(self, queue_id: str, n: int | None, state: str, at: int, actor: str, detail: str) -> int:
        """Administrative transition (hold, unhold, delete, release) of one or all recipients of a message.

        Only transitions of TRANSITIONS are made; returns how many rows changed. Leased rows are left alone
        for QUEUED -> HELD/DISCARDED while their lease runs (they are being delivered): not counted.
        """

    def flush(self, domain: str, now: int, queue_id: str = "") -> int:
        """Make queued recipients (of one domain, or all with ""; of one message) due now; returns how many."""

    def reroute(self, queue_id: str, n: int, address: str, at: int, actor: str) -> None:
        """Redirect a queued or held recipient to another address: the old row becomes REDIRECTED and a new
        recipient row of the same message is queued, counted as accepted."""

    def purge(self, now: int, keep_us: int) -> dict[str, int]:
        """Drop bodies of settled messages older than keep_us, compact the spool, expire the quarantine."""

    def ledger(self) -> LedgerCount: ...

    def counts(self, since: int) -> dict[str, Any]:
        """For the first page: {"by_verdict": {..}, "by_state": {..}, "by_direction": {..}, "oldest_queued": us}."""

    def free_bytes(self) -> int:
        """Space left for new messages, in bytes (for 452 before DATA)."""

    def user(self, name: str) -> UserRow | None: ...

    def put_user(self, user: UserRow) -> None: ...

    def users(self) -> list[UserRow]: ...

    def audit(self, at: int, actor: str, action: str, object_: str, detail: dict[str, Any]) -> None:
        """Append to the audit trail (hash-chained)."""

    def audit_entries(self, before: int = 0, limit: int = 100) -> list[AuditRow]:
        """Newest first; `before` is an entry's number for paging, 0 for the end."""

    def audit_verify(self) -> list[str]:
        """Problems of the hash chain, in words; empty when no entry was changed, taken out or put in."""

    def rotate_key(self, at: int, actor: str) -> str:
        """Make a new master key current, rewrap data keys in the background-safe way; returns its id."""

    def check(self) -> list[str]:
        """Problems found with the store: an empty list means fit to serve (for /readyz and `status`)."""

    def close(self) -> None: ...
