"""Where the CPU of a profiled end-to-end run went: the samples of all processes of a role, merged and printed.

The samples come from sampler/sitecustomize.py; a profiled run is slower than a plain one, so only shares count.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

SAMPLER = Path(__file__).resolve().parent / "sampler"


def environment(directory: Path) -> dict[str, str]:
    """Variables that make every process of the product sample itself into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    return {"MXWARD_PROFILE": str(directory), "PYTHONPATH": str(SAMPLER)}


def merged(directory: Path) -> dict[str, tuple[int, Counter[str], Counter[str]]]:
    """role -> (samples, by line, by function with what it calls)."""
    roles: dict[str, tuple[int, Counter[str], Counter[str]]] = {}
    for path in sorted(directory.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        n, own, total = roles.get(document["role"], (0, Counter(), Counter()))
        own.update(dict(document["own"]))
        total.update(dict(document["total"]))
        roles[document["role"]] = (n + document["n"], own, total)
    return roles


def report(directory: Path, n_lines: int = 25) -> str:
    """The table that a person reads: per role, functions by inclusive share, then lines by own share."""
    out = []
    for role, (n, own, total) in sorted(merged(directory).items()):
        if n < 20:
            continue
        out.append(f"== {role}: {n} samples")
        out.append("   with what they call:")
        out += [f"   {count / n:6.1%}  {name}" for name, count in total.most_common(n_lines)]
        out.append("   themselves, by line:")
        out += [f"   {count / n:6.1%}  {name}" for name, count in own.most_common(n_lines)]
    return "\n".join(out)
