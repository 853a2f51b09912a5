"""The supervisor, real: start, first password, kills, reload, second instance, stop, restart after its own kill."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mxtest.product import MXWARD, Product, Settings
from mxward.server import config as configuration
from mxward.server.cli.exitcodes import BUSY, CONFIG
from mxward.server.run.datadir import running_pid
from mxward.server.services import users
from mxward.server.services.context import Context
from mxward.server.store import open_store


def until(condition: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("supervisor"), Settings(workers=1)) as running:
        yield running


@pytest.fixture(autouse=True)
def _running(product: Product) -> None:
    """Each test starts with a whole gateway."""
    if product.process is None or product.process.poll() is not None:
        product.process = None
        product.start()
    until(lambda: all(p["state"] == "running" for p in status(product)["processes"]), "not all workers run")


def status(product: Product) -> dict:
    return json.loads((product.data / "run" / "status.json").read_text())


def process_of(product: Product, name: str) -> dict:
    return next(p for p in status(product)["processes"] if p["name"] == name)


def test_the_first_start_prints_a_password_that_works_once(product: Product) -> None:
    found = re.findall(r"first start\. Log in at (\S+) as admin with the password (\S+)", product.log.read_text())
    assert len(found) == 1
    url, password = found[0]
    assert url == f"http://127.0.0.1:{product.web}/"
    config = configuration.load(str(product.config), data=str(product.data), environ={})
    store = open_store(config, process="test")
    try:
        user = users.verify(Context(config, store, "test"), "admin", password)
    finally:
        store.close()
    assert user is not None
    assert user.must_change
    assert f"mxward {status(product)['version']} is running (process {product.pid}" in product.log.read_text()


def test_status_tells_what_runs_and_what_a_kill_loses(product: Product) -> None:
    doc = status(product)
    assert doc["pid"] == product.pid == running_pid(product.data)
    assert {p["name"] for p in doc["processes"]} == {"smtp.0", "delivery.0", "web.0", "jobs.0"}
    assert {p["pid"] for p in doc["processes"]} == {w.pid for w in product.workers()}
    assert all("nothing" in p["loses"] for p in doc["processes"])
    done = product.mx("status", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["ready"]
    assert shown["running"]
    assert shown["problems"] == []
    assert "starter@" in shown["packs"][0]
    assert "A KILL LOSES" in product.mx("status").stdout


def test_a_second_instance_is_refused_with_the_pid(product: Product) -> None:
    done = product.mx("run")
    assert done.returncode == BUSY
    assert done.stderr == f"mxward: a gateway is running with this data directory already (process {product.pid})\n"
    assert product.is_ready()


def test_ports_in_use_are_named(product: Product, tmp_path: Path) -> None:
    other = Product(tmp_path, Settings(workers=1))
    other.inbound = product.inbound
    other.write_config()
    done = other.mx("run")
    assert done.returncode == CONFIG
    assert done.stderr == f"mxward: listener[0].address: 127.0.0.1:{product.inbound} is in use by another program\n"


def test_a_killed_worker_is_back_and_its_connections_waited(product: Product) -> None:
    for _ in range(3):  # also when it dies again and again
        before = process_of(product, "smtp.0")
        os.kill(before["pid"], signal.SIGKILL)
        with socket.create_connection(("127.0.0.1", product.inbound), timeout=40) as client:
            assert client.recv(100).startswith(b"220 ")
        after = process_of(product, "smtp.0")
        assert after["pid"] != before["pid"]
        assert after["restarts"] == before["restarts"] + 1
        assert after["last_exit"] == "SIGKILL"
    assert process_of(product, "web.0")["restarts"] == 0


@pytest.mark.parametrize("name", ["delivery.0", "web.0", "jobs.0"])
def test_every_role_comes_back(product: Product, name: str) -> None:
    before = process_of(product, name)
    os.kill(before["pid"], signal.SIGKILL)
    until(
        lambda: process_of(product, name)["state"] == "running" and process_of(product, name)["pid"] != before["pid"],
        f"{name} did not come back",
    )


def test_reload_reaches_all_workers_and_drops_no_session(product: Product) -> None:
    mark = len(product.log.read_bytes())
    pids = {w.pid for w in product.workers()}
    with socket.create_connection(("127.0.0.1", product.inbound), timeout=20) as client:
        assert client.recv(100).startswith(b"220 ")
        done = product.mx("reload", "--json")
        assert json.loads(done.stdout) == {"reloading": True, "pid": product.pid}
        until(lambda: product.log.read_bytes()[mark:].count(b'"event":"reloaded"') == 4, "not all workers reloaded")
        client.sendall(b"NOOP\r\n")
        assert client.recv(100).startswith(b"250 ")
    assert {w.pid for w in product.workers()} == pids


def test_a_faulty_configuration_is_not_taken_up(product: Product) -> None:
    good, mark = product.config.read_text(), len(product.log.read_bytes())
    try:
        product.config.write_text(good + "[nonsense]\n")
        os.kill(product.pid, signal.SIGHUP)
        until(lambda: b"reload_refused" in product.log.read_bytes()[mark:], "the reload was not refused")
    finally:
        product.config.write_text(good)
    assert b'"event":"reloaded"' not in product.log.read_bytes()[mark:]
    assert product.is_ready()


def test_a_killed_supervisor_takes_its_workers_along_and_starts_at_once(product: Product) -> None:
    workers = [worker.pid for worker in product.workers()]
    os.kill(product.pid, signal.SIGKILL)
    assert product.process is not None
    product.process.wait(10)
    product.process = None
    product.start()  # no waiting, no cleaning up
    assert not [pid for pid in workers if Path(f"/proc/{pid}/cmdline").exists() and b"mxward" in
                Path(f"/proc/{pid}/cmdline").read_bytes()]  # fmt: skip
    assert product.log.read_text().count("first start") == 1
    assert product.mx("ledger", "verify").returncode == 0


def test_stop_ends_everything_in_order(product: Product) -> None:
    workers = [worker.pid for worker in product.workers()]
    assert product.stop() == 0
    assert product.workers() == []
    assert running_pid(product.data) == 0
    assert all(p["state"] == "stopped" and p["last_exit"] == "exit 0" for p in status(product)["processes"]), workers
    done = product.mx("status", "--json")
    assert done.returncode == 1
    assert not json.loads(done.stdout)["running"]
    done = product.mx("reload")
    assert (done.returncode, done.stderr) == (
        69, f"mxward: no gateway is running with the data directory {product.data}\n",
    )  # fmt: skip


def test_options_override_the_file_and_survive_a_reload(product: Product, tmp_path: Path) -> None:
    port, web = Product(tmp_path).inbound, Product(tmp_path).web
    data = tmp_path / "d"
    command = [
        *MXWARD, "run", "--data", str(data), "--config", str(product.config), "--inbound", f"127.0.0.1:{port}",
        "--outbound", "127.0.0.1:0", "--web", f"127.0.0.1:{web}", "--workers", "1", "--set", "smtp.banner=ESMTP other",
        "--log", str(tmp_path / "log.jsonl"),
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as gateway:
        try:
            assert gateway.stderr is not None
            first = [gateway.stderr.readline() for _ in range(3)]
            assert "is running" in first[2], first
            gateway.send_signal(signal.SIGHUP)
            log = tmp_path / "log.jsonl"
            until(lambda: log.read_bytes().count(b'"event":"reloaded"') == 4, "not all workers reloaded")
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                assert client.recv(100) == b"220 mx.trust.example ESMTP other\r\n"
            doc = json.loads((data / "run" / "status.json").read_text())
            assert [x["side"] for x in doc["listeners"]] == ["inbound", "outbound"]
            assert doc["listeners"][0]["address"] == f"127.0.0.1:{port}"
        finally:
            gateway.terminate()
            assert gateway.wait(30) == 0
