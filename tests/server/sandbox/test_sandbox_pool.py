"""Sessions and workers: what comes back, what failures are called, what is replaced, what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from mxtest.sandboxkit import (
    BYTES,
    Boxed,
    asked,
    children_of,
    contents,
    facts,
    has_ended,
    records,
    request,
    status_of,
    unseen,
)  # fmt: skip
from mxward.core.extract import reply
from mxward.core.extract.opener import Opened
from mxward.server.metrics import METRICS
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.restrict import Limits

Make = Callable[..., Boxed]


def template_of(pool: SandboxPool) -> int:
    """Process id of the template, as seen from here: the child of the process that was started."""
    assert pool._client is not None and pool._client._process is not None
    (pid,) = children_of(pool._client._process.pid)
    return pid


def test_bytes_go_there_and_come_back(box: Boxed) -> None:
    for size in (0, 1, 70_000, 3 << 20):
        data = os.urandom(size)
        opened = box.open("echo", data)
        assert (opened.failure, contents(opened), has_ended(opened)) == ("", [data], True)


def test_names_and_passwords_go_there_whatever_they_are(box: Boxed) -> None:
    opened = box.open("echo", b"x", passwords=("\u202e", "\x00", "\ud7ff", "p" * 10_000))
    assert has_ended(opened)


def test_attachments_of_a_message_share_a_worker(box: Boxed) -> None:
    with box.pool.session(10.0) as session:
        pids = [facts(session.open(request("echo"), b"x"))["pid"] for _ in range(3)]
    assert len(set(pids)) == 1


def test_what_was_told_before_a_crash_counts_and_the_next_attachment_has_a_worker(box: Boxed) -> None:
    with box.pool.session(10.0) as session:
        crashed = session.open(request("crash"), b"")
        assert (crashed.failure, contents(crashed)) == ("crashed", [b"before the crash"])
        assert not has_ended(crashed)
        assert contents(session.open(request("echo"), b"x")) == [b"x"]


@pytest.mark.parametrize(
    ("reader", "data", "failure"),
    [("exit", b"0", "crashed"), ("exit", b"77", "limit:memory"), ("exit", b"3", "crashed"), ("die_of_memory", b"",
      "limit:memory"), ("flood", b"", "limit:bytes"), ("nonsense", b"", "crashed")],
)  # fmt: skip
def test_a_failure_has_its_reason(reader: str, data: bytes, failure: str, box: Boxed) -> None:
    assert box.open(reader, data).failure == failure


def test_a_flood_is_cut_where_an_honest_answer_ends(box: Boxed) -> None:
    opened = box.open("flood", size=1 << 20)
    assert len(opened.frames) <= (1 << 20) + (16 << 20)


def test_too_much_memory_costs_one_item(box: Boxed) -> None:
    opened = box.open("memory", cpu_s=5.0)
    assert (opened.failure, unseen(opened), has_ended(opened)) == ("", ["limit:memory"], True)


def test_a_worker_that_waits_is_ended_with_its_session(box: Boxed) -> None:
    begun = time.monotonic()
    opened = box.open("wait", seconds=0.5)
    assert (opened.failure, contents(opened)) == ("timeout", [b"before the wait"])
    assert time.monotonic() - begun < 2.0


def test_a_worker_that_computes_is_ended_by_its_budget(box: Boxed) -> None:
    begun = time.process_time()
    assert box.open("spin", seconds=30.0, cpu_s=0.1).failure == "timeout"
    assert time.process_time() - begun < 0.5  # we wait, and do nothing


def test_a_session_that_is_over_answers_at_once(box: Boxed) -> None:
    with box.pool.session(0.3) as session:
        assert session.open(request("wait"), b"").failure == "timeout"
        begun = time.monotonic()
        assert session.open(request("echo"), b"").failure == "timeout"
        assert time.monotonic() - begun < 0.1


def test_a_dead_worker_is_replaced_within_100_ms(box: Boxed) -> None:
    box.open("echo")
    taken = []
    for _ in range(10):
        with box.pool.session(10.0) as session:
            session.open(request("crash"), b"")
            begun = time.monotonic()
            assert has_ended(session.open(request("echo"), b"x"))
            taken.append(time.monotonic() - begun)
    assert sorted(taken)[5] < 0.1, taken


def test_a_worker_that_dies_while_it_waits_is_not_missed(box: Boxed) -> None:
    box.open("echo")
    while not box.pool._idle:
        box.pool.tend()
    for worker in list(box.pool._idle):
        signal.pidfd_send_signal(worker.pidfd, signal.SIGKILL)
    assert has_ended(box.open("echo", b"x"))


def test_eight_threads_at_once(make: Make) -> None:
    box, wrong = make(), []

    def work(n: int) -> None:
        for i in range(12):
            data = f"{n} {i}".encode() * 500
            reader = "crash" if i % 5 == n % 5 else "echo"
            opened = box.open(reader, data, seconds=20.0)
            expected = [b"before the crash"] if reader == "crash" else [data]
            if contents(opened) != expected:
                wrong.append((n, i, opened.failure))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_is_left_behind(make: Make) -> None:
    before, children = len(os.listdir("/proc/self/fd")), children_of(os.getpid())
    box = make()
    for reader in ("echo", "crash", "flood", "nonsense", "memory", "echo"):
        box.open(reader)
    template = template_of(box.pool)
    in_use = len(os.listdir("/proc/self/fd"))
    n_template = len(os.listdir(f"/proc/{template}/fd"))
    for _ in range(30):
        box.open("echo")
        box.open("crash")
    wait_until(lambda: (box.pool.tend(), len(box.pool._idle) == 2)[1])
    wait_until(lambda: len(children_of(template)) == 2)
    assert len(os.listdir("/proc/self/fd")) <= in_use + 4  # two idle workers have two descriptors each
    assert len(os.listdir(f"/proc/{template}/fd")) <= n_template + 2
    assert {status_of(child)["State"][0] for child in children_of(template)} <= {"S", "R"}  # no zombie
    box.pool.close()
    assert len(os.listdir("/proc/self/fd")) == before + 1  # the log
    assert children_of(os.getpid()) == children
    wait_until(lambda: not os.path.exists(f"/proc/{template}"))


def test_a_template_that_died_is_replaced(make: Make) -> None:
    box = make()
    assert has_ended(box.open("echo"))
    n_before = METRICS.value("sandbox_restarts_total")
    template = template_of(box.pool)
    os.kill(template, signal.SIGKILL)
    wait_until(lambda: not is_alive(template))
    assert has_ended(box.open("echo", seconds=20.0))
    assert METRICS.value("sandbox_restarts_total") == n_before + 1
    (event,) = box.events("sandbox_template_ended")
    assert event["restart_in"] == 0.0


def test_its_death_in_the_middle_of_a_message_costs_one_attachment(make: Make) -> None:
    box = make()
    box.open("echo")
    template = template_of(box.pool)
    threading.Timer(0.3, os.kill, (template, signal.SIGKILL)).start()
    with box.pool.session(20.0) as session:
        assert session.open(request("wait", cpu_s=10.0), b"").failure == "crashed"
        assert has_ended(session.open(request("echo"), b"x"))


def test_a_template_that_cannot_live_is_tried_less_and_less(make: Make) -> None:
    box = make(module="mxtest.nosuchtemplate")
    box.pool.start()
    assert box.open("echo", seconds=2.0).failure == "unavailable"
    delays = [event["restart_in"] for event in box.events("sandbox_template_ended")]
    assert delays[:4] == [0.0, 0.1, 0.2, 0.4]
    assert len(delays) < 8
    assert METRICS.value("sandbox_unavailable_total") > 0


def test_a_closed_pool_gives_nothing(make: Make) -> None:
    box = make()
    box.pool.close()
    assert box.open("echo") == Opened(memoryview(b""), "unavailable")


def test_no_template_is_started_before_one_is_needed(make: Make) -> None:
    box = make()
    box.pool.tend()
    assert box.pool._client is None
    with box.pool.session(1.0):
        pass
    assert box.pool._client is None


def test_all_dies_with_the_process_that_wanted_it() -> None:
    code = (
        "import sys\nfrom mxtest.sandboxkit import asked, request\n"
        "from mxward.server.sandbox.pool import SandboxPool\n"
        "pool = SandboxPool(asked())\n"
        "with pool.session(20.0) as session:\n    session.open(request('echo'), b'x')\n"
        "print(pool._client._process.pid, flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        launcher = int(process.stdout.readline())
        (template,) = children_of(launcher)
        family = [launcher, template, *children_of(template)]
        assert len(family) >= 3
        process.kill()
        process.wait()
        for pid in family:
            wait_until(lambda pid=pid: not is_alive(pid))  # type: ignore[misc]  # bound now


def test_a_forked_process_has_a_pool_of_its_own_on_the_same_template(make: Make) -> None:
    box = make()
    box.open("echo")
    pid = os.fork()
    if pid == 0:
        try:
            pool = box.pool.join()
            with pool.session(10.0) as session:
                good = contents(session.open(request("echo"), b"child")) == [b"child"]
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert contents(box.open("echo", b"parent")) == [b"parent"]
    template = template_of(box.pool)
    wait_until(lambda: len(children_of(template)) <= 2)  # the other's workers went with it


def test_a_template_has_one_thread_and_no_privileges(make: Make) -> None:
    box = make()
    box.open("echo")
    status = status_of(template_of(box.pool))
    assert status["Threads"] == "1"
    assert set(status["CapEff"] + status["CapPrm"] + status["CapInh"]) == {"0"}
    assert status["NoNewPrivs"] == "1"
    assert "0" not in status["Uid"].split()


def test_settings_of_ours_do_not_reach_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXWARD_STORE_URL", "postgresql://u:secret@db/x")
    box = make()
    box.open("echo")
    assert box.pool._client is not None and box.pool._client._process is not None
    with open(f"/proc/{box.pool._client._process.pid}/environ", "rb") as file:
        assert b"secret" not in file.read()


def test_without_room_for_its_limits_it_says_what_is_missing(make: Make) -> None:
    box = make(limits=Limits(1 << 63, 24 << 20, 6))
    box.open("echo")
    assert box.pool.report is not None and list(box.pool.report.missing) == ["memory"]
    (event,) = box.events("sandbox_incomplete")
    assert list(event["missing"]) == ["memory"]


def test_what_a_worker_says_is_not_believed(box: Boxed) -> None:
    opened = box.open("say", b"\xff" * 100)
    with pytest.raises(reply.ReplyError):
        records(opened)


def test_counters_tell_what_happened(box: Boxed) -> None:
    names = ("sandbox_sessions_total", "sandbox_attachments_total", "sandbox_crashes_total", "sandbox_timeouts_total")
    before = [METRICS.value(name) for name in names]
    box.open("echo")
    box.open("crash")
    box.open("wait", seconds=0.3)
    assert [METRICS.value(name) - n for name, n in zip(names, before, strict=True)] == [3, 3, 1, 1]
    box.pool.tend()
    assert METRICS.value("sandbox_cpu_us_total") > 0


def test_limits_of_the_kit_are_as_the_budget_says() -> None:
    assert asked().limits.output > BYTES + (16 << 20)


def is_alive(pid: int) -> bool:
    try:
        return status_of(pid)["State"][0] not in "ZX"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
