"""A private Dovecot that takes mail by LMTP: own directories, a free loopback port and a unix socket.

Mailboxes are Maildirs below `root/mail/USER@DOMAIN`; the users are those given, everybody else is unknown.
"""

from __future__ import annotations

import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pytest

from mxtest.ports import free_port, wait_for_banner

BINARY = Path("/usr/sbin/dovecot")
LMTP = Path("/usr/lib/dovecot/lmtp")
_OWNER = "nobody"  # of the mailboxes: Dovecot delivers as root never

_CONF = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log/dovecot.log
protocols = lmtp
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
mail_location = maildir:{root}/mail/%u
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = passwd-file
  args = username_format=%u {root}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {root}/users
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def need_dovecot() -> None:
    """Skip, saying what is missing."""
    absent = [str(p) for p in (BINARY, LMTP) if not p.exists()]
    if absent:
        pytest.skip(f"missing from Debian's dovecot-lmtpd: {', '.join(absent)}")


class Dovecot:
    """A context manager; needs root, as Dovecot does."""

    def __init__(self, users: Sequence[str]) -> None:
        self.port = free_port()
        self.root = Path(tempfile.mkdtemp(prefix="mxward-dovecot-"))
        self.root.chmod(0o755)
        self.socket = self.root / "run" / "lmtp"
        owner = pwd.getpwnam(_OWNER)
        for name in ("run", "state", "log", "mail"):
            (self.root / name).mkdir()
        shutil.chown(self.root / "mail", _OWNER)
        lines = [f"{user}:{{PLAIN}}x:{owner.pw_uid}:{owner.pw_gid}::{self.root}/mail/{user}::\n" for user in users]
        (self.root / "users").write_text("".join(lines))
        (self.root / "dovecot.conf").write_text(_CONF.format(root=self.root, port=self.port))

    def __enter__(self) -> Dovecot:
        self._process = subprocess.Popen(
            [str(BINARY), "-F", "-c", str(self.root / "dovecot.conf")], stderr=subprocess.PIPE, text=True
        )
        try:
            wait_for_banner(self.port)
        except TimeoutError as error:
            self.close()
            raise RuntimeError(f"dovecot does not start: {error}\n{self.log()}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        if self._process.stderr:
            self._process.stderr.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self) -> str:
        path = self.root / "log" / "dovecot.log"
        return path.read_text() if path.exists() else "(no log)"

    def messages(self, user: str, n: int = 1, timeout: float = 20.0) -> list[bytes]:
        """The files of a mailbox once there are `n`; line ends as Dovecot stores them (LF)."""
        deadline = time.monotonic() + timeout
        while True:
            found = sorted((self.root / "mail" / user / "new").glob("*"))
            if len(found) >= n:
                return [p.read_bytes() for p in found]
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {n} messages for {user}\n{self.log()}")
            time.sleep(0.05)
