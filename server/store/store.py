"""The facade: every call of api.Store, each handed to the part that knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mxward.server.store.accounts import Accounts
from mxward.server.store.admin import Admin
from mxward.server.store.api import (
    AuditRow,
    Event,
    LedgerCount,
    MessageQuery,
    MessageRow,
    NewMessage,
    Outcome,
    UserRow,
    Work,
)
from mxward.server.store.audit import Audit
from mxward.server.store.backend import Backend
from mxward.server.store.commit import Commit
from mxward.server.store.lease import Leases
from mxward.server.store.ledger import Ledger
from mxward.server.store.outcome import Outcomes
from mxward.server.store.purge import Purge
from mxward.server.store.tracking import Tracking


class SqlStore:
    """The store on either database. What each call promises is written in `api.Store`."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._commit = Commit(backend, Outcomes(backend))
        self._leases = Leases(backend)
        self._tracking = Tracking(backend)
        self._ledger = Ledger(backend)
        self._admin = Admin(backend)
        self._purge = Purge(backend)
        self._accounts = Accounts(backend)
        self._audit = Audit(backend)

    # -- mail

    def commit(self, messages: Sequence[NewMessage]) -> None:
        self._commit.write(messages, ())

    def record_outcomes(self, outcomes: Sequence[Outcome], new: Sequence[NewMessage] = ()) -> None:
        self._commit.write(new, outcomes)

    def lease(self, owner: str, limit: int, now: int, lease_us: int) -> list[Work]:
        return self._leases.lease(owner, limit, now, lease_us)

    def renew(self, owner: str, queue_ids: Sequence[str], until: int) -> None:
        self._leases.renew(owner, queue_ids, until)

    def reclaim(self, prefix: str, now: int) -> int:
        return self._leases.reclaim(prefix, now)

    def release(self, owner: str, now: int) -> int:
        return self._leases.release(owner, now)

    def next_due(self) -> int:
        return self._leases.next_due()

    # -- tracking

    def body(self, queue_id: str) -> bytes:
        return self._tracking.body(queue_id)

    def message(self, queue_id: str) -> MessageRow | None:
        return self._tracking.message(queue_id)

    def events(self, queue_id: str) -> list[Event]:
        return self._tracking.events(queue_id)

    def find(self, query: MessageQuery) -> list[MessageRow]:
        return self._tracking.find(query)

    def iterate(self, query: MessageQuery) -> Iterator[MessageRow]:
        return self._tracking.iterate(query)

    # -- what people do

    def set_state(self, queue_id: str, n: int | None, state: str, at: int, actor: str, detail: str) -> int:
        return self._admin.set_state(queue_id, n, state, at, actor, detail)

    def flush(self, domain: str, now: int, queue_id: str = "") -> int:
        return self._admin.flush(domain, now, queue_id)

    def reroute(self, queue_id: str, n: int, address: str, at: int, actor: str) -> None:
        self._admin.reroute(queue_id, n, address, at, actor)

    # -- keeping

    def purge(self, now: int, keep_us: int) -> dict[str, int]:
        return self._purge.run(now, keep_us)

    def ledger(self) -> LedgerCount:
        return self._ledger.verify()

    def counts(self, since: int) -> dict[str, Any]:
        return self._ledger.counts(since)

    def free_bytes(self) -> int:
        return self.backend.bodies.free()

    def user(self, name: str) -> UserRow | None:
        return self._accounts.get(name)

    def put_user(self, user: UserRow) -> None:
        self._accounts.put(user)

    def users(self) -> list[UserRow]:
        return self._accounts.all()

    def audit(self, at: int, actor: str, action: str, object_: str, detail: dict[str, Any]) -> None:
        self._audit.append(at, actor, action, object_, detail)

    def audit_entries(self, before: int = 0, limit: int = 100) -> list[AuditRow]:
        return self._audit.list(before, limit)

    def audit_verify(self) -> list[str]:
        return self._audit.verify()

    def rotate_key(self, at: int, actor: str) -> str:
        key_id = self.backend.keys.rotate()
        self._audit.append(at, actor, "key rotated", "master key", {"id": key_id})
        return key_id

    def check(self) -> list[str]:
        unfit = [self.backend.fitness.reason] if self.backend.fitness.reason else []
        return unfit + self.backend.keys.check() + self.backend.bodies.check() + self.backend.engine.check()

    def close(self) -> None:
        self.backend.bodies.close()
        self.backend.engine.close()
