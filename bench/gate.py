"""The gate: gates 1 (instructions against the merge base), 2 (growth), 3 (ratios) and 5 (weight); 4 is endtoend.py.

The merge base is built beside the head in the same run (build/base) and measured with the head's benchmarks. On a
branch it is the merge base with the main branch; on the main branch itself it is HEAD when the tree has changes, else
the commit before. MXWARD_BENCH_BASE names another.
"""

from __future__ import annotations

import datetime
import math
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import callgrind

ROOT = callgrind.ROOT
BASE = ROOT / "build" / "base"
SHORT_FILES = ("bench_parser.py", "bench_dots.py", "bench_data.py", "bench_filetype.py", "bench_phrase.py")
MEASURED = ("core", "pyx", "bindings", "server", "mxward", "setup.py", "requirements")  # what benchmarks run
Say = Callable[[str], None]


def targets() -> dict[str, Any]:
    """bench/targets.toml."""
    return tomllib.loads((ROOT / "bench" / "targets.toml").read_text(encoding="utf-8"))


def accepted(today: datetime.date | None = None) -> dict[str, float]:
    """benchmark -> accepted ratio, from bench/accepted.toml. Raises ValueError for an entry that has expired."""
    document = tomllib.loads((ROOT / "bench" / "accepted.toml").read_text(encoding="utf-8"))
    now = today or datetime.datetime.now(datetime.UTC).date()
    out = {}
    for entry in document["accepted"]:
        if datetime.date.fromisoformat(entry["expires"]) < now:
            raise ValueError(f"bench/accepted.toml: the entry for {entry['benchmark']} expired on {entry['expires']}")
        if not entry["reason"].strip():
            raise ValueError(f"bench/accepted.toml: the entry for {entry['benchmark']} gives no reason")
        out[entry["benchmark"]] = float(entry["ratio"])
    return out


# -- the base


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def base_commit() -> str:
    """The commit to compare with, "" when there is none."""
    chosen = os.environ.get("MXWARD_BENCH_BASE")
    if chosen:
        return _git("rev-parse", "--verify", f"{chosen}^{{commit}}")
    head = _git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        base = _git("merge-base", "HEAD", main)
        if base and base != head:
            return base
    return head if _git("status", "--porcelain", "--untracked-files=no") else _git("rev-parse", "--verify", "HEAD^")


def is_measured_code_changed(commit: str) -> bool:
    """Does anything that the benchmarks run differ from `commit`? Benchmarks themselves are this tree's in both."""
    differs = subprocess.run(["git", "-C", str(ROOT), "diff", "--quiet", commit, "--", *MEASURED], check=False)
    return differs.returncode != 0 or bool(_git("ls-files", "--others", "--exclude-standard", "--", *MEASURED))


def has_kernels(commit: str) -> bool:
    return any(name.endswith(".pyx") for name in _git("ls-tree", "-r", "--name-only", commit, "pyx").splitlines())


def build_base(commit: str) -> Path:
    """The tree of `commit` with its kernels built in place, under build/base; kept while the commit stays."""
    stamp = BASE / ".commit"
    if stamp.exists() and stamp.read_text() == commit:
        return BASE
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(parents=True)
    archive = BASE.parent / "base.tar"
    subprocess.run(["git", "-C", str(ROOT), "archive", "-o", str(archive), commit], check=True)
    subprocess.run(["tar", "-xf", str(archive), "-C", str(BASE)], check=True)
    archive.unlink()
    build_in_place(BASE)
    stamp.write_text(commit)
    return BASE


