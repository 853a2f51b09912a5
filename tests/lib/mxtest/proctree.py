"""CPU time and memory of process trees, read from /proc. Nothing here starts or ends a process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessTimes:
    """CPU seconds of one process: its own, and of children it has waited for."""

    pid: int
    name: str
    parent: int
    own_s: float
    reaped_s: float


def read_process(pid: int) -> ProcessTimes | None:
    """One row of /proc/PID/stat, or None when the process has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    own = (int(fields[11]) + int(fields[12])) / _TICK
    reaped = (int(fields[13]) + int(fields[14])) / _TICK
    return ProcessTimes(pid, head.partition("(")[2], int(fields[1]), own, reaped)


def tree(root: int) -> list[ProcessTimes]:
    """`root` and all its living descendants."""
    rows = [read_process(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()]
    children: dict[int, list[ProcessTimes]] = {}
    for row in rows:
        if row is not None:
            children.setdefault(row.parent, []).append(row)
    top = read_process(root)
    found = [top] if top else []
    for row in found:
        found.extend(children.get(row.pid, ()))
    return found


def tree_cpu_seconds(root: int) -> float:
    """User and system seconds of the tree so far, processes that ended and were waited for included."""
    return sum(row.own_s + row.reaped_s for row in tree(root))


def memory_bytes(pid: int, field: str = "VmRSS") -> int:
    """A size line of /proc/PID/status (VmRSS, VmHWM, ...), 0 when the process has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":")), 0)


def pss_bytes(pid: int) -> int:
    """Proportional set size: shared pages divided among the processes that map them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
