"""The pool of processes behind `mxward scan`: a bounded window of messages in work, results in order.

Each process loads the rules once. Only names and results cross between processes, both our own data.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from mxward.core import scan as core_scan
from mxward.core.detect.detector import Detector
from mxward.core.extract.opener import Opener
from mxward.core.message import Envelope, Recipient
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.rules.manage import NO_TRUST
from mxward.core.rules.trust import Trust
from mxward.server.cli.inputs import Item, items, path_for_json
from mxward.server.config import Sandbox
from mxward.server.log import plain
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.report import Report
from mxward.server.sandbox.restrict import RESTRICTIONS
from mxward.server.sandbox.setup import small_pool

WINDOW: Final = 64  # messages in work or waiting to be printed, for each process
ALONE: Final = 16  # with so few messages, starting processes costs more than it saves
PROBE_S: Final = 5.0
RESULT_KEYS: Final = ("verdict", "score", "hits", "parts", "not_inspected", "elapsed_us", "packs")
# What a recipient is not simply delivered with.
KEPT_BACK: Final = frozenset(("quarantine", "hold", "reject", "discard"))


@dataclass(frozen=True, slots=True)
class Options:
    """What every process needs: where rules are, what is local, the envelope to assume, the largest message."""

    data: str
    domains: tuple[str, ...]
    envelope: dict[str, Any]
    limit: int
    trust: Trust = NO_TRUST
    sandbox: Sandbox = field(default_factory=Sandbox)
    engines: tuple[Detector, ...] = ()


class Scanner:
    """Scans items with rules loaded once."""

    def __init__(self, options: Options, opener: Opener | None = None) -> None:
        self.options = options
        data = Path(options.data)  # a machine without a gateway scans with what mxward ships
        self.pipeline: Pipeline = load_pipeline(
            data if data.is_dir() else None,
            options.domains,
            options.trust,
            opener=opener,
            engines=options.engines,
        )
        self.envelope = _envelope(options)

    def scan(self, item: Item) -> dict[str, Any]:
        """The result of one message, or {"path", "error"}."""
        path = path_for_json(item.label)
        try:
            raw = item.error or item.read(self.options.limit)
        except OSError as error:
            raw = error.strerror or str(error)
        if isinstance(raw, str):
            return {"path": path, "error": raw}
        if len(raw) > self.options.limit:
            return {"path": path, "error": f"is larger than smtp.limits.max_message_bytes ({self.options.limit})"}
        result = core_scan.scan_bytes(self.pipeline, core_scan.normalise(raw), self.envelope)
        dispositions = result.get("dispositions", ())
        out = {"path": path, **{key: result[key] for key in RESULT_KEYS}}
        if self.options.envelope:
            out["dispositions"] = dispositions
        return {**out, "is_kept_back": any(d["action"] in KEPT_BACK for d in dispositions)}


def _envelope(options: Options) -> Envelope:
    """What the transaction would have said. One recipient at least: dispositions are made for recipients."""
    doc = options.envelope
    recipients = tuple(Recipient(address) for address in doc.get("recipients") or (f"postmaster@{options.domains[0]}",))
    named = {key: doc[key] for key in ("client_ip", "client_name", "helo", "direction") if key in doc}
    return Envelope(doc.get("sender", ""), recipients, **named)


_scanner: Scanner | None = None  # of a pool process


def _begin(options: Options, pool: SandboxPool) -> None:
    global _scanner
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    _scanner = Scanner(options, pool.join())


def _work(item: Item) -> dict[str, Any]:
    assert _scanner is not None
    return _scanner.scan(item)


def results(paths: list[str], options: Options, jobs: int = 0) -> Iterator[dict[str, Any]]:
    """Results in the order of `items`. Raises RulePackError or PolicyError before the first when rules are faulty."""
    found = items(paths, options.limit)
    first = list(islice(found, ALONE + 1))
    n_processes = jobs or len(os.sched_getaffinity(0))
    with small_pool(options.sandbox, _tell_missing) as sandbox:
        scanner = Scanner(options, sandbox)  # also says what is wrong with the rules once, here
        if len(first) <= ALONE or n_processes == 1:
            yield from map(scanner.scan, first)
            yield from map(scanner.scan, found)
            return
        sandbox.start()
        yield from _by_many(chain(first, found), options, n_processes, sandbox)
        sandbox.probe(PROBE_S)  # the processes used it, and make no reports


def _tell_missing(found: Report) -> None:
    if found.missing:
        texts = "; ".join(RESTRICTIONS[name] for name in found.missing)
        plain(f"mxward scan: attachments were opened by processes of which this does not hold: {texts}")


def _by_many(found: Iterator[Item], options: Options, n: int, sandbox: SandboxPool) -> Iterator[dict[str, Any]]:
    # forked, so that all of them find the one template process of the sandbox
    kind = get_context("fork")
    with ProcessPoolExecutor(n, mp_context=kind, initializer=_begin, initargs=(options, sandbox)) as pool:
        waiting: deque[tuple[Item, Future[dict[str, Any]]]] = deque()
        for item in found:
            waiting.append((item, pool.submit(_work, item)))
            if len(waiting) >= WINDOW * n:
                yield _answer(*waiting.popleft())
        while waiting:
            yield _answer(*waiting.popleft())


def _answer(item: Item, future: Future[dict[str, Any]]) -> dict[str, Any]:
    try:
        return future.result()
    except BrokenProcessPool:
        return {"path": path_for_json(item.label), "error": "the scanning process died"}
