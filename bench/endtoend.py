"""Gate 4: whole stacks, smtp-source -> stack -> smtp-sink on loopback, one message a connection, until all arrived.

Two stacks alternate in one run: Postfix alone (durable queue, no filter) and mxward (durable, starter detectors, two
workers). Reported for each cell: messages/s from the first connection to the last arrival at the sink, CPU
milliseconds a message of the stack's process tree, and the ratio. Load generator, sink and stack share the machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from bench import gate, profiling
from bench.peers import PostfixAlone, SmtpSink, missing_tools, smtp_source
from mxtest.proctree import tree_cpu_seconds
from mxtest.product import Product, Settings, route_to

SIZES = (4096, 65536)
SESSIONS = (20, 100)
RCPT = "u@trust.example"
RESULT = gate.ROOT / "build" / "bench" / "endtoend.json"
DEADLINE_S = 240.0


class Stack(Protocol):
    """What is measured: a port to send to and the root of its processes."""

    @property
    def pid(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run of one stack in one cell."""

    stack: str
    size: int
    sessions: int
    n: int
    seconds: float
    per_s: float
    cpu_ms: float  # a message, the stack's whole process tree
    source_s: float  # when the load generator had its last 250


@contextmanager
def postfix(sink: SmtpSink, _profile: Path | None = None) -> Iterator[tuple[int, Stack]]:
    """Postfix alone."""
    with PostfixAlone(sink.port) as stack:
        yield stack.port, stack


@contextmanager
def mxward(sink: SmtpSink, profile: Path | None = None) -> Iterator[tuple[int, Stack]]:
    """mxward as shipped with two workers, everything routed to the sink; sampling itself when `profile` is given."""
    with tempfile.TemporaryDirectory(prefix="mxward-bench-") as directory:
        settings = Settings(workers=2, routes=[route_to(sink.port)])
        if profile:
            settings.environment = profiling.environment(profile)
        with Product(Path(directory), settings) as product:
            yield product.inbound, product


STACKS: dict[str, Callable[[SmtpSink, Path | None], Any]] = {"postfix": postfix, "mxward": mxward}


def measure(name: str, size: int, sessions: int, n: int, profile: Path | None = None) -> Run:
    """Start the stack, warm it, send `n` messages, wait until all have arrived."""
    with SmtpSink() as sink, STACKS[name](sink, profile) as (port, stack):
        warm = max(sessions * 2, n // 10)
        smtp_source(port, n=warm, sessions=sessions, size=size, rcpt=RCPT, timeout=DEADLINE_S)
        sink.wait_for(warm, DEADLINE_S)
        time.sleep(0.3)
        before, start = tree_cpu_seconds(stack.pid), time.monotonic()
        smtp_source(port, n=n, sessions=sessions, size=size, rcpt=RCPT, timeout=DEADLINE_S)
        sent = time.monotonic()
        end = sink.wait_for(warm + n, DEADLINE_S)
        time.sleep(0.3)  # outcomes are still being written down; their CPU counts too
        cpu = tree_cpu_seconds(stack.pid) - before
        if sink.n_messages != warm + n:
            raise RuntimeError(f"{name}: {sink.n_messages - warm} arrived of {n} sent")
    return Run(name, size, sessions, n, end - start, n / (end - start), cpu * 1000 / n, sent - start)


def summarise(runs: list[Run]) -> list[dict[str, Any]]:
    """One row a cell: medians of both stacks, and the ratio of rates."""
    rows = []
    for size, sessions in sorted({(r.size, r.sessions) for r in runs}):
        row: dict[str, Any] = {"size": size, "sessions": sessions}
        for name in STACKS:
            mine = [r for r in runs if (r.stack, r.size, r.sessions) == (name, size, sessions)]
            if mine:
                row[name] = {
                    "per_s": round(statistics.median(r.per_s for r in mine), 1),
                    "cpu_ms": round(statistics.median(r.cpu_ms for r in mine), 3),
                    "all_per_s": [round(r.per_s, 1) for r in mine],
                }
        if all(name in row for name in STACKS):
            row["ratio"] = round(row["mxward"]["per_s"] / row["postfix"]["per_s"], 3)
        rows.append(row)
    return rows


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """The table of docs/benchmarks.md."""
    lines = [
        "| message | sessions | Postfix alone: messages/s · CPU ms | mxward: messages/s · CPU ms | ratio |",
        "|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [f"{row[n]['per_s']:.0f} · {row[n]['cpu_ms']:.2f}" if n in row else "-" for n in STACKS]
        ratio = f"**{row['ratio']:.2f}**" if "ratio" in row else "-"
        lines.append(f"| {row['size'] // 1024} KB | {row['sessions']} | {cells[0]} | {cells[1]} | {ratio} |")
    return "\n".join(lines)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench endtoend", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="alternating runs of each stack in each cell")
    parser.add_argument("--messages", type=int, default=0, help="messages a run (2,000 at 4 KB, 1,000 at 64 KB)")
    parser.add_argument("--stack", choices=[*STACKS, "both"], default="both")
    parser.add_argument("--size", type=int, choices=SIZES, action="append", help="only this size")
    parser.add_argument("--sessions", type=int, action="append", help="only this many sessions")
    parser.add_argument(
        "--profile", type=Path, help="sample mxward's processes into this directory and say where CPU goes"
    )
    parser.add_argument("--json", type=Path, default=RESULT, help="where the result goes")
    return parser


def run_cells(chosen: argparse.Namespace) -> list[Run]:
    """All runs, stacks alternating; a line each as it ends."""
    runs: list[Run] = []
    stacks = list(STACKS) if chosen.stack == "both" else [chosen.stack]
    plan = itertools.product(chosen.size or SIZES, chosen.sessions or SESSIONS, range(chosen.rounds), stacks)
    for size, sessions, _, name in plan:
        n = chosen.messages or (2000 if size < 10_000 else 1000)
        run = measure(name, size, sessions, n, chosen.profile)
        runs.append(run)
        cell = f"{name:8} {size // 1024:3} KB {sessions:4} sessions"
        print(
            f"{cell} {run.per_s:7.1f}/s {run.cpu_ms:6.3f} ms CPU  sent after {run.source_s:.2f} s, "
            f"all arrived after {run.seconds:.2f} s",
            flush=True,
        )
    return runs


def main(arguments: list[str]) -> int:
    """Run, print the table, write the JSON; status 1 when a cell misses its target."""
    chosen = _options().parse_args(arguments)
    absent = missing_tools()
    if absent:
        print(f"endtoend NOT RUN: missing {', '.join(absent)}")
        return 2
    runs = run_cells(chosen)
    rows = summarise(runs)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps({"cells": rows, "runs": [asdict(r) for r in runs]}, indent=1) + "\n")
    print(to_markdown(rows))
    if chosen.profile:
        print(profiling.report(chosen.profile))
    limit = float(gate.targets()["endtoend"]["at_least"])
    missed = [row for row in rows if row.get("ratio", limit) < limit]
    for row in missed:
        print(f"FAIL {row['size']} bytes, {row['sessions']} sessions: ratio {row['ratio']} below {limit}")
    return 1 if missed else 0
