"""From the configuration to a pool: user, limits, where the pool reports what its workers give up."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mxward.core.limits import MAX_CHILD_BYTES, OPENING_DEADLINE_S
from mxward.server.config import Config, Sandbox
from mxward.server.log import Log
from mxward.server.sandbox import report
from mxward.server.sandbox.client import Asked
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.report import Report
from mxward.server.sandbox.restrict import Limits
from mxward.server.sandbox.session import RECORDS

USERS: Final = ("mxward-sandbox", "nobody")  # the first that there is


def asked(settings: Sandbox) -> Asked:
    """How templates are to be."""
    limits = Limits(settings.memory_bytes, MAX_CHILD_BYTES + RECORDS, int(OPENING_DEADLINE_S) + 1)
    uid, gid = _user(settings.user)
    return Asked(limits, uid, gid, settings.ocr)


def _user(name: str) -> tuple[int, int]:
    """Whom to become, by numbers; (-1, -1): only root can become another user."""
    if os.geteuid() != 0:
        return -1, -1
    for known in (name,) if name else USERS:
        try:
            entry = pwd.getpwnam(known)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    return 65534, 65534


def pool_of(config: Config, process: str, log: Log | None = None) -> SandboxPool:
    """The pool of a process of the gateway: what its workers give up is left for `mxward status`."""

    def publish(found: Report) -> None:
        try:
            report.write(config.data, process, found)
        except OSError as error:  # a full disk must not stop mail
            if log is not None:
                log.error("sandbox_report_not_written", error=str(error))

    return SandboxPool(asked(config.sandbox), config.sandbox.idle, log, publish)


def small_pool(settings: Sandbox, on_report: Callable[[Report], None] | None = None) -> SandboxPool:
    """A pool for a command or a service that opens attachments now and then, one at a time. It logs nothing."""
    return SandboxPool(asked(settings), idle=1, on_report=on_report)


def forget(data: Path, process: str) -> None:
    """Take a report away: its process ends."""
    (data / "run" / f"sandbox.{process}.json").unlink(missing_ok=True)
