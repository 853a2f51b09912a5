"""The recipient's states against the table of transitions: whatever is asked, only listed transitions happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mxtest.storekit import DAY_US, new_message, now_us, rcpts, store_config
from mxward.core.errors import StoreError
from mxward.server.store.api import (
    DISCARDED,
    EXPIRED,
    FINAL_STATES,
    HELD,
    QUARANTINED,
    QUEUED,
    REDIRECTED,
    STATES,
    TRANSITIONS,
    NewMessage,
    Outcome,
)
from mxward.server.store.opening import open_store
from mxward.server.store.store import SqlStore

_DIRECT = (QUEUED, QUARANTINED, HELD, DISCARDED, REDIRECTED)
_LEASE = 1_000_000


def test_the_table_is_closed_and_final_states_are_final() -> None:
    assert set(TRANSITIONS) | FINAL_STATES == set(STATES)
    assert not set(TRANSITIONS) & FINAL_STATES
    assert all(targets <= set(STATES) for targets in TRANSITIONS.values())


class Machine(RuleBasedStateMachine):
    """A model of states beside the store; every step compares them."""

    opener: Callable[[], SqlStore]

    @initialize()
    def begin(self) -> None:
        self.store = type(self).opener()
        self.model: dict[tuple[str, int], str] = {}
        self.leased: dict[tuple[str, int], int] = {}
        self.accepted = 0
        self.clock = now_us()

    def _keys(self) -> list[tuple[str, int]]:
        return sorted(self.model)

    def _move(self, key: tuple[str, int], target: str) -> None:
        assert target in TRANSITIONS.get(self.model[key], ())
        self.model[key] = target
        self.leased.pop(key, None)

    @rule(states=st.lists(st.sampled_from(_DIRECT), min_size=1, max_size=4))
    def commit(self, states: list[str]) -> None:
        message: NewMessage = new_message([r for s in states for r in rcpts("a@x.example", state=s)])
        message.received_at = self.clock
        self.store.commit([message])
        self.model |= {(message.queue_id, n): s for n, s in enumerate(states)}
        self.accepted += len(states)

    @rule(limit=st.integers(1, 5))
    def lease(self, limit: int) -> None:
        for work in self.store.lease("machine", limit, self.clock, _LEASE):
            for rcpt in work.recipients:
                key = (work.queue_id, rcpt.n)
                assert self.model[key] == QUEUED
                assert self.leased.get(key, 0) <= self.clock
                self.leased[key] = self.clock + _LEASE
        self._learn_isolated()

    def _learn_isolated(self) -> None:
        for queue_id, n in self._keys():
            row = self.store.message(queue_id)
            assert row is not None
            if row.recipients[n].state == HELD and self.model[queue_id, n] == QUEUED:
                assert row.recipients[n].reply.startswith("isolated")
                self._move((queue_id, n), HELD)

    @rule(pick=st.integers(0, 1000), state=st.sampled_from([*STATES, "nonsense"]))
    def outcome(self, pick: int, state: str) -> None:
        if not self.model:
            return
        key = self._keys()[pick % len(self.model)]
        outcome = Outcome(*key, state, self.clock, "reply")
        if state not in TRANSITIONS[QUEUED]:
            with pytest.raises(StoreError):
                self.store.record_outcomes([outcome])
            return
        self.store.record_outcomes([outcome])
        if self.model[key] == QUEUED:
            self._move(key, state)

    @rule(pick=st.integers(0, 1000), state=st.sampled_from(STATES), whole=st.booleans())
    def administer(self, pick: int, state: str, whole: bool) -> None:
        if not self.model:
            return
        queue_id, n = self._keys()[pick % len(self.model)]
        chosen = [k for k in self._keys() if k[0] == queue_id and (whole or k[1] == n)]
        expected = [k for k in chosen if self._may(k, state)]
        assert self.store.set_state(queue_id, None if whole else n, state, self.clock, "x", "") == len(expected)
        for key in expected:
            self._move(key, state)

    def _may(self, key: tuple[str, int], target: str) -> bool:
        state = self.model[key]
        idle = self.leased.get(key, 0) <= self.clock
        return target != state and target in TRANSITIONS.get(state, ()) and idle

    @rule(pick=st.integers(0, 1000))
    def reroute(self, pick: int) -> None:
        if not self.model:
            return
        queue_id, n = self._keys()[pick % len(self.model)]
        state = self.model[queue_id, n]
        if state not in (QUEUED, HELD) or self.leased.get((queue_id, n), 0) > self.clock:
            with pytest.raises(StoreError):
                self.store.reroute(queue_id, n, "b@x.example", self.clock, "x")
            return
        self.store.reroute(queue_id, n, "b@x.example", self.clock, "x")
        if state == HELD:
            self._move((queue_id, n), QUEUED)
        self._move((queue_id, n), REDIRECTED)
        self.model[queue_id, 1 + max(m for q, m in self.model if q == queue_id)] = QUEUED
        self.accepted += 1

    @rule(days=st.integers(0, 20))
    def wait(self, days: int) -> None:
        self.clock += max(days * DAY_US, _LEASE)

    @rule()
    def purge(self) -> None:
        before = {k for k, s in self.model.items() if s == QUARANTINED}
        self.store.purge(self.clock, 5 * DAY_US)
        for queue_id, n in before:
            row = self.store.message(queue_id)
            assert row is not None
            if row.recipients[n].state == EXPIRED:
                self._move((queue_id, n), EXPIRED)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        count = self.store.ledger()
        assert count.consistent, count.problems
        assert count.accepted == self.accepted == len(self.model)
        for queue_id in {q for q, _ in self.model}:
            row = self.store.message(queue_id)
            assert row is not None
            assert {(queue_id, r.n): r.state for r in row.recipients} == {
                k: s for k, s in self.model.items() if k[0] == queue_id
            }
            if any(r.state in TRANSITIONS for r in row.recipients):
                assert self.store.body(queue_id)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


@contextmanager
def _fresh(url: Callable[[], str]) -> Iterator[Callable[[], SqlStore]]:
    with TemporaryDirectory() as root:
        numbers = iter(range(1 << 30))
        yield lambda: open_store(store_config(Path(root) / str(next(numbers)), url(), quarantine_days=3), "machine")


def test_only_listed_transitions_happen(backend: str, request: pytest.FixtureRequest) -> None:
    postgres = request.getfixturevalue("postgres") if backend == "postgresql" else None
    n_examples = settings().max_examples if backend == "sqlite" else settings().max_examples // 5
    with _fresh(lambda: postgres.url("states") if postgres else "sqlite") as opener:
        Machine.opener = staticmethod(opener)  # type: ignore[assignment] # a class attribute that is called unbound
        run_state_machine_as_test(Machine, settings=settings(max_examples=n_examples, stateful_step_count=25))
