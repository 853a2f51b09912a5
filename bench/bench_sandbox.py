"""A session of the sandbox with one small attachment: our own processor time; the worker's beside it, and the wall.

`python -m bench.bench_sandbox` prints the three, over sizes of the attachment.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest

from mxward.core.extract import reply
from mxward.core.extract.opener import Budget, Request

pool_module = pytest.importorskip("mxward.server.sandbox.pool", reason="this tree has no sandbox")

BUDGET = Budget(100 << 20, 5000, 16, 5.0)


def gzip_of(size: int) -> bytes:
    """A gzip file with so much text in it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    text = b"".join(b"%d and some words\r\n" % i for i in range(size // 18 + 1))[:size]
    return packer.compress(text) + packer.flush()


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    from mxward.server.config import Sandbox
    from mxward.server.sandbox.setup import small_pool

    with small_pool(Sandbox()) as made:
        yield made


def opened(pool: Any, data: bytes) -> int:
    """Bytes that came out of one attachment, in a session of its own."""
    with pool.session(15.0) as session:
        answer = session.open(Request("application/gzip", "", ("a.gz",), BUDGET), data)
    assert answer.failure == ""
    return sum(len(content) for _, content in reply.read(answer.frames))


def test_session_small(benchmark: Any, pool: Any) -> None:
    data = gzip_of(10_000)
    assert benchmark(opened, pool, data) == 10_000


def measure(pool: Any, size: int, n: int) -> tuple[float, float, float]:
    """Microseconds a session: of ours, of the worker's processor time, and wall; median of `n`."""
    from mxward.server.metrics import METRICS

    data, ours, wall = gzip_of(size), [], []
    opened(pool, data)
    time.sleep(0.3)
    pool.tend()
    before = METRICS.value("sandbox_cpu_us_total")
    for _ in range(n):
        cpu, clock = time.thread_time(), time.perf_counter()
        opened(pool, data)
        ours.append((time.thread_time() - cpu) * 1e6)
        wall.append((time.perf_counter() - clock) * 1e6)
        time.sleep(0.02)  # as in mail: the next worker is ready by then
    time.sleep(0.3)
    pool.tend()
    theirs = (METRICS.value("sandbox_cpu_us_total") - before) / n
    return median(ours), theirs, median(wall)


def main() -> None:
    from mxward.server.config import Sandbox
    from mxward.server.sandbox.setup import small_pool

    with small_pool(Sandbox()) as made:
        for size in (0, 10_000, 1_000_000, 10_000_000):
            ours, theirs, wall = measure(made, size, 60)
            sys.stdout.write(
                f"{size:>10,} bytes inside: {ours:8,.0f} us ours {theirs:8,.0f} us worker {wall:8,.0f} us wall\n"
            )


if __name__ == "__main__":
    main()
