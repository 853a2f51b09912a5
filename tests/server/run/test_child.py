"""When a child may start again: at once, then slower, and never not at all."""

from __future__ import annotations

import pytest

from mxward.server.process import ROLES
from mxward.server.run import child
from mxward.server.run.child import Child


def test_back_off_grows_to_its_bound_and_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(child.time, "monotonic", lambda: now)
    worker = Child("smtp", 0)
    delays = []
    for _ in range(12):
        worker._started = now
        now += 0.5
        delays.append(worker.died(-9))
    assert delays[:4] == [0.0, 0.1, 0.2, 0.4]
    assert delays[-1] == child.BACKOFF_MAX_S
    assert delays == sorted(delays)
    worker._started = now
    now += child.STEADY_S + 1  # it served for a while: the past is forgotten
    assert worker.died(1) == 0.0
    assert worker.last_exit == "exit 1"


def test_every_role_says_what_its_death_loses() -> None:
    assert set(child.LOSES) == set(ROLES)
