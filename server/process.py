"""One worker process: configuration, sockets and signals handed over by the supervisor, then its role's `serve`.

The supervisor starts `python -m mxward.server.process` with MXWARD_PROCESS (JSON) in the environment:
{"role": "smtp", "index": 0, "config": "/etc/mxward/mxward.toml", "data": "/var/lib/mxward",
 "overrides": {"log.level": "debug"}, "sockets": [{"fd": 5, "listener": 0}], "ready_fd": 7, "parent": 4711}.
`listener` is the index in Config.listener; the web role gets one socket with listener -1. A byte on ready_fd says
that the worker serves. A worker dies with its parent: a new supervisor may start its own at once.

Roles: mxward.server.{smtp,delivery,web,jobs}.worker, each with `async def serve(process: Process) -> None`, which
returns soon after `process.stop` is set (SIGTERM, SIGINT: drain) and registers what SIGHUP reloads.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from mxward.core.errors import MxwardError
from mxward.server import config as configuration
from mxward.server.config import Config, Listener
from mxward.server.log import Log
from mxward.server.metrics import METRICS

ROLES = ("smtp", "delivery", "web", "jobs")
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


@dataclass
class Process:
    """What a role's `serve` gets."""

    role: str
    index: int
    config: Config
    log: Log
    sockets: list[tuple[Listener | None, socket.socket]] = field(default_factory=list)
    config_path: str | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    reloads: list[Callable[[Config], Awaitable[None]]] = field(default_factory=list)
    ready_fd: int = -1
    overrides: dict[str, Any] = field(default_factory=dict)  # `mxward run --set`, kept over reloads
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        return f"{self.role}.{self.index}"

    def ready(self) -> None:
        """Tell the supervisor that this worker serves. More calls, and a supervisor that went away, do nothing."""
        if self.ready_fd >= 0:
            fd, self.ready_fd = self.ready_fd, -1
            try:
                os.write(fd, b"R")
            except BrokenPipeError:
                pass
            finally:
                os.close(fd)

    async def reload(self) -> None:
        """SIGHUP: read the configuration anew and let the role swap; a fault leaves everything as it was."""
        async with self.reloading:
            try:
                config = configuration.load(self.config_path, data=str(self.config.data), overrides=self.overrides)
                for action in self.reloads:
                    await action(config)
            except MxwardError as error:  # a file that an administrator wrote
                self.log.error("reload_failed", reason=str(error))
            except Exception as error:
                self.log.exception("reload_failed", error)
            else:
                self.config = config
                self.log("reloaded")


def from_environment(text: str) -> Process:
    """The Process that MXWARD_PROCESS describes. Raises ConfigError."""
    doc: dict[str, Any] = orjson.loads(text)
    overrides = doc.get("overrides", {})
    config = configuration.load(doc.get("config"), data=doc.get("data"), overrides=overrides)
    key = b""
    if config.log.pseudonymise:
        key = (config.data / "keys" / "pseudonym.key").read_bytes()
    log = Log(f"{doc['role']}.{doc['index']}", level=config.log.level, pseudonym_key=key)
    process = Process(doc["role"], doc["index"], config, log, config_path=doc.get("config"), overrides=overrides)
    process.ready_fd = doc.get("ready_fd", -1)
    for entry in doc.get("sockets", ()):
        sock = socket.socket(fileno=entry["fd"])
        sock.setblocking(False)
        os.set_inheritable(entry["fd"], False)  # not to what this worker may start
        listener = config.listener[entry["listener"]] if entry["listener"] >= 0 else None
        process.sockets.append((listener, sock))
    if process.ready_fd >= 0:
        os.set_inheritable(process.ready_fd, False)
    return process


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that ends (Linux).

    Nothing acknowledged is lost by it; two generations of workers at once would be worse.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)


async def _main(process: Process) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def on_hangup() -> None:
        task = loop.create_task(process.reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.stop.set)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    role = importlib.import_module(f"mxward.server.{process.role}.worker")
    await role.serve(process)


def main() -> int:
    """Run the worker that MXWARD_PROCESS describes. Returns the exit code: 1 for a death the log explains."""
    import uvloop

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the loop handles it
    text = os.environ.pop("MXWARD_PROCESS")
    if parent := orjson.loads(text).get("parent"):
        die_with(parent)
    process = from_environment(text)
    METRICS.open(process.config.data / "run" / "metrics", process.name)
    try:
        uvloop.run(_main(process))
    except Exception as error:
        process.log.exception("worker_died", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
