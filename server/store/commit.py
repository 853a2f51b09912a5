"""THE commit point: new messages and outcomes become durable in one transaction, or none does."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mxward.server.metrics import METRICS
from mxward.server.store import rows
from mxward.server.store.api import NewMessage, Outcome
from mxward.server.store.backend import Backend
from mxward.server.store.crypto import Sealed
from mxward.server.store.engine import CommitUncertain
from mxward.server.store.outcome import Outcomes
from mxward.server.store.schema import MESSAGE, RECIPIENT
from mxward.server.store.spool import Ref
from mxward.server.store.sql import Cursor, Insert


class Commit:
    """Writes batches. The history of a message begins with its own row, so that none is spent on "accepted"."""

    def __init__(self, backend: Backend, outcomes: Outcomes) -> None:
        self._backend, self._outcomes = backend, outcomes
        self._message = Insert(MESSAGE, backend.engine.dialect)
        self._recipient = Insert(RECIPIENT, backend.engine.dialect)

    def write(self, messages: Sequence[NewMessage], outcomes: Sequence[Outcome]) -> None:
        """Make all durable. Raises a StoreError, and then nothing was promised."""
        self._backend.fitness.require()
        began = time.monotonic_ns()
        try:
            self._write(messages, outcomes)
        except BaseException:
            METRICS.add("commit_failures_total")
            raise
        METRICS.add("commit_batches_total")
        METRICS.add("commit_messages_total", len(messages))
        METRICS.add("commit_us_total", (time.monotonic_ns() - began) // 1000)

    def _write(self, messages: Sequence[NewMessage], outcomes: Sequence[Outcome]) -> None:
        if not messages:
            if outcomes:
                with self._backend.engine.write() as cursor:
                    self._outcomes.apply(cursor, outcomes)
            return
        for message in messages:
            rows.check(message)
        sealed = [self._backend.sealer.seal(m.queue_id, m.raw) for m in messages]
        try:
            self._transact(messages, sealed, outcomes)
        except CommitUncertain:
            if not self._backend.engine.confirm([m.queue_id for m in messages]):
                raise

    def _transact(self, messages: Sequence[NewMessage], sealed: Sequence[Sealed], outcomes: Sequence[Outcome]) -> None:
        bodies = self._backend.bodies
        with bodies.batch(sealed) as refs, self._backend.engine.write() as cursor:
            bodies.insert(cursor, sealed)
            self._insert(cursor, messages, sealed, refs)
            if outcomes:
                self._outcomes.apply(cursor, outcomes)

    def _insert(
        self, cursor: Cursor, messages: Sequence[NewMessage], sealed: Sequence[Sealed], refs: Sequence[Ref]
    ) -> None:
        self._message.run(cursor, list(map(rows.message_row, messages, sealed, refs)))
        recipients = [
            rows.recipient_row(m.queue_id, n, rcpt, m.received_at)
            for m in messages
            for n, rcpt in enumerate(m.recipients)
        ]
        self._recipient.run(cursor, recipients)
