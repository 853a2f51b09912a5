"""Periodic jobs: when each is due, and one runner that a failing job does not stop.

A job is a plain function that runs in a thread; jobs run one after another, because none is urgent and the machine
is there for mail.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from mxward.server.log import Log
from mxward.server.metrics import METRICS


@dataclass
class Job:
    """`run` every `period` seconds; `due` is on the monotonic clock, 0 at once."""

    name: str
    period: float
    run: Callable[[], None]
    due: float = 0.0


async def run_jobs(jobs: list[Job], stop: asyncio.Event, log: Log, changed: asyncio.Event | None = None) -> None:
    """Run jobs when due until `stop` is set; a job under way is waited for. `changed` wakes the loop early."""
    while not stop.is_set():
        job = min(jobs, key=lambda j: j.due)
        wait = job.due - time.monotonic()
        if wait > 0:
            await _wait_for_any(stop, changed, wait)
            continue
        try:
            await asyncio.to_thread(job.run)
        except Exception as error:  # the next pass may well succeed, and the other jobs must go on
            METRICS.add("jobs_failures_total")
            log.exception("job_failed", error, job=job.name)
        job.due = time.monotonic() + job.period


async def _wait_for_any(stop: asyncio.Event, changed: asyncio.Event | None, seconds: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, changed) if event is not None]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if changed is not None:
        changed.clear()
