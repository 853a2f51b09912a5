"""Threads that judge messages, so that one slow message never stops the sessions of its worker.

Not a ThreadPoolExecutor: that costs two futures, two locks and one wake-up of the loop a message; here one queue goes
in, and answers come back in batches with one wake-up for all that are ready.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from queue import SimpleQueue

from mxward.core.message import Envelope, Message
from mxward.server.smtp.settings import Judge


class Overdue(Exception):
    """The deadline of a message passed before it was judged."""


class _Job:
    __slots__ = ("deadline", "envelope", "error", "future", "judge", "message", "raw")

    def __init__(self, judge: Judge, raw: bytes, envelope: Envelope, deadline: float) -> None:
        self.judge, self.raw, self.envelope, self.deadline = judge, raw, envelope, deadline
        self.future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.message: Message | None = None
        self.error: BaseException | None = None


class ScanPool:
    """Args: threads: how many messages are judged at once. Made and used on the loop's thread."""

    def __init__(self, threads: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._todo: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: deque[_Job] = deque()
        self._jobs: set[_Job] = set()
        self._wake_lock = threading.Lock()
        self._is_waking = False
        self._threads = [threading.Thread(target=self._work, name=f"scan-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def judge(self, judge: Judge, raw: bytes, envelope: Envelope, seconds: float) -> asyncio.Future[Message]:
        """Judge a message by `judge`. The future fails with Overdue after about `seconds`, waiting included."""
        job = _Job(judge, raw, envelope, self._loop.time() + seconds)
        self._jobs.add(job)
        self._todo.put(job)
        return job.future

    def tick(self, now: float) -> None:
        """Give up what is overdue; called about once a second. Its thread goes on, its answer is dropped."""
        for job in [job for job in self._jobs if now > job.deadline]:
            self._jobs.discard(job)
            if not job.future.done():
                job.future.set_exception(Overdue())

    def close(self) -> None:
        """Let the threads end after what they are doing."""
        for _ in self._threads:
            self._todo.put(None)

    def _work(self) -> None:
        while (job := self._todo.get()) is not None:
            if not job.future.done():  # a given-up job is not worth a thread's time
                try:
                    job.message = job.judge.judge(job.raw, job.envelope)
                except BaseException as error:
                    job.error = error
            self._done.append(job)
            with self._wake_lock:
                if self._is_waking:
                    continue
                self._is_waking = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop is closed: the worker is gone
                return

    def _deliver(self) -> None:
        with self._wake_lock:
            self._is_waking = False
        while self._done:
            job = self._done.popleft()
            self._jobs.discard(job)
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            elif job.message is not None:
                job.future.set_result(job.message)
