"""A full disk is back-pressure: 4xx in time, nothing lost, deliveries go on, and all is well when space returns."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxtest.product import Product, Settings, lost, route_to
from mxtest.sender import Client, Load, make_message
from mxtest.sink import Sink

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
MB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 64 MB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=2000", "mxward-test", str(disk)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"mount refused: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def settings_for(sink: Sink, *, floor: int) -> Settings:
    return Settings(
        workers=1,
        routes=[route_to(sink.port)],
        sections={"smtp.limits": {"min_free_bytes": floor}, "store": {"segment_bytes": 4 * MB}},
    )


def fill(disk: Path, leave: int) -> Path:
    """Ballast that leaves `leave` bytes free."""
    ballast = disk / "ballast"
    status = os.statvfs(disk)
    size = max(0, status.f_bavail * status.f_frsize - leave)
    with ballast.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, max(1, size))
    return ballast


def answer_of(product: Product, size: int = 4096, name: str = "probe") -> int:
    """The code that a message gets, wherever in the transaction it is refused."""
    with Client(product.inbound) as client:
        result = client.transact("a@sender.example", ["u@trust.example"], make_message(name, size))
        last = result.refusal or result.final
        assert last is not None
        return last.code


def wait_for_code(product: Product, wanted: int, timeout: float) -> float:
    """Seconds until a probe gets `wanted`."""
    start = time.monotonic()
    seen = []
    while time.monotonic() - start < timeout:
        seen.append(answer_of(product, name=f"probe{len(seen)}"))
        if seen[-1] == wanted:
            return time.monotonic() - start
        time.sleep(0.3)
    raise AssertionError(f"no {wanted} within {timeout} s, got {seen[-10:]}")


def test_floor_answers_452_before_the_disk_is_full(tmp_path: Path, small_disk: Path) -> None:
    with Sink() as sink, Product(tmp_path, settings_for(sink, floor=12 * MB), data=small_disk / "data") as product:
        assert answer_of(product) == 250
        ballast = fill(small_disk, 6 * MB)
        assert wait_for_code(product, 452, 15) < 15
        assert product.mx("status", "--json").returncode in (0, 1)  # the administrator can still look
        ballast.unlink()
        assert wait_for_code(product, 250, 60) < 60
        product.wait_settled(60)
        assert product.ledger()["consistent"]


def test_no_space_at_all_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    with Sink() as sink, Product(tmp_path, settings_for(sink, floor=1), data=small_disk / "data") as product:
        load = Load(product.inbound, threads=3, size=32_768, pause=0.002, name="full").start()
        time.sleep(1.5)
        ballast = fill(small_disk, 1 * MB)
        time.sleep(6.0)
        n_before = load.n_acked
        ballast.unlink()
        recovered = wait_for_code(product, 250, 60)
        time.sleep(1.0)
        load.stop()
        ledger = product.wait_settled(120)
        codes = {answer.code for answer in load.refused.values()}
        assert codes <= {451, 452, 421}, codes
        assert codes & {451, 452}, "the disk never became full"
        assert lost(load.acked, set(sink.counts)) == []
        assert load.n_acked > n_before
        assert ledger["consistent"]
        assert recovered < 60
