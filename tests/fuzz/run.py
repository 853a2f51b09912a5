"""Fuzz the targets of tests/fuzz/targets, each in a process of its own, and keep what kills, stalls or refutes.

A target is a file with SEEDS, WORDS, an optional LIMIT, and run(data), which asserts what must hold for any bytes.
The process writes each input to a mapped file before it runs it, so that a crash leaves its cause behind.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import mmap
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
REGRESSIONS = HERE / "regressions"
SCRATCH = HERE.parents[1] / "build" / "fuzz"
SLOT = 1 << 20  # bytes of the mapped file; inputs are shorter
STALL_S = 20.0  # one input may not take longer, sanitizers included
ABSENT = 77  # exit code of a target whose kernel this tree does not have


def load(path: Path) -> ModuleType:
    """A module from a file, under a name that cannot clash."""
    spec = importlib.util.spec_from_file_location(f"fuzz_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kept_inputs(name: str) -> list[Path]:
    """Inputs that once failed for this target."""
    return sorted((REGRESSIONS / name).glob("*.bin"))


def fuzz_one(name: str, seconds: float, seed: int) -> int:
    """The child: runs inputs until the time is over. Any exception ends it with its traceback."""
    try:
        target = load(HERE / "targets" / f"{name}.py")
    except ImportError as absent:
        print(f"{name}: {absent}", flush=True)
        return ABSENT
    mutate = load(HERE / "mutate.py")
    seeds = [*target.SEEDS, *(path.read_bytes() for path in kept_inputs(name))]
    limit, rng, done = getattr(target, "LIMIT", 65_536), random.Random(seed), 0
    end = time.monotonic() + seconds
    with open(SCRATCH / f"{name}.input", "r+b") as file, mmap.mmap(file.fileno(), SLOT) as slot:
        while time.monotonic() < end:
            data = seeds[done] if done < len(seeds) else mutate.mutated(rng, seeds, target.WORDS, limit)
            slot[: len(data) + 4] = len(data).to_bytes(4, "little") + data
            target.run(data)
            done += 1
    print(f"{name}: {done:,} inputs in {seconds:.0f} s, seed {seed}", flush=True)
    return 0


def keep(name: str) -> Path:
    """Stores the input that was running when the child ended."""
    raw = (SCRATCH / f"{name}.input").read_bytes()
    data = raw[4 : 4 + int.from_bytes(raw[:4], "little")]
    folder = REGRESSIONS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
    path.write_bytes(data)
    return path


def watch(name: str, seconds: float, seed: int) -> bool:
    """The parent of one child. Returns whether nothing was found."""
    (SCRATCH / f"{name}.input").write_bytes(bytes(SLOT))
    command = [sys.executable, __file__, "--target", name, "--seconds", str(seconds), "--seed", str(seed), "--child"]
    try:
        code = subprocess.run(command, timeout=seconds + STALL_S + 10, check=False).returncode
    except subprocess.TimeoutExpired:
        code = None
    if code in (0, ABSENT):
        return True
    print(f"{name}: {'stalled' if code is None else f'exit {code}'}, input kept in {keep(name)}", flush=True)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--target", default="", help="one target only")
    parser.add_argument("--seed", type=int, default=0, help="0 picks one and prints it")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return fuzz_one(options.target, options.seconds, options.seed)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    names = [options.target] if options.target else sorted(p.stem for p in (HERE / "targets").glob("*.py"))
    seed = options.seed or int.from_bytes(os.urandom(4), "little")
    good = [watch(name, options.seconds / len(names), seed) for name in names]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
