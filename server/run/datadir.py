"""The data directory: its tree and permissions, the lock that keeps a second gateway out, the user to run as.

What the parts hold is their owners' business: the store makes keys, spool and database itself.
"""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.errors import ConfigError
from mxward.server.config import Config

# name -> mode. Bodies are encrypted at rest, and keys, log and run are still nobody else's business.
TREE: Final = {
    "run": 0o750, "run/metrics": 0o750, "keys": 0o700, "tls": 0o750, "spool": 0o750, "maildir": 0o750, "rules": 0o750,
    "log": 0o750, "classifier": 0o750,
}  # fmt: skip
PID_FILE: Final = "run/mxward.pid"
STATUS_FILE: Final = "run/status.json"
LOG_FILE: Final = "log/mxward.jsonl"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the gateway runs as once its ports are bound."""

    uid: int
    gid: int
    name: str


def account(config: Config) -> Account | None:
    """The account to drop to: server.user, when we are root. Raises ConfigError for unknown names."""
    if not config.server.user or os.geteuid() != 0:
        return None
    try:
        user = pwd.getpwnam(config.server.user)
    except KeyError:
        raise ConfigError(f"there is no user {config.server.user!r}", key="server.user") from None
    try:
        gid = grp.getgrnam(config.server.group).gr_gid if config.server.group else user.pw_gid
    except KeyError:
        raise ConfigError(f"there is no group {config.server.group!r}", key="server.group") from None
    return Account(user.pw_uid, gid, user.pw_name)


def make(config: Config, owner: Account | None) -> None:
    """Make what is missing of the tree; raise ConfigError with the reason when that cannot be."""
    data = config.data
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o750)
        for name, mode in TREE.items():
            path = data / name
            path.mkdir(exist_ok=True, mode=mode)
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fchmod(fd, mode)
            finally:
                os.close(fd)
        if config.log.pseudonymise:
            _make_key(data / "keys" / "pseudonym.key")
        if owner:
            _give(data, owner)
    except OSError as error:
        raise ConfigError(f"cannot be prepared: {error}", key="server.data_dir", file="") from None


def _make_key(path: Path) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    with os.fdopen(fd, "wb") as file:
        file.write(secrets.token_bytes(32))


def _give(data: Path, owner: Account) -> None:
    """Hand over what root owns (a first start as root, then as a service); symbolic links are not followed."""
    for folder, folders, files in os.walk(data):
        for path in (folder, *(os.path.join(folder, name) for name in (*folders, *files))):
            if os.lstat(path).st_uid != owner.uid:
                os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def drop(owner: Account) -> None:
    """Become `owner` for good: nothing of root is kept."""
    os.setgroups([])
    os.setgid(owner.gid)
    os.setuid(owner.uid)
    os.environ["HOME"] = "/"


class AlreadyRunning(Exception):
    """Another supervisor holds the lock of this data directory; `pid` is 0 when it cannot be told."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        super().__init__(f"process {pid}")


def lock(data: Path, *, patience: float = 1.0) -> int:
    """Take the lock and write our pid into it; returns the descriptor to keep open.

    The lock goes with the process, however it ends, so a stale file never hinders. `patience` covers the moment
    in which a killed predecessor is being cleared away. Raises AlreadyRunning.
    """
    # No link is followed: the folder is the service user's, and we may still be root.
    fd = os.open(data / PID_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    if os.fstat(fd).st_nlink != 1:
        os.close(fd)
        raise ConfigError(f"{data / PID_FILE} has another name elsewhere; remove it", key="server.data_dir")
    deadline = time.monotonic() + patience
    while not _try_lock(fd, fcntl.LOCK_EX):
        if time.monotonic() >= deadline:
            pid = _read_pid(fd)
            os.close(fd)
            raise AlreadyRunning(pid)
        time.sleep(0.02)
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def running_pid(data: Path) -> int:
    """Process id of the supervisor of this data directory; 0 when none runs."""
    try:
        fd = os.open(data / PID_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return 0 if _try_lock(fd, fcntl.LOCK_SH) else _read_pid(fd)
    finally:
        os.close(fd)


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_pid(fd: int) -> int:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def write_atomically(path: Path, data: bytes) -> None:
    """Readers see the old or the new content, never a half. Not durable: for what a restart makes anew."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    temporary.replace(path)