def build_in_place(tree: Path) -> None:
    """Build the kernels of a tree where they stand. Raises RuntimeError with the compiler's words."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MXWARD_BUILD", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "-j", str(os.cpu_count() or 1)],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{tree}: the kernels do not build\n{done.stderr[-4000:]}")


# -- comparing


def compare(base: dict[str, int], head: dict[str, int], limits: dict[str, Any], allowed: dict[str, float]) -> list[str]:
    """Gate 1: what is wrong with `head`, in words; nothing when it passes."""
    faults = []
    logs = []
    for name in sorted(base.keys() & head.keys()):
        ratio = head[name] / base[name]
        limit = allowed.get(name, float(limits["one_at_most"]))
        if name not in allowed:
            logs.append(math.log(ratio))
        if ratio > limit:
            change = f"{base[name]:,} -> {head[name]:,} instructions"
            faults.append(f"{name}: {(ratio - 1) * 100:+.2f} % ({change}; allowed {(limit - 1) * 100:+.1f} %)")
    mean = math.exp(sum(logs) / len(logs)) if logs else 1.0
    if mean > float(limits["mean_at_most"]):
        faults.append(f"geometric mean of {len(logs)} benchmarks: {(mean - 1) * 100:+.2f} %")
    return faults


def least(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    """The lower count of each benchmark."""
    return {name: min(a.get(name, 1 << 62), b.get(name, 1 << 62)) for name in a.keys() | b.keys()}


def growth_faults(head: dict[str, int], at_most: float) -> list[str]:
    """Gate 2: benchmarks whose cost grows faster than their input."""
    faults = []
    for name, large in sorted(head.items()):
        if name.endswith("@10"):
            small = head[name.removesuffix("@10") + "@1"]
            if large / small > at_most:
                faults.append(f"{name}: ten times the input costs {large / small:.2f} times the instructions")
    return faults


def suite(*, short: bool) -> list[Path]:
    """Benchmark files that are measured."""
    names = SHORT_FILES if short else tuple(sorted(p.name for p in (ROOT / "bench").glob("bench_*.py")))
    return [ROOT / "bench" / name for name in names if (ROOT / "bench" / name).exists()]


def instruction_gates(say: Say, *, short: bool) -> list[str]:
    """Gates 1 and 2."""
    absent = callgrind.missing()
    if absent:
        say(f"gate 1 and 2 NOT RUN: missing {', '.join(absent)}")
        return []
    limits = targets()
    head = callgrind.count_suite(ROOT, suite(short=short))
    faults = growth_faults(head, float(limits["growth"]["at_most"]))
    n_growth = sum(name.endswith("@10") for name in head)
    say(f"gate 2 growth: {n_growth} benchmarks at x1 and x10, {len(faults)} above {limits['growth']['at_most']}")
    commit = base_commit()
    if not commit or not has_kernels(commit):
        say("gate 1 instructions: no earlier commit has kernels; nothing to compare with")
        return faults
    if not is_measured_code_changed(commit):
        say(f"gate 1 instructions: nothing that is measured differs from {commit[:12]}")
        return faults
    base = callgrind.count_suite(build_base(commit), suite(short=short))
    worse = compare(base, head, limits["regression"], accepted())
    for padding in (1000, 5000):
        if not worse:
            break
        say(f"gate 1: {len(worse)} above the limit; counting again with the heap elsewhere")
        base = least(base, callgrind.count_suite(build_base(commit), suite(short=short), padding=padding))
        head = least(head, callgrind.count_suite(ROOT, suite(short=short), padding=padding))
        worse = compare(base, head, limits["regression"], accepted())
    same = base.keys() & head.keys()
    say(
        f"gate 1 instructions against {commit[:12]}: {len(same)} compared, {len(head) - len(same)} new, "
        f"{len(worse)} fail"
    )
    for name in sorted(same):
        if abs(head[name] / base[name] - 1) > 0.001:
            say(f"    {name:32} {(head[name] / base[name] - 1) * 100:+7.2f} %")
    return faults + worse


def ratio_gate(say: Say) -> list[str]:
    """Gate 3."""
    from bench import ratios

    rows = ratios.run(targets()["ratio"])
    for row in rows:
        say(f"gate 3 {row['name']:28} {row['ratio']:.3f} (at most {row['at_most']}), ours {row['ours_mb_s']} MB/s")
    return [f"{row['name']}: ratio {row['ratio']} above {row['at_most']}" for row in rows if not row["passed"]]


def public_gate(say: Say) -> list[str]:
    """Gate 3 on public rules and real mail."""
    from bench import publicratios

    return publicratios.run(say, targets())


def weight_gate(say: Say, *, short: bool) -> list[str]:
    """Gate 5."""
    from bench import weight

    rows = weight.run(targets()["weight"], short=short)
    for row in rows:
        say(f"gate 5 {row['name']:28} {row['value']:,} (at most {row['at_most']:,})")
    return [f"{row['name']}: {row['value']:,} above {row['at_most']:,}" for row in rows if not row["passed"]]


def run(say: Say, *, short: bool) -> int:
    """All gates (4 only by `python -m bench endtoend`); returns the exit status."""
    faults = instruction_gates(say, short=short) + ratio_gate(say) + weight_gate(say, short=short)
    if not short:
        faults += public_gate(say)
    for fault in faults:
        say(f"FAIL {fault}")
    say("gate: " + (f"{len(faults)} failures" if faults else "passed"))
    return 1 if faults else 0
