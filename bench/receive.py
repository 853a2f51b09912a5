"""`python -m bench receive`: CPU of our SMTP receive loop beside stock aiosmtpd, one process each, bodies dropped."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from bench import callgrind
from bench.peers import missing_tools, smtp_source
from mxtest.ports import free_port, wait_for_banner
from mxtest.proctree import tree_cpu_seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """Messages/s and CPU milliseconds a message of one server."""

    per_s: float
    cpu_ms: float


def measure(name: str, size: int, sessions: int, n: int) -> Cost:
    """Start the server, warm it, send `n` messages, one a connection."""
    port = free_port()
    path = os.pathsep.join((str(callgrind.ROOT), str(callgrind.ROOT / "tests" / "lib")))
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.receivers", name, str(port)], env=os.environ | {"PYTHONPATH": path}
    )
    try:
        wait_for_banner(port)
        smtp_source(port, n=200, sessions=sessions, size=size, rcpt="u@trust.example", timeout=60)
        before, start = tree_cpu_seconds(process.pid), time.monotonic()
        smtp_source(port, n=n, sessions=sessions, size=size, rcpt="u@trust.example", timeout=120)
        seconds = time.monotonic() - start
        return Cost(n / seconds, (tree_cpu_seconds(process.pid) - before) * 1000 / n)
    finally:
        process.kill()
        process.wait()


def main(arguments: list[str]) -> int:
    """Print the table; status 1 when ours costs more CPU than aiosmtpd."""
    parser = argparse.ArgumentParser(prog="bench receive", description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args(arguments)
    if absent := missing_tools():
        print(f"receive NOT RUN: missing {', '.join(absent)}")
        return 2
    worst = 0.0
    for size in (4096, 65536):
        best = {}
        for name in ("aiosmtpd", "ours") * chosen.rounds:
            cost = measure(name, size, 20, chosen.messages)
            if name not in best or cost.cpu_ms < best[name].cpu_ms:
                best[name] = cost
        ratio = best["ours"].cpu_ms / best["aiosmtpd"].cpu_ms
        worst = max(worst, ratio)
        cells = "  ".join(f"{name} {cost.per_s:6.0f}/s {cost.cpu_ms:.3f} ms CPU" for name, cost in best.items())
        print(f"{size // 1024:3} KB  {cells}  CPU ratio {ratio:.2f}", flush=True)
    return 0 if worst < 1 else 1
