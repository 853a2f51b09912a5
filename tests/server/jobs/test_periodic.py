"""The runner of periodic jobs: order, failure, stop."""

from __future__ import annotations

import asyncio
import os
import time

from mxward.server.jobs.periodic import Job, run_jobs
from mxward.server.log import Log


async def test_a_failing_job_stops_neither_itself_nor_others() -> None:
    calls: list[str] = []
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail() -> None:
        calls.append("fail")
        raise ValueError("broken")

    def work() -> None:
        calls.append("work")
        if calls.count("work") == 3:
            loop.call_soon_threadsafe(stop.set)

    read, write = os.pipe()
    await asyncio.wait_for(run_jobs([Job("fail", 0.001, fail), Job("work", 0.002, work)], stop, Log("t", fd=write)), 10)
    os.close(write)
    with os.fdopen(read) as file:
        assert '"job":"fail"' in file.read()
    assert calls.count("fail") >= 2
    assert calls.count("work") == 3


async def test_stop_and_change_interrupt_the_wait() -> None:
    ran: list[float] = []
    stop, changed = asyncio.Event(), asyncio.Event()
    job = Job("later", 3600, lambda: ran.append(time.monotonic()), due=time.monotonic() + 3600)
    task = asyncio.create_task(run_jobs([job], stop, Log("t"), changed))
    await asyncio.sleep(0)
    job.due = 0.0
    changed.set()
    async with asyncio.timeout(10):
        while not ran:
            await asyncio.sleep(0.001)
        stop.set()
        await task
    assert len(ran) == 1
