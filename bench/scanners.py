"""Whole scanners as peers: rspamd over HTTP and spamd over its own protocol, each a private instance on loopback.

Both run with Debian's own rules and two workers, and without what asks the network (rspamd: its modules for DNS and
fuzzy hashes are off; spamd: -L), so that what is measured is computing. Not here: the comparison (wholes.py).
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType

from mxtest.ports import free_port
from mxtest.proctree import tree, tree_cpu_seconds

RSPAMD, SPAMD = "/usr/bin/rspamd", "/usr/sbin/spamd"
NETWORK_MODULES = ("arc", "asn", "dkim", "dmarc", "fuzzy_check", "mx_check", "rbl", "spf", "url_redirector")
START_S = 120.0  # rspamd compiles its expressions at first start
_RSPAMD_CONF = """
.include "/etc/rspamd/common.conf"
options {{
  pidfile = "{base}/rspamd.pid";
  .include "/etc/rspamd/options.inc"
  dns {{ nameserver = ["127.0.0.1:9:10"]; timeout = 0.01s; retransmits = 1; }}
}}
logging {{ type = "file"; filename = "{base}/rspamd.log"; level = "error"; .include "/etc/rspamd/logging.inc" }}
worker {{ "normal" {{ bind_socket = "127.0.0.1:{port}"; count = {workers}; mime = true; }} }}
worker {{ "controller" {{ bind_socket = "127.0.0.1:{control}"; }} }}
"""


class _Private(ABC):
    """A process of its own in a directory of its own, ended with all its children."""

    def __init__(self, command: list[str], base: Path, environment: dict[str, str] | None = None) -> None:
        self._base = base
        with (base / "out.log").open("wb") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, start_new_session=True, env={**os.environ, **(environment or {})}
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far."""
        return tree_cpu_seconds(self.pid)

    def wait_until_ready(self, message: bytes) -> None:
        """Scan until it answers and its processes have come to rest. Raises TimeoutError."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.scan(message)
                break
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise TimeoutError(f"the peer does not answer; its words: {self.words()}") from None
                time.sleep(0.2)
        before = -1.0
        while time.monotonic() < deadline and (now := self.cpu_seconds()) > before + 0.05:
            before = now
            time.sleep(1.0)

    @abstractmethod
    def scan(self, message: bytes) -> bytes:
        """The reply of one scan. May be called from several threads."""

    def words(self) -> str:
        """The last lines it wrote."""
        return (self._base / "out.log").read_text(errors="replace")[-500:]

    def close(self) -> None:
        for row in tree(self.pid)[::-1]:
            try:
                os.kill(row.pid, 15)
            except ProcessLookupError:
                continue
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self._base, ignore_errors=True)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class Rspamd(_Private):
    """rspamd with Debian's configuration, asked by `POST /checkv2`."""

    def __init__(self, workers: int = 2) -> None:
        base = Path(tempfile.mkdtemp(prefix="mxward-rspamd-"))
        self._port = free_port()
        text = _RSPAMD_CONF.format(base=base, port=self._port, control=free_port(), workers=workers)
        (base / "rspamd.conf").write_text(text)
        for folder in ("db", "local.d", "override.d"):
            (base / folder).mkdir()
        for module in NETWORK_MODULES:
            (base / "override.d" / f"{module}.conf").write_text("enabled = false;\n")
        places = {"DBDIR": base / "db", "RUNDIR": base, "LOGDIR": base, "LOCAL_CONFDIR": base}
        variables = [f"--var={name}={place}" for name, place in places.items()]
        super().__init__([RSPAMD, "-f", "-i", "-c", str(base / "rspamd.conf"), *variables], base)

    def scan(self, message: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", "/checkv2", message)
            return connection.getresponse().read()
        finally:
            connection.close()

    def __enter__(self) -> Rspamd:
        return self


class Spamd(_Private):
    """spamd with Debian's rules and local tests only, asked by SPAMC/1.5 CHECK."""

    def __init__(self, workers: int = 2) -> None:
        base = Path(tempfile.mkdtemp(prefix="mxward-spamd-"))
        self._port = free_port()
        command = [
            SPAMD, "-L", "-x", "-i", "127.0.0.1", "-p", str(self._port), f"--max-children={workers}",
            f"--min-children={workers}", f"--min-spare={workers}", f"--max-spare={workers}", "-H", str(base),
            "-s", "null", "--max-conn-per-child=100000", f"--pidfile={base / 'spamd.pid'}",
        ]  # fmt: skip
        super().__init__(command, base, {"HOME": str(base)})

    def scan(self, message: bytes) -> bytes:
        head = f"CHECK SPAMC/1.5\r\nContent-length: {len(message)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", self._port), 120) as link:
            link.sendall(head + message)
            link.shutdown(socket.SHUT_WR)
            reply = b""
            while block := link.recv(65536):
                reply += block
        if not reply.startswith(b"SPAMD/"):
            raise OSError(f"unexpected reply of spamd: {reply[:80]!r}")
        return reply

    def __enter__(self) -> Spamd:
        return self


def available() -> list[type[Rspamd] | type[Spamd]]:
    """The peers whose Debian packages are installed."""
    return [kind for kind, tool in ((Rspamd, RSPAMD), (Spamd, SPAMD)) if Path(tool).exists()]
