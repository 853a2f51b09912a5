"""End of data: judge, plan, commit, and only then the reply. The one place where this server takes responsibility.

Every path ends in exactly one reply: 250 after the durable commit, 5xx before anything was stored, 4xx for every fault
of ours. No text of an exception leaves the house. The caller runs `settle` in a task of the worker, not of the
connection, so a client that goes away changes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Protocol

from mxward.core.errors import Reply, StoreFull, StoreUnavailable, StoreUnfit
from mxward.core.message import Envelope, Message
from mxward.core.verdict import VERDICTS, Hit, NotInspected, Verdict
from mxward.server.clock import Clock
from mxward.server.log import Log
from mxward.server.metrics import METRICS
from mxward.server.smtp import reply
from mxward.server.smtp.load import Load
from mxward.server.smtp.plan import Plan, make_plan
from mxward.server.smtp.received import received
from mxward.server.smtp.scanpool import Overdue, ScanPool
from mxward.server.smtp.settings import Settings
from mxward.server.smtp.transaction import Transaction
from mxward.server.store.api import HELD, QUEUED, NewMessage, NewRecipient
from mxward.server.store.queueid import new_queue_id

_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>|([^<>\s,;:\"()]+@[^<>\s,;\"()]+)")
_VERDICT_COUNTER = {name: f"verdict_{name}_total" for name in VERDICTS}


class Committer(Protocol):
    """The asynchronous face of the store (GroupCommit)."""

    async def commit(self, message: NewMessage) -> None: ...


class Finish:
    """Args: wake: called after each commit that queued something."""

    def __init__(
        self, group: Committer, pool: ScanPool, load: Load, log: Log, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._group, self._pool, self._load, self._log, self._clock, self._wake = group, pool, load, log, clock, wake

    async def settle(self, tx: Transaction, settings: Settings) -> Reply:
        """Take a complete message through to its reply. Never raises; releases what `tx` holds.

        Args: settings: those in force at end of data; their pipeline judges the whole message.
        """
        began = time.monotonic_ns()
        now_us = self._clock.now_us()
        queue_id = new_queue_id(now_us)
        self._load.waiting += 1
        METRICS.add("smtp_transactions_total")
        METRICS.add("smtp_bytes_total", len(tx.raw))
        record: dict[str, Any] = {}
        try:
            envelope = tx.envelope(queue_id, self._clock.now())
            answer = await self._settle(tx, envelope, settings, now_us, record)
        except StoreFull:
            answer = reply.NO_SPACE
        except StoreUnavailable as error:
            answer, record["reason"] = reply.FAULT, repr(error)
        except StoreUnfit as error:
            self._load.is_unfit = True
            answer, record["reason"] = reply.UNFIT, repr(error)
        except Exception as error:
            self._log.exception("transaction_failed", error, queue_id=queue_id)
            answer = reply.FAULT
        finally:
            self._load.waiting -= 1
            self._load.memory -= tx.held
            tx.held = 0
        self._report(tx, queue_id, answer, record, (time.monotonic_ns() - began) // 1000)
        return answer

    async def _settle(
        self, tx: Transaction, envelope: Envelope, settings: Settings, now_us: int, record: dict[str, Any]
    ) -> Reply:
        began = time.monotonic_ns()
        try:
            message = await self._pool.judge(settings.pipeline, tx.raw, envelope, settings.scan.deadline)
        except Overdue:
            message = None
        METRICS.add("scan_messages_total")
        METRICS.add("scan_us_total", (time.monotonic_ns() - began) // 1000)
        if message is None or message.verdict is None:
            return await self._unjudged(tx, envelope, settings, now_us, record)
        record.update(verdict=message.verdict.name, score=message.verdict.score)
        _count_verdict(message.verdict)
        if _is_looping(message, settings.limits.max_received):
            record["reason"] = "loop"
            return reply.LOOP
        plan = make_plan(envelope.recipients, message.dispositions)
        if plan.refusal is not None:
            record["reason"] = message.dispositions[0].explanation.policy_rule
            return plan.refusal
        new = _new_message(tx, envelope, settings, now_us, message.verdict)
        _describe(new, message)
        return await self._commit(new, plan)

    async def _unjudged(
        self, tx: Transaction, envelope: Envelope, settings: Settings, now_us: int, record: dict[str, Any]
    ) -> Reply:
        """The deadline passed: scan.on_degraded says what happens."""
        METRICS.add("scan_degraded_total")
        record.update(reason="scan deadline", verdict="", score=0.0)
        if settings.scan.on_degraded == "defer":
            return reply.NO_VERDICT
        state = HELD if settings.scan.on_degraded == "hold" else QUEUED
        hit = Hit("SCAN_TIMEOUT", "degraded", detail="the scan did not end in time")
        verdict = Verdict("clean", 0.0, (hit,), (NotInspected(0, "timeout", "scan deadline"),))
        new = _new_message(tx, envelope, settings, now_us, verdict)
        action = "hold" if state == HELD else "deliver"
        rows = [NewRecipient(r.address, state, action, notify=r.notify, orcpt=r.orcpt) for r in envelope.recipients]
        for row in rows:
            row.disposition = {
                "rcpt": row.address, "action": action, "argument": "", "additions": [],
                "policy_version": settings.pipeline.version, "policy_rule": "scan.on_degraded",
                "sentence": "The message could not be scanned in time.", "counterfactual": "",
            }  # fmt: skip
        return await self._commit(new, Plan(None, rows))

    async def _commit(self, new: NewMessage, plan: Plan) -> Reply:
        new.recipients = plan.recipients
        await self._group.commit(new)
        METRICS.add("smtp_accepted_total")
        METRICS.add("smtp_accepted_recipients_total", len(new.recipients))
        if any(r.state == QUEUED for r in new.recipients):
            self._wake()
        return reply.queued(new.queue_id)

    def _report(self, tx: Transaction, queue_id: str, answer: Reply, record: dict[str, Any], elapsed_us: int) -> None:
        """One log line a transaction, and the counters of those that were not accepted."""
        event = "accepted"
        if answer.is_permanent:
            event = "refused"
            METRICS.add("smtp_refused_total")
        elif answer.is_temporary:
            event = "deferred"
            METRICS.add("smtp_deferred_total")
        self._log(
            event, queue_id=queue_id, client=tx.client.ip, sender=tx.mail.sender.text,
            rcpts=[r.address.text for r in tx.rcpts[:20]], n_rcpts=len(tx.rcpts), size=len(tx.raw),
            direction=tx.direction, code=answer.code, elapsed_us=elapsed_us, **record,
        )  # fmt: skip


def _count_verdict(verdict: Verdict) -> None:
    METRICS.add(_VERDICT_COUNTER[verdict.name])
    if verdict.hits:
        METRICS.add("scan_hits_total", len(verdict.hits))
        if any(hit.category == "degraded" for hit in verdict.hits):
            METRICS.add("scan_degraded_total")


def _is_looping(message: Message, limit: int) -> bool:
    return message.mime is not None and len(message.mime.field_spans("received")) > limit


def _new_message(tx: Transaction, envelope: Envelope, settings: Settings, now_us: int, verdict: Verdict) -> NewMessage:
    return NewMessage(
        queue_id=envelope.queue_id,
        received_at=now_us,
        direction=envelope.direction,
        sender=envelope.sender,
        raw=tx.raw,
        recipients=[],
        trace=received(envelope, settings.hostname, now_us),
        client_ip=envelope.client_ip,
        client_name=envelope.client_name,
        helo=envelope.helo,
        protocol=envelope.protocol,
        tls=envelope.tls,
        auth_user=envelope.auth_user,
        body=envelope.body,
        smtputf8=envelope.smtputf8,
        ret=envelope.ret,
        envid=envelope.envid,
        verdict=verdict.name,
        score=verdict.score,
        policy_version=settings.pipeline.version,
        judgement=verdict.to_dict(),
    )


def _describe(new: NewMessage, message: Message) -> None:
    """Fields by which people find the message."""
    mime = message.mime
    if mime is None:
        return
    new.subject = mime.text("subject")[:250]
    found = _ADDRESS.search(mime.text("from")[:4000])
    new.header_from = (found[1] or found[2])[:320] if found else ""
    new.message_id = mime.text("message-id").strip()[:250]
