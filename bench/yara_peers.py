"""YARA at scale against yara-python and yara-x: the same public rules, mails and attachments, in one process.

    python -m bench.yara_peers [--mails N]

Prints a table: CPU time a median mail and a large attachment, start-up, memory. Needs the shared corpus. Each engine
is loaded in a process of its own for memory; results of ours and yara-python are compared on every input.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.curves import least
from bench.engines import yara_sources
from mxtest import corpus
from mxward.bindings import yara
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.yara.store import open_index

SIZES: Final = (1_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, in which unit, by engine (None: not measured)."""

    what: str
    unit: str
    ours: float
    libyara: float | None
    yara_x: float | None


def attachments() -> dict[str, bytes]:
    """Large inputs: noise as of a container, a program, a text."""
    noise = random.Random(7).randbytes(SIZES[-1])
    found = {f"{size // 1_000_000} MB of noise": noise[:size] for size in SIZES}
    found["1 MB of a program"] = Path(sys.executable).resolve().read_bytes()[: SIZES[0]]
    mails = (mail.stored for mail in corpus.mails())
    text = b"".join(mail for _, mail in zip(range(400), mails, strict=False))[: SIZES[0]]
    return found | {"1 MB of text": text}


def engine_of_yara_x(sources: dict[str, str]) -> Callable[[bytes], Any] | None:
    """yara-x over the same rules, those of them that it compiles; None when it is not installed."""
    try:
        import yara_x
    except ImportError:
        return None
    compiler = yara_x.Compiler(relaxed_re_syntax=True)
    for name, value in EXTERNALS.items():
        compiler.define_global(name, value)
    for namespace, text in sources.items():
        compiler.new_namespace(namespace)
        try:
            compiler.add_source(text)
        except yara_x.CompileError:
            continue
    scan: Callable[[bytes], Any] = yara_x.Scanner(compiler.build()).scan
    return scan


def scans(sources: dict[str, str], cache: Path, n_mails: int) -> list[Figure]:
    """Time of scans; raises AssertionError when ours and libyara differ."""
    ours, libyara = open_index(sources, EXTERNALS, cache), yara.compile_rules(sources, EXTERNALS)
    other = engine_of_yara_x(sources)
    mails = sorted((mail.stored for mail in corpus.mails(every=7)), key=len)
    middle = mails[(len(mails) - n_mails) // 2 :][:n_mails]
    engines: list[Callable[[bytes], Any] | None] = [
        lambda data: ours.scan(data, EXTERNALS, 60), lambda data: libyara.scan(data, EXTERNALS, 60), other
    ]  # fmt: skip
    costs = [_median(engine, middle) for engine in engines]
    found = [Figure(f"mail of {len(middle[len(middle) // 2])} bytes, median", "µs", costs[0] or 0, *costs[1:])]
    for name, data in attachments().items():
        assert ours.scan(data, EXTERNALS, 60) == libyara.scan(data, EXTERNALS, 60), name
        times = [None if engine is None else 1e3 * least(partial(engine, data), 3) for engine in engines]
        found.append(Figure(name, "ms", times[0] or 0, *times[1:]))
    for mail in middle:
        assert ours.scan(mail, EXTERNALS, 60) == libyara.scan(mail, EXTERNALS, 60)
    return found


def _median(engine: Callable[[bytes], Any] | None, mails: Sequence[bytes]) -> float | None:
    """Microseconds of CPU: the median over mails of the best of some passes."""
    if engine is None:
        return None
    return 1e6 * statistics.median(least(partial(engine, mail), 5) for mail in mails)


def start_ups(cache: Path) -> list[Figure]:
    """Load time and memory, each engine in a process of its own that scans a few mails."""
    ours, theirs = (_start_up(kind, cache) for kind in ("ours", "libyara"))
    return [
        Figure("load from its file", "ms", ours[0], theirs[0], None),
        Figure("memory", "MB", ours[1], theirs[1], None),
    ]


def _start_up(kind: str, cache: Path) -> tuple[float, float]:
    """(milliseconds, MB above the interpreter with everything imported)."""
    command = [sys.executable, "-m", "bench.yara_peers", "--start-up", kind, "--cache", str(cache)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    load, memory = done.stdout.split()
    return float(load), float(memory)


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_start_up(kind: str, cache: Path) -> None:
    """The child: prints its load time and memory."""
    sources = yara_sources()
    stored = cache / "libyara.bin"
    if kind == "libyara" and not stored.exists():
        subprocess.run(
            [sys.executable, "-m", "bench.yara_peers", "--start-up", "compile", "--cache", cache], check=True
        )
    if kind == "compile":
        stored.write_bytes(yara.compile_rules(sources, EXTERNALS).dump())
        return
    before, start = _resident(), time.process_time()
    engine: Any = open_index(sources, EXTERNALS, cache) if kind == "ours" else yara.load_rules(stored.read_bytes())
    loaded = time.process_time() - start
    for mail in corpus.mails(every=40):
        engine.scan(mail.stored, EXTERNALS, 60)
    print(1e3 * loaded, _resident() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mails", type=int, default=100)
    parser.add_argument("--start-up", choices=("ours", "libyara", "compile"), help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.start_up:
        measure_start_up(chosen.start_up, chosen.cache)
        return
    with tempfile.TemporaryDirectory() as directory:
        cache = chosen.cache or Path(directory)
        figures = [*scans(yara_sources(), cache, chosen.mails), *start_ups(cache)]
    print(f"{'':32}{'unit':>6}{'ours':>10}{'libyara':>10}{'ratio':>8}{'yara-x':>10}")
    for row in figures:
        ratio = "" if row.libyara is None else f"{row.libyara / row.ours:.1f}"
        shown = ["" if value is None else f"{value:.1f}" for value in (row.ours, row.libyara, row.yara_x)]
        print(f"{row.what:32}{row.unit:>6}{shown[0]:>10}{shown[1]:>10}{ratio:>8}{shown[2]:>10}")


if __name__ == "__main__":
    main()
