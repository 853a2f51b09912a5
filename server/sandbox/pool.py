"""SandboxPool: gives sessions of sandboxed workers to many threads, keeps some ready, replaces template and workers.

No thread of its own: whoever waits for a worker reads what the template tells. What a session does is in session.py.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from mxward.core.extract.opener import Session
from mxward.server.log import Log
from mxward.server.metrics import METRICS
from mxward.server.sandbox.client import Asked, Died, Forked, News, NoOcr, NotForked, TemplateClient
from mxward.server.sandbox.report import Report
from mxward.server.sandbox.session import PoolSession, Worker

BACKOFF_MAX_S: Final = 5.0
STEADY_S: Final = 10.0  # a template that lived so long is replaced at once
_LOOK_S: Final = 0.25  # between two looks while another thread may have read what we wait for
_DEATH_S: Final = 0.25  # within which the template tells of a worker that hung up
_MAX_DEATHS: Final = 256  # untold: of workers whose sessions did not ask


class SandboxPool:
    """An Opener (core/extract/opener.py) whose sessions are worker processes. Thread-safe.

    Args: idle: workers kept ready; log: where deaths of the template and missing restrictions go; on_report: called
    once a template, with the restrictions that its workers have. The template is started when first needed, or by
    `start`.
    """

    def __init__(
        self, asked: Asked, idle: int = 2, log: Log | None = None, on_report: Callable[[Report], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._asked, self._n_idle, self._log, self._on_report = asked, idle, log, on_report
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: TemplateClient | None = None
        self._idle: deque[Worker] = deque()
        self._deaths: dict[int, int] = {}  # number -> wait status
        self._n_asked = self._next_number = 0
        self._started_at = self._start_due = 0.0
        self._n_quick_deaths = 0
        self._is_closed = False
        self.report: Report | None = None  # of the template that runs; None until its first worker served

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the template now, so that the first message need not wait."""
        with self._lock:
            self._tend()

    def tend(self) -> None:
        """Read news and replace a template that died; threads that wait for workers do it as well."""
        with self._lock:
            if self._client is not None or self._n_quick_deaths:
                self._tend()

    def join(self) -> SandboxPool:
        """In a process that was forked from ours: a pool of its own on the same template, which makes no report.

        Raises: OSError.
        """
        pool = SandboxPool(self._asked, self._n_idle, self._log, None, self._monotonic)
        if self._client is not None:
            pool._take_up(self._client.join())
            self._client.sock.close()
        for worker in self._idle:  # copies of descriptors of our parent's workers
            worker.hang_up()
        return pool

    def close(self) -> None:
        """End the template and all workers; what is asked from now on is answered with "unavailable"."""
        with self._lock:
            self._is_closed = True
            if self._client is not None:
                self._client.close()
                self._client = None
            self._drop_idle()

    def __enter__(self) -> SandboxPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what sessions call --------------------------------------------------------------------------------------

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """A session that must be done after `seconds`; see core/extract/opener.py."""
        session = PoolSession(self, self._monotonic() + seconds, self._monotonic)
        self.count("sandbox_sessions_total")
        try:
            yield session
        finally:
            session.close()

    def probe(self, seconds: float) -> None:
        """Have one worker report what it has given up, within `seconds`; it is not used."""
        with self.session(seconds) as session:
            assert isinstance(session, PoolSession)
            session.probe()

    def take(self, until: float) -> Worker | None:
        """A worker that nobody used; None when none can be had by `until`."""
        while True:
            with self._lock:
                if self._is_closed:
                    return None
                self._tend()
                if self._idle:
                    worker = self._idle.popleft()
                    self._ask()
                    return worker
                client = self._client
                wait = until - self._monotonic()
                if client is None:
                    wait = min(wait, self._start_due - self._monotonic())
            if self._monotonic() >= until:
                return None
            self._wait(client, min(wait, _LOOK_S))

    def death_of(self, number: int) -> int | None:
        """The wait status of a worker that hung up; None when the template does not tell."""
        until = self._monotonic() + _DEATH_S
        while True:
            with self._lock:
                self._tend()
                if number in self._deaths:
                    return self._deaths.pop(number)
                client = self._client
            if client is None or self._monotonic() >= until:
                return None
            self._wait(client, 0.02)

    def served(self, hello: bytes) -> None:
        """Note what restrictions a worker reports of itself, before it saw anything."""
        report = Report.of(hello)
        with self._lock:
            if report == self.report:
                return
            self.report = report
        if report.missing and self._log is not None:
            self._log.warning("sandbox_incomplete", missing=report.missing)
        if self._on_report is not None:
            self._on_report(report)

    def warn(self, event: str, **fields: object) -> None:
        """A line of the log."""
        if self._log is not None:
            self._log.warning(event, **fields)

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter; threads of one pool do not lose each other's."""
        with self._lock:
            METRICS.add(name, n)

    # -- with the lock held --------------------------------------------------------------------------------------

    def _tend(self) -> None:
        if self._is_closed:
            return
        if self._client is None:
            if self._monotonic() < self._start_due:
                return
            self._start()
        client = self._client
        if client is None:
            return
        try:
            for news in client.news():
                self._on_news(news)
        except OSError:
            self._on_loss(client)
        else:
            self._ask()

    def _start(self) -> None:
        self._started_at = self._monotonic()
        try:
            client = TemplateClient.start(self._asked)
        except OSError as error:  # no memory, no processes left
            self._back_off(f"not started: {error.strerror}")
            return
        self._take_up(client)

    def _take_up(self, client: TemplateClient) -> None:
        self._client, self._n_asked = client, 0
        self._ask()

    def _ask(self) -> None:
        """See to it that enough workers are ready or asked for."""
        try:
            while self._client is not None and len(self._idle) + self._n_asked < max(1, self._n_idle):
                self._next_number = (self._next_number + 1) & 0x7FFFFFFF
                self._client.ask(self._next_number)
                self._n_asked += 1
        except OSError:
            return  # it is gone, as news() will say, or busy

    def _on_news(self, news: News) -> None:
        match news:
            case Forked():
                self._n_asked -= 1
                self._idle.append(Worker(news.number, news.sock, news.pidfd))
            case NotForked():
                self._n_asked -= 1
                self.warn("sandbox_not_forked", errno=news.errno)
            case NoOcr():
                self.warn("sandbox_without_ocr", languages=self._asked.ocr)
            case Died():
                METRICS.add("sandbox_cpu_us_total", news.cpu_us)
                self._deaths[news.number] = news.status
                if len(self._deaths) > _MAX_DEATHS:
                    del self._deaths[next(iter(self._deaths))]

    def _on_loss(self, client: TemplateClient) -> None:
        self._client = None
        how = client.close()
        self._drop_idle()
        self._back_off(how)

    def _back_off(self, how: str) -> None:
        now = self._monotonic()
        steady = now - self._started_at >= STEADY_S
        self._n_quick_deaths = 1 if steady else self._n_quick_deaths + 1
        delay = 0.0 if self._n_quick_deaths <= 1 else min(0.1 * 2 ** (self._n_quick_deaths - 2), BACKOFF_MAX_S)
        self._start_due = now + delay
        METRICS.add("sandbox_restarts_total")
        self.warn("sandbox_template_ended", how=how, restart_in=delay)

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().kill()
        self._deaths.clear()

    @staticmethod
    def _wait(client: TemplateClient | None, seconds: float) -> None:
        """Until the template tells something, or `seconds` passed."""
        if seconds <= 0:
            return
        poll = select.poll()
        if client is not None and (fd := client.sock.fileno()) >= 0:
            poll.register(fd, select.POLLIN)
        poll.poll(seconds * 1000)
