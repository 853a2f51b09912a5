"""Overload is shed with 4xx before memory grows, and what was acknowledged meanwhile still arrives."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from mxtest.proctree import memory_bytes
from mxtest.product import Product, Settings, lost, route_to
from mxtest.sender import Client, Load
from mxtest.sink import Sink

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
MB = 1 << 20
BUDGET = 8 * MB


def peak_of(product: Product) -> int:
    """Highest resident size that any smtp worker ever had."""
    return max((memory_bytes(worker.pid, "VmHWM") for worker in product.workers("smtp")), default=0)


def test_large_messages_beyond_the_budget_are_deferred(tmp_path: Path) -> None:
    limits = {"smtp.limits": {"max_memory_bytes": BUDGET, "max_waiting_commits": 8}}
    with (
        Sink() as sink,
        Product(tmp_path, Settings(workers=1, routes=[route_to(sink.port)], sections=limits)) as product,
    ):
        idle = peak_of(product)
        load = Load(product.inbound, threads=24, size=2 * MB, name="fat", per_connection=5).start()
        time.sleep(8)
        peak = peak_of(product)
        load.stop()
        product.wait_settled(90)
        codes = {answer.code for answer in load.refused.values()}
        assert load.n_acked > 0
        assert codes and codes <= {421, 451, 452}, codes
        assert lost(load.acked, set(sink.counts)) == []
        assert peak - idle < 20 * BUDGET, f"grew by {(peak - idle) / MB:.0f} MB over a budget of {BUDGET / MB:.0f} MB"


def test_sessions_beyond_the_limit_are_told_to_come_back(tmp_path: Path) -> None:
    limits = {"smtp.limits": {"max_sessions": 30, "max_sessions_per_client": 1000}}
    with (
        Sink() as sink,
        Product(tmp_path, Settings(workers=1, routes=[route_to(sink.port)], sections=limits)) as product,
    ):
        clients = [Client(product.inbound, timeout=10) for _ in range(40)]
        greeted = [client for client in clients if client.banner.code == 220]
        refused = [client for client in clients if client.banner.code == 421]
        assert len(greeted) == 30
        assert len(refused) == 10
        for client in clients:
            client.close(quit_first=False)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with Client(product.inbound) as again:
                if again.banner.code == 220:
                    return
            time.sleep(0.1)
        pytest.fail("sessions that ended still count")


def test_slow_clients_do_not_keep_out_a_good_one(tmp_path: Path) -> None:
    with Sink() as sink, Product(tmp_path, Settings(workers=1, routes=[route_to(sink.port)])) as product:
        idle = [Client(product.inbound, timeout=30) for _ in range(60)]
        stop = threading.Event()

        def drip() -> None:
            for client in idle[:20]:
                client.send(b"MAIL FROM:<slow@sender.example>\r\nRCPT TO:<u@trust.example>\r\nDATA\r\n")
            while not stop.wait(0.05):
                for client in idle[:20]:
                    client.send(b"x")

        dripper = threading.Thread(target=drip, daemon=True)
        dripper.start()
        load = Load(product.inbound, threads=1, name="good").start()
        time.sleep(3)
        load.stop()
        stop.set()
        dripper.join(5)
        for client in idle:
            client.close(quit_first=False)
        assert load.n_acked > 50
        assert load.n_broken == 0
