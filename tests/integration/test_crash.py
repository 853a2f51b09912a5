"""Fifty SIGKILLs under load: nothing that was acknowledged is lost, and twice only where it cannot be helped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mxtest.crash import CrashReport, CrashRun

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]
N_KILLS = 50


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> CrashReport:
    run = CrashRun(tmp_path_factory.mktemp("crash"), kills=N_KILLS, drop_dot_every=997)
    found = run.run()
    print(json.dumps(found.to_dict(), indent=1))
    return found


def test_every_kill_hit(report: CrashReport) -> None:
    assert len(report.kills) == N_KILLS
    assert {kill.role for kill in report.kills} >= {"smtp", "delivery"}


def test_nothing_acknowledged_is_lost(report: CrashReport) -> None:
    assert report.n_acked > 500
    assert report.lost == []


def test_duplicates_are_explained(report: CrashReport) -> None:
    assert report.unexplained == []


def test_the_ledger_is_consistent_and_agrees(report: CrashReport) -> None:
    ledger = report.ledger
    assert ledger["consistent"]
    assert ledger["queued"] == 0
    # each acknowledged recipient, and each whose acknowledgement was lost on the way, is in the ledger once
    assert ledger["accepted"] == report.n_acked + report.unknown_delivered
    assert ledger["delivered"] == ledger["accepted"]


def test_orderly_restart_has_no_duplicates(tmp_path: Path) -> None:
    from mxtest.product import Product, Settings, lost, route_to
    from mxtest.sender import Load
    from mxtest.sink import Sink

    with Sink() as sink, Product(tmp_path, Settings(workers=2, routes=[route_to(sink.port)])) as product:
        load = Load(product.inbound, threads=2, pause=0.005, name="restart").start()
        for _ in range(3):
            assert product.stop() == 0
            product.start()
        load.stop()
        product.wait_settled(60)
        assert lost(load.acked, set(sink.counts)) == []
        assert [pair for pair, n in sink.counts.items() if n > 1] == []
