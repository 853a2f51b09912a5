"""A sampling profiler of CPU time that loads itself into every process of a profiled run (PYTHONPATH puts it first).

A thread wakes every 2 ms, reads the CPU clock of each other thread, and charges what was used since to the Python
functions on that thread's stack. Time in C code counts for the Python line that called it. Written to
MXWARD_PROFILE/ROLE.PID.json, microseconds, every second. It does nothing unless MXWARD_PROFILE is set.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from types import FrameType

INTERVAL_S = 0.002
WRITE_S = 1.0
DIRECTORY = os.environ.get("MXWARD_PROFILE", "")
ROLE = json.loads(os.environ.get("MXWARD_PROCESS", '{"role": "supervisor"}'))["role"]

own: Counter[str] = Counter()
total: Counter[str] = Counter()
threads: Counter[str] = Counter()
used: dict[int, int] = {}


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-3:])}:{code.co_qualname}"


def _charge(name: str, frame: FrameType | None, cpu_us: int) -> None:
    threads[name] += cpu_us
    if frame is not None:
        own[f"{_name(frame)}:{frame.f_lineno}"] += cpu_us
    seen = set()
    while frame is not None:
        seen.add(_name(frame))
        frame = frame.f_back
    for function in seen:
        total[function] += cpu_us


def _sample(me: int) -> None:
    frames = sys._current_frames()
    for thread in threading.enumerate():
        ident = thread.ident
        if ident is None or ident == me:
            continue
        try:
            now = time.clock_gettime_ns(time.pthread_getcpuclockid(ident)) // 1000
        except OSError:  # it has just ended
            continue
        cpu_us = now - used.get(ident, now)
        used[ident] = now
        if cpu_us:
            _charge(thread.name, frames.get(ident), cpu_us)


def _write() -> None:
    document = {
        "role": ROLE, "us": sum(threads.values()), "own": own.most_common(80), "total": total.most_common(150),
        "threads": threads.most_common(),
    }  # fmt: skip
    path = os.path.join(DIRECTORY, f"{ROLE}.{os.getpid()}.json")
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(document, out)
    os.replace(path + ".new", path)


def _run() -> None:
    me = threading.get_ident()
    written = time.monotonic()
    while True:
        time.sleep(INTERVAL_S)
        _sample(me)
        if time.monotonic() - written > WRITE_S:
            _write()
            written = time.monotonic()


if DIRECTORY:
    threading.Thread(target=_run, name="sampler", daemon=True).start()
