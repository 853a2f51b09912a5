"""The jobs on a real store: retention, space and health watch, self-test; changes are logged once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mxward.core.errors import StoreUnavailable
from mxward.server.clock import Clock
from mxward.server.config import Config, Engine, Server, StoreConfig
from mxward.server.jobs.worker import Jobs
from mxward.server.log import Log
from mxward.server.metrics import METRICS
from mxward.server.run import datadir
from mxward.server.store import open_store
from mxward.server.store.api import DELIVERED, EXPIRED, QUARANTINED, QUEUED, NewMessage, NewRecipient, Outcome

DAY_US = 86_400_000_000
START_US = 1_790_000_000_000_000


class Bench:
    """Jobs, their store, their time and what they logged."""

    def __init__(self, data: Path) -> None:
        self.now_us = START_US
        config = Config(server=Server(data_dir=str(data)), store=StoreConfig(keep_days=7, quarantine_days=14))
        datadir.make(config, None)
        self.store = open_store(config, process="jobs.0")
        self.log_file = data / "log" / "test.jsonl"
        self._fd = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.jobs = Jobs(config, self.store, Log("jobs.0", fd=self._fd), Clock(lambda: self.now_us))

    def events(self) -> list[str]:
        return [orjson.loads(line)["event"] for line in self.log_file.read_bytes().splitlines()]

    def close(self) -> None:
        self.store.close()
        os.close(self._fd)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "data")
    yield made
    made.close()


def message(queue_id: str, state: str) -> NewMessage:
    recipient = NewRecipient("a@trust.example", state, area="spam" if state == QUARANTINED else "")
    return NewMessage(queue_id, START_US, "inbound", "b@example.org", b"Subject: x\r\n\r\nbody\r\n", [recipient])


def test_retention_drops_what_is_settled_and_old_and_nothing_else(bench: Bench) -> None:
    settled, waiting, kept = "0000000000000001", "0000000000000002", "0000000000000003"
    bench.store.commit([message(settled, QUEUED), message(waiting, QUEUED), message(kept, QUARANTINED)])
    bench.store.record_outcomes([Outcome(settled, 0, DELIVERED, START_US)])
    bench.now_us = START_US + 8 * DAY_US
    bench.jobs.purge()
    with pytest.raises(KeyError):
        bench.store.body(settled)
    assert bench.store.body(waiting)
    assert bench.store.body(kept)
    bench.now_us = START_US + 15 * DAY_US
    bench.jobs.purge()
    row = bench.store.message(kept)
    assert row is not None
    assert row.recipients[0].state == EXPIRED
    assert bench.store.body(waiting)
    assert "purged" in bench.events()
    assert bench.store.ledger().consistent


def test_low_space_is_said_once_and_its_end_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 10
    monkeypatch.setattr(type(bench.store), "free_bytes", lambda _: free)
    bench.jobs.watch()
    bench.jobs.watch()
    assert bench.events() == ["disk_space_low"]
    assert METRICS.value("store_free_bytes") == 10
    free = 10**12
    bench.jobs.watch()
    bench.jobs.watch()
    assert bench.events() == ["disk_space_low", "disk_space_back"]


def test_problems_of_the_store_are_said_when_they_change(bench: Bench) -> None:
    bench.jobs.watch()
    assert bench.events() == []
    (bench.jobs.config.data / "keys" / "master.json").chmod(0o644)
    bench.jobs.watch()
    bench.jobs.watch()
    assert bench.events() == ["store_check"]
    assert METRICS.value("store_problems") == 1
    assert b"chmod 0600" in bench.log_file.read_bytes()


def test_the_self_test_runs_with_the_rules_in_force(bench: Bench) -> None:
    before = METRICS.value("jobs_selftest_failures_total")
    bench.jobs.self_test()
    assert bench.events() == []
    policy = bench.jobs.config.data / "policy.toml"
    policy.write_text("this is no policy")
    bench.jobs.self_test()
    assert b"policy.toml" in bench.log_file.read_bytes()
    policy.unlink()
    bench.jobs.self_test()
    assert bench.events() == ["self_test_failed", "self_test_passed_again"]
    assert METRICS.value("jobs_selftest_failures_total") == before + 1


def test_every_job_can_run(bench: Bench) -> None:
    actions: list[Callable[[], Any]] = [job.run for job in bench.jobs.all()]
    assert len(actions) == 5
    for action in actions:
        action()
    assert bench.events() == []


def test_a_store_that_is_away_is_an_error_of_that_pass_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise StoreUnavailable("away")

    monkeypatch.setattr(type(bench.store), "free_bytes", fail)
    with pytest.raises(StoreUnavailable):
        bench.jobs.watch()
    monkeypatch.undo()
    bench.jobs.watch()


def test_a_scanner_that_goes_and_comes_back_is_said_once(bench: Bench, tmp_path: Path) -> None:
    program = tmp_path / "scan"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o700)
    bench.jobs.config.engine = [Engine(name="own", kind="command", command=[str(program)])]
    bench.jobs.watch_engines()
    assert METRICS.value("engine_servers_down") == 0
    program.chmod(0o600)
    for _ in range(3):
        bench.jobs.watch_engines()
    assert METRICS.value("engine_servers_down") == 1
    program.chmod(0o700)
    bench.jobs.watch_engines()
    assert METRICS.value("engine_servers_down") == 0
    assert [event for event in bench.events() if event.startswith("engine")] == ["engine_down", "engine_back"]
