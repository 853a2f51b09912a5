"""The delivery process as the supervisor starts it: ready, woken by a datagram, reloaded, killed, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from mxtest.sink import Sink
from mxtest.storekit import new_message, now_us, rcpts
from mxward.server import config as configuration
from mxward.server.store import open_store
from mxward.server.store.api import DELIVERED, Store


class Worker:
    """One `python -m mxward.server.process` with role delivery."""

    def __init__(self, folder: Path, port: int) -> None:
        self.data, self.config = folder / "data", folder / "mxward.toml"
        self.write(port)
        self.log = folder / "worker.log"

    def write(self, port: int) -> None:
        self.config.write_text(
            f'[server]\nhostname = "mx.trust.example"\n[[route]]\ndomain = "*"\n'
            f'via = ["smtp://127.0.0.1:{port}"]\ntls = "none"\n[delivery]\nretry_first = 0.2\n'
        )

    def start(self) -> None:
        ready, told = os.pipe()
        doc = {
            "role": "delivery", "index": 0, "config": str(self.config), "data": str(self.data), "sockets": [],
            "ready_fd": told,
        }  # fmt: skip
        environ = {**os.environ, "MXWARD_PROCESS": orjson.dumps(doc).decode(), "PYTHONSAFEPATH": "1"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mxward.server.process"], env=environ, pass_fds=[told], stdout=log, stderr=log
            )
        os.close(told)
        assert os.read(ready, 1) == b"R", self.log.read_text()
        os.close(ready)

    def hint(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", str(self.data / "run" / "delivery.0.sock"))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def store(self) -> Store:
        return open_store(configuration.load(str(self.config), data=str(self.data)), "test")


def wait(condition: Callable[[], bool], seconds: float = 20) -> float:
    """Seconds until the condition held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "not in time"
        time.sleep(0.005)
    return time.monotonic() - start


@pytest.fixture
def store_state() -> Callable[[Store, str], str]:
    def state(store: Store, queue_id: str) -> str:
        row = store.message(queue_id)
        assert row is not None
        return row.recipients[0].state

    return state


def test_a_hint_starts_delivery_and_reload_changes_the_route(
    tmp_path: Path, store_state: Callable[[Store, str], str]
) -> None:
    with Sink() as one, Sink() as two:
        worker = Worker(tmp_path, one.port)
        store = worker.store()
        worker.start()
        first, second = new_message(rcpts("a@x.example")), new_message(rcpts("b@x.example"))
        time.sleep(1.2)  # the start-up look at the store is over: only the hint can be this fast
        store.commit([first])
        worker.hint()
        wait(lambda: store_state(store, first.queue_id) == DELIVERED)
        worker.write(two.port)
        worker.process.send_signal(signal.SIGHUP)
        wait(lambda: '"event":"reloaded"' in worker.log.read_text())
        store.commit([second])
        worker.hint()
        wait(lambda: store_state(store, second.queue_id) == DELIVERED)
        assert (one.n_messages, two.n_messages) == (1, 1)
        assert worker.stop() == 0
        assert store.ledger().consistent
        store.close()


def test_a_killed_process_resumes_at_once_without_loss(tmp_path: Path) -> None:
    """SIGKILL under load, several times: everything arrives, and the successor need not wait for old leases."""
    with Sink() as sink:
        worker = Worker(tmp_path, sink.port)
        store = worker.store()
        messages = [new_message(rcpts(f"u{i}@x.example"), raw=b"X-Mxtest-Id: m%d\r\n\r\nx\r\n" % i) for i in range(400)]
        store.commit(messages)
        for _ in range(2):
            worker.start()
            wait(lambda: sink.n_messages > 20)
            worker.process.kill()
            worker.process.wait(10)
            sink.n_messages = 0
        worker.start()
        wait(lambda: store.ledger().queued == 0, 40)
        assert worker.stop() == 0
        ledger = store.ledger()
        assert (ledger.delivered, ledger.consistent) == (400, True)
        assert len(sink.counts) == 400
        assert store.lease("anyone", 10, now_us(), 1) == []
        store.close()


def test_stop_leaves_the_queue_to_the_next_life(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never greets
        worker = Worker(tmp_path, silent.getsockname()[1])
        store = worker.store()
        store.commit([new_message(rcpts("a@x.example")) for _ in range(5)])
        worker.start()
        time.sleep(0.5)
        start = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - start < 10
        assert store.ledger().queued == 5
        works = store.lease("next", 10, now_us(), 1_000_000)
        assert [r.attempts for w in works for r in w.recipients] == [0] * 5
        store.close()
