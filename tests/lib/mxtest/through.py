"""Every message of the corpus through the running product, then four accounts are compared.

The accounts: what the client was answered, what the sink received, what the ledger counts, and the bytes. Each message
goes to two recipients of its own, so that a recipient names its message without a change to the message.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mxtest.corpus import Mail, is_transportable
from mxtest.product import Product
from mxtest.sender import Answer, Client, Closed
from mxtest.sink import Sink

_TRACE = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+")


@dataclass
class Sent:
    """One message and what it was answered."""

    mail: Mail
    rcpts: tuple[str, str]
    answer: Answer | None = None

    @property
    def is_accepted(self) -> bool:
        return self.answer is not None and self.answer.code == 250


@dataclass
class Passage:
    """The run: what was sent, and every fault found afterwards, in words."""

    sent: list[Sent] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ledger: dict[str, Any] = field(default_factory=dict)
    n_identical: int = 0
    n_modified: int = 0
    arrived: set[str] = field(default_factory=set)  # recipients seen at the sink

    def to_dict(self) -> dict[str, Any]:
        codes: dict[str, int] = {}
        for sent in self.sent:
            key = str(sent.answer.code) if sent.answer else "none"
            codes[key] = codes.get(key, 0) + 1
        return {
            "messages": len(self.sent), "answers": codes, "byte_identical": self.n_identical,
            "modified_by_policy": self.n_modified, "ledger": self.ledger, "faults": self.faults[:50],
        }  # fmt: skip


def send_all(port: int, mails: Iterable[Mail], *, threads: int = 4) -> list[Sent]:
    """Send every mail by SMTP, several connections at once, several messages a connection."""
    jobs = [Sent(mail, (f"m{i}@trust.example", f"m{i}.copy@trust.example")) for i, mail in enumerate(mails)]
    queue = iter(jobs)
    lock = threading.Lock()

    def work() -> None:
        client: Client | None = None
        while True:
            with lock:
                job = next(queue, None)
            if job is None:
                break
            client = _send(port, job, client)
        if client:
            client.close()

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(600)
    return jobs


def _send(port: int, job: Sent, client: Client | None) -> Client | None:
    """Send one; returns the connection when it may be used again. One that a refusal ended is replaced once."""
    message = job.mail.folded
    eight_bit = "" if message.isascii() else "BODY=8BITMIME"
    for fresh in (client is None, True):
        try:
            client = Client(port, timeout=120) if fresh or client is None else client
            result = client.transact("tester@sender.example", job.rcpts, message, parameters=eight_bit)
        except Closed as error:
            if client:
                client.close(quit_first=False)
            client, job.answer = None, Answer(0, f"closed: {error}")
            if fresh or error.after_dot:
                return None
        else:
            job.answer = result.final or result.data
            return client
    return client


def outcomes(product: Product) -> dict[str, list[str]]:
    """recipient -> its recorded states, by `mxward message find`."""
    states: dict[str, list[str]] = {}
    done = product.mx("message", "find", "--json", "--limit", "100000", check=True, timeout=120)
    for message in _documents(done.stdout):
        for rcpt in message["recipients"]:
            states.setdefault(rcpt["address"], []).append(rcpt["state"])
    return states


def _documents(text: str) -> list[dict[str, Any]]:
    """A JSON array, or one document a line."""
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def pass_through(product: Product, sink: Sink, mails: Iterable[Mail], *, threads: int = 4) -> Passage:
    """Send, drain, compare. The product must be empty before and route everything to `sink`, which keeps bytes."""
    passage = Passage(sent=send_all(product.inbound, mails, threads=threads))
    passage.ledger = product.wait_settled(180)
    _check_answers(passage)
    _check_ledger(passage, sink)
    _check_outcomes(passage, sink, outcomes(product))
    _check_bytes(passage, sink)
    passage.arrived = {rcpt for _, rcpt in sink.counts}
    return passage


def _check_answers(passage: Passage) -> None:
    """A message SMTP cannot carry is refused for good; any other is accepted or refused for good, never deferred."""
    for sent in passage.sent:
        answer = sent.answer
        if answer is None or not (answer.code == 250 or 500 <= answer.code < 600):
            passage.faults.append(f"{sent.mail.name}: answered {answer}")
        elif not is_transportable(sent.mail.folded) and sent.is_accepted:
            passage.faults.append(f"{sent.mail.name}: holds NUL or bare CR and was accepted")


def _check_ledger(passage: Passage, sink: Sink) -> None:
    ledger = passage.ledger
    n_accepted = sum(2 for sent in passage.sent if sent.is_accepted)
    if not ledger["consistent"]:
        passage.faults.append(f"the ledger finds itself inconsistent: {ledger}")
    if ledger["accepted"] != n_accepted:
        passage.faults.append(f"the ledger counts {ledger['accepted']} accepted, the client {n_accepted}")
    if ledger["delivered"] != sum(sink.counts.values()):
        passage.faults.append(
            f"the ledger counts {ledger['delivered']} delivered, the sink {sum(sink.counts.values())}"
        )


def _check_outcomes(passage: Passage, sink: Sink, states: dict[str, list[str]]) -> None:
    """Exactly one recorded outcome for each accepted recipient; the sink agrees; none for a refused one."""
    arrived: dict[str, int] = {}
    for (_, rcpt), n in sink.counts.items():
        arrived[rcpt] = arrived.get(rcpt, 0) + n
    for sent in passage.sent:
        for rcpt in sent.rcpts:
            recorded, n = states.get(rcpt, []), arrived.get(rcpt, 0)
            if not sent.is_accepted:
                if recorded or n:
                    passage.faults.append(f"{sent.mail.name} {rcpt}: refused, yet {recorded}, {n} at the sink")
            elif len(recorded) != 1:
                passage.faults.append(f"{sent.mail.name} {rcpt}: {len(recorded)} outcomes {recorded}")
            elif n != (1 if recorded == ["delivered"] else 0):
                passage.faults.append(f"{sent.mail.name} {rcpt}: {recorded[0]}, yet {n} at the sink")


def _check_bytes(passage: Passage, sink: Sink) -> None:
    """What arrived is our trace header and then the message, byte for byte, unless policy changed it."""
    for sent in passage.sent:
        for rcpt in sent.rcpts:
            for received in sink.messages.get(rcpt, ()):
                verdict = compare(sent.mail.folded, received)
                if verdict == "identical":
                    passage.n_identical += 1
                elif verdict == "tagged":
                    passage.n_modified += 1
                else:
                    passage.faults.append(f"{sent.mail.name} {rcpt}: {verdict}")


def compare(original: bytes, received: bytes) -> str:
    """ "identical", "tagged" (policy's mark in the header section, body untouched), or what differs, in words."""
    if received.endswith(original):
        front = received[: len(received) - len(original)]
        if front.startswith(b"Received:") and _TRACE.fullmatch(front):
            return "identical"
        return f"in front of the message stands {front[:200]!r}"
    body = original.partition(b"\r\n\r\n")[2]
    if body and received.endswith(body) and b"X-Mxward" in received.partition(b"\r\n\r\n")[0]:
        return "tagged"
    at = next((i for i, (a, b) in enumerate(zip(reversed(original), reversed(received), strict=False)) if a != b), -1)
    return f"the bytes differ, {at} before the end"
