"""The real product, started as an administrator starts it: `mxward run --data DIR --config FILE`.

`Product` writes a configuration with free loopback ports, starts the supervisor, waits until every listener greets
and /readyz says yes, tells the process ids of each role, and can kill, stop, restart and ask (`mx`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from mxtest.ports import free_ports, wait_for_banner
from mxtest.proctree import tree

_SCRIPT = Path(sys.executable).parent / "mxward"
MXWARD = [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "mxward.server.cli.main"]


@dataclass(frozen=True, slots=True)
class Route:
    """One [[route]] table."""

    domain: str
    via: tuple[str, ...]
    tls: str = "none"
    max_connections: int = 20

    def to_toml(self) -> str:
        via = ", ".join(f'"{v}"' for v in self.via)
        return (
            f'[[route]]\ndomain = "{self.domain}"\nvia = [{via}]\ntls = "{self.tls}"\n'
            f"max_connections = {self.max_connections}\n"
        )


@dataclass
class Settings:
    """What a test may choose; everything else is the product's default."""

    routes: list[Route] = field(default_factory=list)  # none: Maildirs
    domains: tuple[str, ...] = ("trust.example",)
    workers: int = 2
    store_url: str = "sqlite"
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)  # e.g. {"smtp.limits": {"max_errors": 5}}
    environment: dict[str, str] = field(default_factory=dict)

    def to_toml(self, inbound: int, outbound: int, web: int) -> str:
        tables: dict[str, dict[str, Any]] = {
            "server": {"hostname": "mx.trust.example", "workers": self.workers},
            "domains": {"local": list(self.domains)},
            "store": {"url": self.store_url},
            "delivery": {"retry_first": 1.0, "retry_max": 5.0},
            "web": {"address": f"127.0.0.1:{web}"},
        }
        for name, values in self.sections.items():
            tables.setdefault(name, {}).update(values)
        lines = []
        for name, values in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]
        for port, side in ((inbound, "inbound"), (outbound, "outbound")):
            lines += ["[[listener]]", f'address = "127.0.0.1:{port}"', f'side = "{side}"', ""]
        return "\n".join(lines) + "\n" + "\n".join(route.to_toml() for route in self.routes)


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process as /proc tells it."""

    pid: int
    role: str
    index: int


class Product:
    """The running product; a context manager. `inbound`, `outbound` and `web` are its ports."""

    def __init__(self, directory: Path, settings: Settings | None = None, *, data: Path | None = None) -> None:
        self.directory, self.settings = directory, settings or Settings()
        self.data = data or directory / "data"
        self.config = directory / "mxward.toml"
        self.log = directory / "mxward.log"
        self.inbound, self.outbound, self.web = free_ports(3)
        self.process: subprocess.Popen[bytes] | None = None
        self.write_config()

    def write_config(self) -> None:
        """Write the configuration again, after `settings` changed."""
        self.config.write_text(self.settings.to_toml(self.inbound, self.outbound, self.web))

    # -- life

    def start(self, timeout: float = 60.0) -> Product:
        """Start the supervisor and wait until the product is ready. Raises RuntimeError with the log's end."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MXWARD_")}
        environment |= {"PYTHONSAFEPATH": "1", **self.settings.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*MXWARD, "run", "--data", str(self.data), "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
            )  # fmt: skip
        try:
            self.wait_ready(timeout)
        except TimeoutError as error:
            tail = self.log_tail()
            self.kill()
            raise RuntimeError(f"the product did not become ready: {error}\n{tail}") from None
        return self

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait for both listeners and /readyz. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        for port in (self.inbound, self.outbound):
            while True:
                if self.process and self.process.poll() is not None:
                    raise TimeoutError(f"the supervisor ended with status {self.process.returncode}")
                try:
                    wait_for_banner(port, 1.0)
                    break
                except TimeoutError:
                    if time.monotonic() > deadline:
                        raise
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"/readyz: {self.http('/readyz')}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        return self.http("/readyz")[0] == 200

    def http(self, path: str, timeout: float = 10.0) -> tuple[int, str]:
        """Status and text of a GET at the console's port; (0, fault) when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace")
        except OSError as error:
            return 0, str(error)

    def log_tail(self, size: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def stop(self, timeout: float = 30.0) -> int:
        """Orderly end by SIGTERM; returns the exit status. Kills the tree and raises when it hangs."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            tail = self.log_tail()
            self.kill()
            raise RuntimeError(f"the product did not stop within {timeout} s\n{tail}") from None
        finally:
            self.process = None

    def kill(self) -> None:
        """SIGKILL of the supervisor and every worker: what a power button does to processes."""
        if self.process is None:
            return
        members = [row.pid for row in tree(self.process.pid)]
        workers = [worker.pid for worker in self.workers()]
        for pid in {*members, *workers}:
            kill_quietly(pid)
        self.process.wait(10)
        self.process = None

    def restart(self) -> None:
        """Start again after `stop` or `kill`, on the same data."""
        self.start()

    # -- processes

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self.process is not None, "not running"
        return self.process.pid

    def workers(self, role: str = "") -> list[Worker]:
        """Living workers of this product, of one role or all, orphans of a killed supervisor included."""
        found = []
        mine = str(self.data).encode()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                environment = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            text = next((v[15:] for v in environment.split(b"\0") if v.startswith(b"MXWARD_PROCESS=")), b"")
            if mine in text:
                doc = orjson.loads(text)
                if doc.get("data") == str(self.data) and role in ("", doc["role"]):
                    found.append(Worker(int(entry), doc["role"], doc.get("index", 0)))
        return sorted(found, key=lambda w: (w.role, w.index))

    # -- questions

    def mx(self, *arguments: str, timeout: float = 60.0, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run `mxward ARGUMENTS` against this product's data and configuration."""
        command = [*MXWARD, *arguments, "--data", str(self.data), "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"mxward {' '.join(arguments)}: status {done.returncode}\n{done.stderr}{done.stdout}")
        return done

    def ledger(self) -> dict[str, Any]:
        """`mxward ledger verify --json`; also when it finds the ledger inconsistent."""
        done = self.mx("ledger", "verify", "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"ledger verify: status {done.returncode}\n{done.stderr}{done.stdout}") from None

    def wait_settled(self, timeout: float = 120.0) -> dict[str, Any]:
        """Wait until nothing is queued any more; returns the ledger. Raises TimeoutError with it."""
        deadline = time.monotonic() + timeout
        while True:
            ledger = self.ledger()
            if ledger["queued"] == 0:
                return ledger
            if time.monotonic() > deadline:
                raise TimeoutError(f"still queued after {timeout} s: {ledger}\n{self.log_tail()}")
            time.sleep(0.25)

    def __enter__(self) -> Product:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()


def kill_quietly(pid: int, number: int = signal.SIGKILL) -> bool:
    """Send a signal; False when the process has gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def route_to(port: int, *, domain: str = "*", host: str = "127.0.0.1", **more: Any) -> Route:
    """A smart-host route to a loopback port."""
    return Route(domain, (f"smtp://{host}:{port}",), **more)


def lost(acked: set[tuple[str, str]], seen: Sequence[tuple[str, str]] | set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs that were acknowledged and never seen."""
    return sorted(acked - set(seen))
