"""Where the CPU of a profiled end-to-end run went: the samples of all processes of a role, merged and printed.

The samples come from sampler/sitecustomize.py; a profiled run is slower than a plain one, so only shares count.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SAMPLER = Path(__file__).resolve().parent / "sampler"


def environment(directory: Path) -> dict[str, str]:
    """Variables that make every process of the product sample itself into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    return {"MXWARD_PROFILE": str(directory), "PYTHONPATH": str(SAMPLER)}


@dataclass
class RoleProfile:
    """CPU microseconds of all processes of a role: in all, by thread, by line, by function with what it calls."""

    us: int = 0
    threads: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)


def merged(directory: Path) -> dict[str, RoleProfile]:
    """Profiles by role."""
    roles: dict[str, RoleProfile] = {}
    for path in sorted(directory.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        mine = roles.setdefault(document["role"], RoleProfile())
        mine.us += document["us"]
        mine.threads.update(dict(document["threads"]))
        mine.own.update(dict(document["own"]))
        mine.total.update(dict(document["total"]))
    return roles


def report(directory: Path, n_lines: int = 30) -> str:
    """The table that a person reads: per role, threads, functions by inclusive share, lines by own share."""
    out = []
    for role, profile in sorted(merged(directory).items()):
        if profile.us < 100_000:
            continue
        out.append(f"== {role}: {profile.us / 1e6:.2f} s of CPU")
        for title, counts in (("threads", profile.threads), ("with what they call", profile.total),
                              ("themselves, by line", profile.own)):  # fmt: skip
            out.append(f"   {title}:")
            out += [f"   {us / profile.us:6.1%}  {name}" for name, us in counts.most_common(n_lines)]
    return "\n".join(out)
