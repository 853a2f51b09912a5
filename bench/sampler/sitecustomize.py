"""A sampling profiler of CPU time that loads itself into every worker of a profiled run (PYTHONPATH puts it first).

Every 2 ms of CPU the kernel sends SIGPROF; the handler notes which Python functions are on the main thread's stack.
Time in C code counts for the Python line that called it. Written to MXWARD_PROFILE/ROLE.PID.json when the process
ends in order. It does nothing unless MXWARD_PROFILE is set.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
from collections import Counter
from types import FrameType

INTERVAL_S = 0.002
DIRECTORY = os.environ.get("MXWARD_PROFILE", "")

own: Counter[str] = Counter()
total: Counter[str] = Counter()
n_samples = 0


def _name(frame: FrameType) -> str:
    code = frame.f_code
    parts = code.co_filename.split("/")
    return f"{'/'.join(parts[-3:])}:{code.co_qualname}"


def _sample(_number: int, frame: FrameType | None) -> None:
    global n_samples
    if frame is None:
        return
    n_samples += 1
    own[f"{_name(frame)}:{frame.f_lineno}"] += 1
    seen = set()
    while frame is not None:
        seen.add(_name(frame))
        frame = frame.f_back
    total.update(seen)


def _write() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    role = json.loads(os.environ.get("MXWARD_PROCESS", '{"role": "supervisor"}'))["role"]
    document = {"role": role, "n": n_samples, "own": own.most_common(60), "total": total.most_common(120)}
    with open(os.path.join(DIRECTORY, f"{role}.{os.getpid()}.json"), "w", encoding="utf-8") as out:
        json.dump(document, out)


if DIRECTORY:
    signal.signal(signal.SIGPROF, _sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    atexit.register(_write)
