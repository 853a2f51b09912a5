"""The crash campaign: SIGKILL at random processes of the running product under load, then the accounts are compared.

Promise under test: what was answered 250 arrives; twice only where the reply to the final dot, or the process that had
read it and not yet written it down, was lost. The supervisor is started again when it dies, as an init system would.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mxtest.product import Product, Settings, kill_quietly, lost, route_to
from mxtest.sender import Load
from mxtest.sink import Sink

ROLES = ("smtp", "delivery", "jobs", "web", "supervisor")
WEIGHTS = (8, 8, 2, 1, 3)
# A copy that arrived this long before its deliverer was killed may not have been written down yet.
UNWRITTEN_S = 5.0


@dataclass(slots=True)
class Kill:
    at: float
    role: str
    pid: int


@dataclass
class CrashReport:
    """Both accounts after the queue has drained."""

    kills: list[Kill] = field(default_factory=list)
    n_acked: int = 0
    n_unknown: int = 0
    n_refused: int = 0
    n_delivered: int = 0
    lost: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    unexplained: list[tuple[str, str]] = field(default_factory=list)
    unknown_delivered: int = 0
    ledger: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        by_role = {role: sum(k.role == role for k in self.kills) for role in ROLES}
        return {
            "kills": len(self.kills), "kills_by_role": by_role, "acknowledged": self.n_acked,
            "unknown": self.n_unknown, "unknown_delivered": self.unknown_delivered, "refused": self.n_refused,
            "arrived": self.n_delivered, "lost": len(self.lost), "lost_examples": self.lost[:20],
            "duplicates": len(self.duplicates),
            "duplicate_share": round(len(self.duplicates) / max(1, self.n_delivered), 6),
            "unexplained_duplicates": self.unexplained[:20], "ledger": self.ledger, "seconds": round(self.seconds, 1),
        }  # fmt: skip


class CrashRun:
    """One run: `kills` SIGKILLs, `pause` seconds apart on average, under the load of `threads` senders."""

    def __init__(
        self, directory: Path, *, kills: int = 50, pause: float = 0.8, threads: int = 3, size: int = 4096,
        seed: int | None = None, settings: Settings | None = None, send_pause: float = 0.004, drop_dot_every: int = 0,
    ) -> None:  # fmt: skip
        self.dice = random.Random(seed)
        self.n_kills, self.pause, self.threads, self.size = kills, pause, threads, size
        self.send_pause = send_pause
        self.sink = Sink(drop_dot_every=drop_dot_every)
        self.directory, self.settings = directory, settings or Settings(workers=2)
        self.report = CrashReport()

    def run(self) -> CrashReport:
        started = time.monotonic()
        with self.sink:
            self.settings.routes = [route_to(self.sink.port)]
            with Product(self.directory, self.settings) as product:
                load = Load(product.inbound, threads=self.threads, size=self.size, pause=self.send_pause, name="crash")
                load.start()
                try:
                    for _ in range(self.n_kills):
                        time.sleep(self.pause * (0.3 + 1.4 * self.dice.random()))
                        self._kill_one(product)
                finally:
                    load.stop()
                product.wait_ready()
                self._compare(product, load)
        self.report.seconds = time.monotonic() - started
        return self.report

    def _kill_one(self, product: Product) -> None:
        """SIGKILL of one living process of a role drawn at random; waits for nothing but a dead supervisor."""
        role = self.dice.choices(ROLES, WEIGHTS)[0]
        if role == "supervisor":
            assert product.process is not None
            self.report.kills.append(Kill(time.monotonic(), role, product.pid))
            kill_quietly(product.pid)
            product.process.wait(10)
            product.start()
            return
        living = product.workers(role)
        if not living:  # killed a moment ago and not yet back: take whatever there is
            living = product.workers()
        if living:
            worker = self.dice.choice(living)
            self.report.kills.append(Kill(time.monotonic(), worker.role, worker.pid))
            kill_quietly(worker.pid)

    def _compare(self, product: Product, load: Load) -> None:
        report, counts = self.report, self.sink.counts
        report.ledger = product.wait_settled(120)
        report.n_acked, report.n_unknown, report.n_refused = len(load.acked), len(load.unknown), len(load.refused)
        report.n_delivered = sum(counts.values())
        report.lost = lost(load.acked, set(counts))
        report.duplicates = sorted(pair for pair, n in counts.items() if n > 1)
        report.unexplained = [pair for pair in report.duplicates if not self._is_explained(pair)]
        report.unknown_delivered = len(load.unknown & set(counts))

    def _is_explained(self, pair: tuple[str, str]) -> bool:
        """Every copy but the last had its reply dropped, or its deliverer killed soon after it arrived."""
        dropped = self.sink.unanswered[pair]
        for at in self.sink.arrivals[pair][:-1]:
            killed = any(
                k.role in ("delivery", "supervisor") and -0.5 <= k.at - at <= UNWRITTEN_S for k in self.report.kills
            )
            if not killed:
                if dropped == 0:
                    return False
                dropped -= 1
        return True
