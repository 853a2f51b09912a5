"""One child of the supervisor: start it, know how it is, decide when it may start again.

The supervisor's loop does the watching; nothing here waits.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

# What a SIGKILL of a worker loses; printed by `mxward status` and quoted in ARCHITECTURE.md.
LOSES: Final = {
    "smtp": "open sessions, which their clients repeat; nothing acknowledged",
    "delivery": "deliveries under way, which are repeated when their lease ends; nothing acknowledged",
    "web": "requests under way; nothing else",
    "jobs": "the pass under way, which is repeated; nothing else",
}
STEADY_S: Final = 10.0  # a worker that lived so long starts again at once
BACKOFF_MAX_S: Final = 5.0  # more would leave connections of its socket waiting for nothing
STARTING, RUNNING, STOPPING, WAITING, STOPPED = "starting", "running", "stopping", "waiting", "stopped"


@dataclass
class Child:
    """A worker as the supervisor sees it. `sockets` are (index in Config.listener or -1, socket)."""

    role: str
    index: int
    sockets: list[tuple[int, socket.socket]] = field(default_factory=list)
    state: str = STOPPED
    restarts: int = 0
    since: float = 0.0  # wall clock of the last change of state
    last_exit: str = ""
    process: subprocess.Popen[bytes] | None = None
    reload_due: bool = False  # a reload came while it was starting
    _quick_deaths: int = 0
    _started: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.role}.{self.index}"

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def become(self, state: str) -> None:
        self.state, self.since = state, time.time()

    def start(self, description: dict[str, Any], output: int) -> int:
        """Start the process with its standard output on `output`; returns the ready pipe to read.

        Its standard error (traces of deaths too early for the log) stays ours, unless the log is a file.
        """
        ready, ready_child = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        sockets = [{"fd": s.fileno(), "listener": i} for i, s in self.sockets]
        doc = {
            **description, "role": self.role, "index": self.index, "sockets": sockets, "ready_fd": ready_child,
            "parent": os.getpid(),
        }  # fmt: skip
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mxward.server.process"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=None if output == 1 else output,
                pass_fds=[ready_child, *(s.fileno() for _, s in self.sockets)],
                env={**os.environ, "MXWARD_PROCESS": orjson.dumps(doc).decode(), "PYTHONSAFEPATH": "1"},
                process_group=0,  # Ctrl-C is the supervisor's to handle
            )  # fmt: skip
        except OSError:
            os.close(ready)
            raise
        finally:
            os.close(ready_child)
        self._started = time.monotonic()
        self.become(STARTING)
        return ready

    def died(self, code: int) -> float:
        """Note the end of the process; returns after how many seconds it may start again."""
        self.process = None
        self.last_exit = signal.Signals(-code).name if code < 0 else f"exit {code}"
        steady = time.monotonic() - self._started >= STEADY_S
        self._quick_deaths = 0 if steady else self._quick_deaths + 1
        self.become(WAITING)
        # the first death of all is answered at once: one kill costs a start-up time and no more
        return 0.0 if self._quick_deaths <= 1 else min(0.1 * 2 ** (self._quick_deaths - 2), BACKOFF_MAX_S)

    def signal(self, number: int) -> None:
        """Send a signal, if there is a process; one that ended meanwhile is left to `died`."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name, "role": self.role, "index": self.index, "pid": self.pid, "state": self.state,
            "restarts": self.restarts, "since": int(self.since), "last_exit": self.last_exit,
            "loses": LOSES[self.role],
        }  # fmt: skip
