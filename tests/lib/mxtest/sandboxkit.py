"""Helpers of the tests of the sandbox: settings, asking, and reading what came back."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mxward.core.extract import reply
from mxward.core.extract.opener import Budget, Opened, Request
from mxward.server.sandbox.client import Asked
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.restrict import Limits

HOSTILE = "mxtest.hostiletemplate"
BYTES = 4 << 20


def asked(**changes: Any) -> Asked:
    """Small limits, an unprivileged user, readers that do harm."""
    uid = 65534 if os.geteuid() == 0 else -1
    settings: dict[str, Any] = {"uid": uid, "gid": uid, "module": HOSTILE, "limits": Limits(64 << 20, 24 << 20, 6)}
    return Asked(**{**settings, **changes})


def request(reader: str, cpu_s: float = 1.0, size: int = BYTES, **more: Any) -> Request:
    """An attachment for one of the readers of hostiletemplate."""
    return Request(f"test/{reader}", "application/octet-stream", ("a.bin",), Budget(size, 100, 4, cpu_s), **more)


@dataclass
class Boxed:
    """A pool and its log."""

    pool: SandboxPool
    log: Path
    fd: int

    def open(self, reader: str, data: bytes = b"", seconds: float = 10.0, **more: Any) -> Opened:
        """One attachment in a session of its own."""
        with self.pool.session(seconds) as session:
            return session.open(request(reader, **more), data)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of the log."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"] == name]


def records(opened: Opened) -> list[reply.Record]:
    """What was told, without content."""
    return [record for record, _ in reply.read(opened.frames)]


def facts(opened: Opened) -> dict[str, str]:
    """What was stated."""
    return {record.key: record.value for record in records(opened) if isinstance(record, reply.Fact)}


def contents(opened: Opened) -> list[bytes]:
    """What was found inside."""
    return [bytes(content) for record, content in reply.read(opened.frames) if isinstance(record, reply.Child)]


def unseen(opened: Opened) -> list[str]:
    """Reasons told for what could not be inspected."""
    return [record.reason for record in records(opened) if isinstance(record, reply.Unseen)]


def has_ended(opened: Opened) -> bool:
    """Was everything looked at?"""
    told = records(opened)
    return bool(told) and isinstance(told[-1], reply.End)


def status_of(pid: int) -> dict[str, str]:
    """/proc/PID/status as a dictionary."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def children_of(pid: int) -> list[int]:
    """Its child processes, zombies included."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
