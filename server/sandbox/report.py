"""Which restrictions the workers of a sandbox have, as text: from a worker's HELLO, to and from a file in DATA/run."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from mxward.server.sandbox.restrict import ACTIVE, RESTRICTIONS

_FILES: Final = "sandbox.*.json"


class Report(msgspec.Struct, frozen=True):
    """Names of restrictions: those active, and those missing with the kernel's reason (such as "EPERM")."""

    active: list[str]
    missing: dict[str, str]

    @classmethod
    def of(cls, hello: bytes) -> Report:
        """What a worker said; what it did not say is missing."""
        codes = dict(zip(RESTRICTIONS, hello.ljust(len(RESTRICTIONS), b"\xff"), strict=False))
        active = [name for name, code in codes.items() if code == ACTIVE]
        missing = {name: errno.errorcode.get(code, "unknown") for name, code in codes.items() if code != ACTIVE}
        return cls(active, missing)


def write(data: Path, process: str, report: Report) -> None:
    """Leave a report for `mxward status`. Raises: OSError."""
    path = data / "run" / f"sandbox.{process}.json"
    temporary = path.with_suffix(".new")
    temporary.write_bytes(msgspec.json.encode({"pid": os.getpid(), **msgspec.to_builtins(report)}))
    temporary.replace(path)


def read(data: Path) -> dict[str, Any] | None:
    """What holds for all processes that run a sandbox now: {"active": [texts], "missing": {text: reason}}; None
    when none does.
    """
    found = [report for path in sorted((data / "run").glob(_FILES)) if (report := _read(path)) is not None]
    if not found:
        return None
    missing = {name: reason for report in found for name, reason in report.missing.items()}
    return {
        "active": [text for name, text in RESTRICTIONS.items() if name not in missing],
        "missing": {text: missing[name] for name, text in RESTRICTIONS.items() if name in missing},
    }


class _Stored(Report, frozen=True):
    pid: int = 0


def _read(path: Path) -> Report | None:
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except (OSError, msgspec.DecodeError):
        return None
    return stored if os.path.exists(f"/proc/{stored.pid}") else None
