"""Back-off after failed log-ins: free tries, doubling waits with a ceiling, forgetting, a bounded table."""

from __future__ import annotations

import pytest

from mxtest.console import Ticks
from mxward.server.web import throttle as module
from mxward.server.web.throttle import Throttle


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def throttle(ticks: Ticks) -> Throttle:
    return Throttle(ticks)


def test_waits_double_up_to_the_ceiling(throttle: Throttle, ticks: Ticks) -> None:
    waits = []
    for _ in range(12):
        throttle.fail("account:a")
        waits.append(throttle.wait("account:a"))
        ticks.seconds += waits[-1]
    assert waits[:9] == [0, 0, 0, 0, 30, 60, 120, 240, 480]
    assert waits[9:] == [module.MAX_WAIT] * 3


def test_the_longer_wait_of_two_keys_counts(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.fail("client:192.0.2.1")
    throttle.fail("account:a")
    assert throttle.wait("account:a") == 0
    assert throttle.wait("account:a", "client:192.0.2.1") == 30


def test_a_right_password_forgets_an_account(throttle: Throttle) -> None:
    for _ in range(6):
        throttle.fail("account:a")
    throttle.succeed("account:a")
    assert throttle.wait("account:a") == 0


def test_forgiving_takes_one_back(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.fail("client:c")
    throttle.forgive("client:c")
    assert throttle.wait("client:c") == 0
    throttle.fail("client:c")
    assert throttle.wait("client:c") == 30


def test_a_day_without_failures_forgets(throttle: Throttle, ticks: Ticks) -> None:
    for _ in range(8):
        throttle.fail("account:a")
    ticks.seconds += module.FORGET_AFTER + 1
    throttle.fail("account:a")
    assert throttle.wait("account:a") == 0


def test_the_table_is_bounded(throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 100)
    for i in range(300):
        throttle.fail(f"account:{i}")
    assert len(throttle) == 100
