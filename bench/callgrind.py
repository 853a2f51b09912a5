"""Instruction counts: the same benchmarks under Valgrind's callgrind, one warmed call each.

Counts do not depend on the load of the machine: with PYTHONHASHSEED=0 and PYTHONMALLOC=malloc three runs give the same
figure, where wall time spreads by tens of per cent. Here: building the helper, running a suite under Valgrind against
one tree of the product, reading the counts. Not here: what the counts must be (gate.py).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
HEADER = Path("/usr/include/valgrind/callgrind.h")
ACTIVE = "MXWARD_BENCH_CALLGRIND"  # set in the environment of a suite that runs under Valgrind
TREE = "MXWARD_BENCH_TREE"  # the tree whose mxward must be the one that is imported


def missing() -> list[str]:
    """What is needed and absent."""
    absent = [] if shutil.which("valgrind") and HEADER.exists() else ["valgrind"]
    return absent + ([] if shutil.which("gcc") else ["gcc"])


def helper() -> Path:
    """The shared library with the measured call, built when it is older than its source."""
    source, target = ROOT / "bench" / "callgrind.c", BUILD / "callgrind.so"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        include = sysconfig.get_paths()["include"]
        subprocess.run(
            ["gcc", "-O2", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return target


def environment(tree: Path) -> dict[str, str]:
    """Environment of a measured run: nothing random, and `mxward` from `tree`."""
    keep = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "MXWARD_CORPUS")}
    return keep | {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "malloc",
        # Large blocks come straight from the kernel, so that growing one never depends on what lies behind it.
        "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=16384:glibc.malloc.tcache_count=0",
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join((str(tree), str(ROOT), str(ROOT / "tests" / "lib"))),
        TREE: str(tree),
    }


def _short_path(tree: Path) -> Path:
    """A link to `tree` whose path is as long for every tree: the length of paths moves the heap, and counts with it."""
    name = hashlib.sha256(str(tree.resolve()).encode()).hexdigest()[:12]
    link = BUILD / "trees" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(tree.resolve())
    return link


def count_suite(
    tree: Path, files: Sequence[Path], *, select: str = "", padding: int = 0, timeout: float = 900
) -> dict[str, int]:
    """Instructions of each benchmark of `files`, with `mxward` taken from `tree`.

    `padding` bytes in the environment move stack and heap: where a block lies decides now and then whether it can grow
    in place, and that is nobody's doing. Benchmarks that `tree` cannot run (it lacks the kernel) are absent.
    Raises RuntimeError with the run's output when a benchmark fails for another reason.
    """
    library = helper()
    tree = _short_path(tree)
    with tempfile.TemporaryDirectory(prefix="mxward-callgrind-") as directory:
        out = Path(directory) / "callgrind.out"
        command = [
            "setarch", "-R", "valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet",
            f"--callgrind-out-file={out}", sys.executable, "-m", "pytest", "-q", "-p", "no:benchmark", "-p",
            "no:cacheprovider", "--timeout=0", "-o", "pythonpath=", "--rootdir", str(ROOT), *map(str, files),
        ]  # fmt: skip
        variables = environment(tree) | {ACTIVE: str(library), "MXWARD_BENCH_PADDING": "x" * padding}
        if select:
            command += ["-k", select]
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=timeout,
            cwd=directory,
        )  # fmt: skip
        if done.returncode not in (0, 5):  # 5: nothing collected
            raise RuntimeError(f"the measured run failed\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")
        return read_counts(Path(directory))


def read_counts(directory: Path) -> dict[str, int]:
    """Named dumps of a directory: benchmark -> instructions, the least of its calls."""
    counts = {}
    for path in directory.glob("callgrind.out*"):
        text = path.read_text(errors="replace")
        name = re.search(r"^desc: Trigger: Client Request: (\S+)", text, re.MULTILINE)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
        if name and total:
            counts[name[1]] = min(counts.get(name[1], 1 << 62), int(total[1]))
    return counts


def count_command(arguments: Sequence[str], tree: Path = ROOT) -> int:
    """Instructions of a whole Python process (for import time)."""
    with tempfile.TemporaryDirectory(prefix="mxward-callgrind-") as directory:
        out = Path(directory) / "callgrind.out"
        subprocess.run(
            ["setarch", "-R", "valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}", sys.executable,
             *arguments],
            env=environment(tree), check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        total = re.search(r"^(?:totals|summary): (\d+)", out.read_text(errors="replace"), re.MULTILINE)
        if total is None:
            raise RuntimeError("callgrind wrote no total")
        return int(total[1])
