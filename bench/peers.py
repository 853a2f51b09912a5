"""Load tools and the reference stack: Postfix's smtp-source and smtp-sink, and a private Postfix instance.

The reference is Postfix as Debian configures it: durable queue, no content filter, relaying everything to one
next hop. Nothing is tuned for or against it. Not here: the runs and their arithmetic (endtoend.py).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from mxtest.ports import free_port, wait_for_banner

TOOLS = ("/usr/sbin/smtp-source", "/usr/sbin/smtp-sink", "/usr/sbin/postfix")


def missing_tools() -> list[str]:
    """Debian tools that the end-to-end benchmark needs and that are not there."""
    return [tool for tool in TOOLS if not Path(tool).exists()]


class SmtpSink:
    """smtp-sink with running counters: how many messages have really arrived."""

    def __init__(self, backlog: int = 1000) -> None:
        self.port = free_port()
        drop = ["-u", "postfix"] if os.geteuid() == 0 else []  # it insists when started as root
        self._process = subprocess.Popen(
            ["/usr/sbin/smtp-sink", "-c", *drop, f"127.0.0.1:{self.port}", str(backlog)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._n = 0
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        wait_for_banner(self.port)

    def _read(self, stream: IO[bytes]) -> None:
        tail = b""
        while block := stream.read1(65536):  # type: ignore[attr-defined]  # a BufferedReader has it
            tail = (tail + block)[-200:]
            seen = re.findall(rb"mesg=(\d+)", tail)
            if seen:
                self._n = int(seen[-1])

    @property
    def n_messages(self) -> int:
        return self._n

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, n: int, timeout: float) -> float:
        """Wait until `n` messages have arrived; returns the monotonic time of that. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while self._n < n:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._n} of {n} messages arrived within {timeout:.0f} s")
            time.sleep(0.005)
        return time.monotonic()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(5)

    def __enter__(self) -> SmtpSink:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def smtp_source(port: int, *, n: int, sessions: int, size: int, rcpt: str, timeout: float) -> None:
    """Send `n` messages of about `size` bytes over `sessions` parallel sessions, one message a connection.

    Raises CalledProcessError when the stack under test refused or dropped one.
    """
    command = [
        "/usr/sbin/smtp-source", "-s", str(sessions), "-m", str(n), "-l", str(size), "-f", "bench@sender.example",
        "-t", rcpt, "-M", "client.sender.example", f"127.0.0.1:{port}",
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=timeout, capture_output=True)


MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = reference.bench.example
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
smtpd_recipient_restrictions = permit_mynetworks, reject
alias_maps =
alias_database =
local_recipient_maps =
smtp_tls_security_level = none
smtpd_tls_security_level = none
"""


class PostfixAlone:
    """A private Postfix: own configuration, queue and data directories, one loopback port, relaying to a sink."""

    def __init__(self, sink_port: int, parent: Path | None = None) -> None:
        self.port = free_port()
        self.root = Path(tempfile.mkdtemp(prefix="mxward-postfix-", dir=parent))
        self.root.chmod(0o755)
        self._write(sink_port)
        self._command("start")
        wait_for_banner(self.port)
        self.pid = int((self.root / "queue/pid/master.pid").read_text().split()[0])

    def _write(self, sink_port: int) -> None:
        conf = self.root / "conf"
        for directory in (conf, self.root / "queue", self.root / "data"):
            directory.mkdir()
        shutil.chown(self.root / "data", "postfix", "postfix")
        (conf / "main.cf").write_text(MAIN_CF.format(root=self.root, sink=sink_port))
        stock = Path("/usr/share/postfix/master.cf.dist").read_text()
        lines = []
        for line in stock.splitlines():
            words = line.split()
            if line.startswith("#") or not words:
                continue
            if words[:2] == ["smtp", "inet"]:
                words[0] = f"127.0.0.1:{self.port}"
            if words[0] in ("maildrop", "uucp", "ifmail", "bsmtp", "scalemail-backend", "mailman") or line[0].isspace():
                continue  # pipes to programs that are not part of the comparison
            if len(words) > 4:
                words[4] = "n"  # no chroot: there is no jail below a private queue directory
            lines.append(" ".join(words))
        (conf / "master.cf").write_text("\n".join(lines) + "\n")

    def _command(self, verb: str) -> None:
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.root / "conf"), verb], capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise RuntimeError(f"postfix {verb}: {done.stderr.strip()} {done.stdout.strip()}")

    def queue_is_empty(self) -> bool:
        """No message file in any queue."""
        queues = ("maildrop", "incoming", "active", "deferred")
        return not any(p.is_file() for q in queues for p in (self.root / "queue" / q).rglob("*"))

    def close(self) -> None:
        self._command("stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> PostfixAlone:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
