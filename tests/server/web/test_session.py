"""Sessions end when they should, whoever asks, and their table never grows without bound."""

from __future__ import annotations

import pytest

from mxtest.console import Ticks
from mxward.server.store.api import UserRow
from mxward.server.web import session as module
from mxward.server.web.session import Sessions


def user(name: str = "ann", **changes: object) -> UserRow:
    values = {"name": name, "password_hash": "h", "role": "admin", "created_at": 0, "disabled": False, **changes}
    return UserRow(**values)  # type: ignore[arg-type]  # a test's shorthand


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def sessions(ticks: Ticks) -> Sessions:
    return Sessions(idle=900, absolute=43_200, clock=ticks)


def test_a_token_finds_its_session_and_no_other(sessions: Sessions) -> None:
    token, made = sessions.create(user())
    assert sessions.find(token) is made
    assert sessions.find(token[:-1]) is None
    assert sessions.find("") is None


def test_the_table_does_not_hold_tokens(sessions: Sessions) -> None:
    token, made = sessions.create(user())
    assert token not in repr(vars(sessions)) + repr(made)
    assert len(token) >= 43, "256 bits"


def test_idle_time_ends_it(sessions: Sessions, ticks: Ticks) -> None:
    token, _ = sessions.create(user())
    for _ in range(3):
        ticks.seconds += 899
        assert sessions.find(token)
    ticks.seconds += 900
    assert sessions.find(token) is None
    assert len(sessions) == 0


def test_automatic_refresh_does_not_keep_it_alive(sessions: Sessions, ticks: Ticks) -> None:
    token, _ = sessions.create(user())
    for _ in range(89):
        ticks.seconds += 10
        assert sessions.find(token, touch=False)
    ticks.seconds += 10
    assert sessions.find(token, touch=False) is None


def test_absolute_time_ends_it_however_busy(sessions: Sessions, ticks: Ticks) -> None:
    token, _ = sessions.create(user())
    for _ in range(71):
        ticks.seconds += 600
        assert sessions.find(token)
    ticks.seconds += 600
    assert sessions.find(token) is None


def test_all_sessions_of_a_user_can_be_ended(sessions: Sessions) -> None:
    tokens = [sessions.create(user())[0] for _ in range(3)]
    other, _ = sessions.create(user("bob"))
    assert sessions.end_user("ann") == 3
    assert [sessions.find(t) for t in tokens] == [None] * 3
    assert sessions.find(other)


def test_the_oldest_of_a_user_gives_way(sessions: Sessions) -> None:
    tokens = [sessions.create(user())[0] for _ in range(module.MAX_SESSIONS_PER_USER + 2)]
    assert [t for t in tokens if sessions.find(t)] == tokens[2:]


def test_the_table_is_bounded(sessions: Sessions) -> None:
    for i in range(module.MAX_SESSIONS + 5):
        sessions.create(user(f"u{i}"))
    assert len(sessions) == module.MAX_SESSIONS


@pytest.mark.parametrize(
    "changed", [{"disabled": True}, {"role": "auditor"}, {"password_hash": "other"}], ids=lambda c: next(iter(c))
)
def test_a_changed_account_no_longer_holds(sessions: Sessions, changed: dict[str, object]) -> None:
    _, made = sessions.create(user())
    assert made.still_holds(user())
    assert not made.still_holds(user(**changed))
    assert not made.still_holds(None)
