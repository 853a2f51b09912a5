"""`mxward run`: binds the ports, starts the workers, keeps them running, passes on reload and stop.

It holds no mail and no secrets and parses nothing from the network. What it is made of is in `run/`; what workers
do is in {smtp,delivery,web,jobs}/worker.py.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from mxward import __version__
from mxward.core.errors import ConfigError
from mxward.server import config as configuration
from mxward.server.config import Config
from mxward.server.log import Log, plain
from mxward.server.run import banner, datadir, first, sockets
from mxward.server.run.child import RUNNING, STARTING, STOPPED, STOPPING, WAITING, Child
from mxward.server.run.notify import notify, watchdog_interval

DRAIN_S: Final = 30.0  # from SIGTERM to SIGKILL; deploy/mxward.service waits longer
START_S: Final = 120.0  # a worker that does not serve by then is killed and started anew
# Settings that a reload cannot change, because ports are bound, privileges gone, processes started.
FIXED: Final = ("server", "listener", "store", "web", "tls", "sandbox")


@dataclass
class Options:
    """What the command line said. `log` is "auto", "-" (standard output) or a path."""

    config_path: str | None = None
    data: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    log: str = "auto"


class Supervisor:
    """One running gateway. `run` returns the exit code."""

    def __init__(self, config: Config, options: Options, *, output: int, log_file: str) -> None:
        self.config, self.options, self.output, self.log_file = config, options, output, log_file
        self.log = Log("supervisor", level=config.log.level, fd=output)
        self.children: list[Child] = []
        self.listeners: list[tuple[str, str]] = []  # (side, address) as bound
        self.web = ""
        self.state = STARTING
        self.started_at = time.time()
        self._stopped = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # -- before the loop -------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Bind all ports and lay out the children. Raises ConfigError."""
        config = self.config
        for index in range(config.n_workers):
            self.children.append(Child("smtp", index))
        for i, listener in enumerate(config.listener):
            bound = sockets.bind(listener.address, config.n_workers, key=f"listener[{i}].address")
            self.listeners.append((listener.side, sockets.address_of(bound[0])))
            for child, sock in zip(self.children, bound, strict=True):
                child.sockets.append((i, sock))
        self.children += [Child("delivery", i) for i in range(config.delivery.workers)]
        web = sockets.bind(config.web.address, 1, key="web.address")
        self.web = sockets.address_of(web[0])
        self.children += [Child("web", 0, [(-1, web[0])]), Child("jobs", 0)]

    # -- children --------------------------------------------------------------------------------------------

    def _start(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        description = {
            "config": self.options.config_path, "data": str(self.config.data),
            "overrides": dict(self.options.overrides),
        }  # fmt: skip
        try:
            ready = child.start(description, self.output)
        except OSError as error:  # no memory, no processes left: passing faults of the machine
            self.log.error("worker_not_started", worker=child.name, error=str(error))
            self._later(child, child.died(71))
            return
        assert child.process is not None
        pidfd = os.pidfd_open(child.process.pid)
        loop.add_reader(ready, self._on_ready, child, ready)
        loop.add_reader(pidfd, self._on_death, child, pidfd)
        self._timers[child.name] = loop.call_later(START_S, self._on_late, child)
        self._publish()

    def _later(self, child: Child, delay: float) -> None:
        self._timers[child.name] = asyncio.get_running_loop().call_later(delay, self._restart, child)
        self._publish()

    def _restart(self, child: Child) -> None:
        if self.state != STOPPING:
            child.restarts += 1
            self._start(child)

    def _on_ready(self, child: Child, ready: int) -> None:
        asyncio.get_running_loop().remove_reader(ready)
        served = os.read(ready, 1) == b"R"  # end of file: it died before it served
        os.close(ready)
        if not served or child.state != STARTING:
            return
        self._timers.pop(child.name).cancel()
        child.become(RUNNING)
        self.log("worker_ready", worker=child.name, worker_pid=child.pid, restarts=child.restarts)
        if child.reload_due:
            child.reload_due = False
            child.signal(signal.SIGHUP)
        if self.state == STARTING and all(c.state == RUNNING for c in self.children):
            self._all_ready()
        self._publish()

    def _all_ready(self) -> None:
        self.state = RUNNING
        notify("READY=1", f"STATUS=serving on {', '.join(address for _, address in self.listeners)}")
        for line in banner.lines(self.config, self.listeners, self.web, self.log_file, os.getpid()):
            plain(line)

    def _on_late(self, child: Child) -> None:
        self.log.error("worker_never_ready", worker=child.name, seconds=START_S)
        child.signal(signal.SIGKILL)

    def _on_death(self, child: Child, pidfd: int) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        assert child.process is not None
        code = child.process.wait()
        if timer := self._timers.pop(child.name, None):
            timer.cancel()
        delay = child.died(code)
        if self.state == STOPPING:
            child.become(STOPPED)
            self._publish()
            if all(c.state == STOPPED for c in self.children):
                self._stopped.set()
            return
        self.log.error("worker_ended", worker=child.name, how=child.last_exit, restart_in=delay)
        if self.log_file:
            plain(f"mxward: {child.name} ended ({child.last_exit}) and is started again; see {self.log_file}")
        self._later(child, delay)

    # -- signals ---------------------------------------------------------------------------------------------

    def _on_hangup(self) -> None:
        """Check the configuration once here, so that a faulty one reaches no worker; then pass the signal on."""
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            config = configuration.load(
                self.options.config_path, data=str(self.config.data), overrides=self.options.overrides
            )
        except ConfigError as error:
            self.log.error("reload_refused", reason=str(error))
        else:
            changed = [name for name in FIXED if getattr(config, name) != getattr(self.config, name)]
            if changed:
                self.log.warning("reload_needs_restart", sections=changed)
            self.log("reload", workers=len(self.children))
            for child in self.children:
                if child.state == RUNNING:
                    child.signal(signal.SIGHUP)
                else:
                    child.reload_due = True
        notify("READY=1")

    def _on_stop(self) -> None:
        if self.state == STOPPING:  # asked twice: at once
            self._kill()
            return
        self.state = STOPPING
        notify("STOPPING=1")
        self.log("stopping", deadline_s=DRAIN_S)
        for child in self.children:
            if child.state == WAITING:
                self._timers.pop(child.name).cancel()
                child.become(STOPPED)
            child.signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(DRAIN_S, self._kill)
        if all(c.state == STOPPED for c in self.children):
            self._stopped.set()
        self._publish()

    def _kill(self) -> None:
        late = [child.name for child in self.children if child.state != STOPPED]
        self.log.warning("killing", workers=late)
        for child in self.children:
            child.signal(signal.SIGKILL)

    # -- the loop --------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        doc = {
            "pid": os.getpid(), "version": __version__, "state": self.state, "started_at": int(self.started_at),
            "listeners": [{"side": side, "address": address} for side, address in self.listeners],
            "console": banner.console_url(self.web), "log": self.log_file,
            "processes": [child.as_dict() for child in self.children],
        }  # fmt: skip
        try:
            datadir.write_atomically(self.config.data / datadir.STATUS_FILE, orjson.dumps(doc))
        except OSError as error:  # a full disk must not end the supervisor
            self.log.error("status_not_written", error=str(error))

    async def run(self) -> int:
        """Keep the workers running until told to stop."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        for child in self.children:
            self._start(child)
        watch = asyncio.create_task(self._watchdog())
        await self._stopped.wait()
        watch.cancel()
        self.log("stopped")
        return 0

    async def _watchdog(self) -> None:
        interval = watchdog_interval()
        while interval:
            notify("WATCHDOG=1")
            await asyncio.sleep(interval)


def _log_target(options: Options, data: Path) -> str:
    """The log file, or "" for standard output."""
    if options.log == "auto":
        return str(data / datadir.LOG_FILE) if sys.stdout.isatty() else ""
    return "" if options.log == "-" else options.log


def run(options: Options) -> int:
    """Everything that `mxward run` does. Returns the exit code.

    Raises ConfigError, StoreError, datadir.AlreadyRunning: before anything was started.
    """
    config = configuration.load(options.config_path, data=options.data, overrides=options.overrides)
    owner = datadir.account(config)
    os.umask(0o027)
    datadir.make(config, owner)
    lock = datadir.lock(config.data)
    log_file = _log_target(options, config.data)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    if options.log == "auto":
        flags |= os.O_NOFOLLOW  # the folder is the service user's, and we may still be root
    output = os.open(log_file, flags, 0o640) if log_file else 1
    supervisor = Supervisor(config, options, output=output, log_file=log_file)
    supervisor.bind()
    if owner:
        if log_file:
            os.fchown(output, owner.uid, owner.gid)
        os.fchown(lock, owner.uid, owner.gid)
        datadir.drop(owner)
    if password := first.prepare_store(config):
        plain(banner.first_start(supervisor.web, password))
    return asyncio.run(supervisor.run())
