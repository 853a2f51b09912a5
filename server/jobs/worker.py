"""The jobs role: retention, quarantine expiry, space and health watch, self-test, new rule packs, other scanners."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from mxward.core.errors import ConfigError, PolicyError, RulePackError
from mxward.server.clock import SYSTEM_CLOCK, Clock
from mxward.server.config import Config
from mxward.server.engines.setup import health
from mxward.server.jobs.periodic import Job, run_jobs
from mxward.server.log import Log
from mxward.server.metrics import METRICS
from mxward.server.process import Process
from mxward.server.services import rulewatch, scanning
from mxward.server.services.context import Context
from mxward.server.store import open_store
from mxward.server.store.api import Store

PURGE_S: Final = 3600.0
WATCH_S: Final = 10.0
SELF_TEST_S: Final = 600.0
WATCH_RULES_S: Final = 60.0
WATCH_ENGINES_S: Final = 15.0
DAY_US: Final = 86_400_000_000


class Jobs:
    """The jobs of one gateway. Reports changes, not states: a full disk is logged once and not every ten seconds."""

    def __init__(self, config: Config, store: Store, log: Log, clock: Clock = SYSTEM_CLOCK) -> None:
        self.config, self.store, self.log, self.clock = config, store, log, clock
        self._is_low = False
        self._problems: list[str] = []
        self._self_test_problems: list[str] = []
        self._engines_down: dict[str, str] = {}

    def purge(self) -> None:
        """Drop what retention says, compact the spool, expire the quarantine."""
        keep_us = int(self.config.store.keep_days * DAY_US)
        done = self.store.purge(self.clock.now_us(), keep_us)
        METRICS.add("jobs_bodies_dropped_total", done.get("bodies", 0))
        METRICS.add("jobs_expired_total", done.get("expired", 0))
        if any(done.values()):
            self.log("purged", **done)

    def watch(self) -> None:
        """Free space and the store's own opinion of itself, into metrics, and into the log when they change."""
        free = self.store.free_bytes()
        METRICS.set("store_free_bytes", free)
        is_low = free < self.config.smtp.limits.min_free_bytes
        if is_low != self._is_low:
            (self.log.error if is_low else self.log)("disk_space_low" if is_low else "disk_space_back", free_bytes=free)
            self._is_low = is_low
        problems = self.store.check()
        METRICS.set("store_problems", len(problems))
        if problems != self._problems:
            (self.log.error if problems else self.log)("store_check", problems=problems)
            self._problems = problems

    def self_test(self) -> None:
        """Scan test messages with the rules in force; a gateway that no longer sees them says so."""
        try:
            problems = scanning.self_test(self.config)
        except (
            ConfigError,
            PolicyError,
            RulePackError,
        ) as error:  # workers go on with what they loaded; a restart would not
            problems = [str(error)]
        METRICS.add("jobs_selftest_total")
        if problems:
            METRICS.add("jobs_selftest_failures_total")
            self.log.error("self_test_failed", problems=problems)
        elif self._self_test_problems:
            self.log("self_test_passed_again")
        self._self_test_problems = problems

    def watch_engines(self) -> None:
        """Ask other scanners how they are, into a metric, and into the log when a server goes or comes back."""
        down = {
            f"{engine['name']} {server}": fault
            for engine in health(self.config)
            for server, fault in engine["servers"].items()
            if fault
        }
        METRICS.set("engine_servers_down", len(down))
        for server in down.keys() - self._engines_down.keys():
            self.log.error("engine_down", server=server, reason=down[server])
        for server in self._engines_down.keys() - down.keys():
            self.log("engine_back", server=server)
        self._engines_down = down

    def watch_rules(self) -> None:
        """Undo new rule packs that match most mail."""
        for done in rulewatch.check(Context(self.config, self.store, "jobs", self.clock)):
            METRICS.add("jobs_rule_rollbacks_total")
            self.log.error("rule_pack_undone", **done)

    def all(self) -> list[Job]:
        """Every job; the watch first, because the others take longer."""
        now = time.monotonic()
        return [
            Job("watch", WATCH_S, self.watch),
            Job("watch_rules", WATCH_RULES_S, self.watch_rules),
            Job("watch_engines", WATCH_ENGINES_S, self.watch_engines),
            Job("self_test", SELF_TEST_S, self.self_test, due=now),
            Job("purge", PURGE_S, self.purge, due=now),
        ]


async def serve(process: Process) -> None:
    """Run the jobs until `process.stop` is set. Raises StoreError when the store cannot be opened."""
    store = open_store(process.config, process=process.name)
    try:
        jobs = Jobs(process.config, store, process.log)
        schedule, changed = jobs.all(), asyncio.Event()

        async def reload(config: Config) -> None:
            jobs.config = config
            for job in schedule:
                job.due = 0.0  # new rules are tested, new retention is applied, now
            changed.set()

        process.reloads.append(reload)
        process.ready()
        await run_jobs(schedule, process.stop, process.log, changed)
    finally:
        store.close()
