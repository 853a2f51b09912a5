"""What a worker can do that content has taken over: nothing but answer."""

from __future__ import annotations

import platform

import pytest

from mxtest.hostilecalls import DEADLY, REFUSED
from mxtest.sandboxkit import Boxed, facts, has_ended, request
from mxward.server.sandbox.restrict import RESTRICTIONS

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are those of x86_64")


# what Python makes of EPERM
_ELSE = {"start a thread": ("RuntimeError",), "raise a limit": ("ValueError",)}


@pytest.fixture(scope="module")
def tried(box: Boxed) -> dict[str, str]:
    """What came of each call that is refused, all tried by one worker."""
    opened = box.open("calls", " ".join(name.replace(" ", "_") for name in REFUSED).encode(), cpu_s=5.0)
    assert opened.failure == ""
    assert has_ended(opened)  # it lives and goes on
    return facts(opened)


@pytest.mark.parametrize("name", REFUSED)
def test_a_call_is_refused(name: str, tried: dict[str, str]) -> None:
    # EPERM by seccomp; EBADF where there is nothing to write to; ENOSYS for clone3, and calls this kernel lacks
    allowed = _ELSE.get(name, ("errno 1", "errno 9", "errno 38"))
    assert tried[name.replace(" ", "_")] in allowed


@pytest.mark.parametrize("name", DEADLY)
def test_a_call_ends_the_worker(name: str, box: Boxed) -> None:
    n_before = len(box.events("sandbox_violation"))
    opened = box.open("calls", name.replace(" ", "_").encode())
    assert opened.failure == "crashed"
    assert facts(opened) == {}
    assert len(box.events("sandbox_violation")) == n_before + 1
    assert box.open("echo", b"x").failure == ""  # the next message has its worker


def test_every_restriction_is_active_here(box: Boxed) -> None:
    box.open("echo")
    assert box.pool.report is not None
    assert (box.pool.report.active, box.pool.report.missing) == (list(RESTRICTIONS), {})
    assert box.events("sandbox_incomplete") == []


def test_a_worker_that_stays_is_ended_with_its_session(box: Boxed) -> None:
    """It said that it was done, and goes on: it must not be there when the next message comes."""
    with box.pool.session(10.0) as session:
        assert has_ended(session.open(request("stay", cpu_s=5.0), b""))
        worker = session._worker  # type: ignore[attr-defined]  # what this test is about
        number = worker.number
    assert worker.sock.fileno() == -1
    assert box.pool.death_of(number) == 9  # SIGKILL


def test_the_next_message_has_another_worker(box: Boxed) -> None:
    first, second = (facts(box.open("echo"))["pid"] for _ in range(2))
    assert first != second
