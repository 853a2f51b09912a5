"""Structured logs: one JSON object a line on standard output; never bodies.

`log("accepted", queue_id=..., rcpts=3)` costs under a microsecond beyond the write. Addresses and subjects are
replaced by keyed pseudonyms when the configuration says so.
"""

from __future__ import annotations

import hmac
import os
import sys
import traceback
from typing import Any, Final

import orjson

from mxward.server.clock import SYSTEM_CLOCK

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# Fields that hold personal data and are pseudonymised on request.
PERSONAL: Final = frozenset(("sender", "rcpt", "rcpts", "subject", "auth_user", "header_from"))


class Log:
    """A logger bound to a process. `fd` is where lines go; a full or closed pipe never stops mail."""

    def __init__(self, process: str, *, level: str = "info", fd: int = 1, pseudonym_key: bytes = b"") -> None:
        self.process, self._threshold, self._fd, self._key = process, LEVELS[level], fd, pseudonym_key

    def __call__(self, event: str, **fields: Any) -> None:
        self.write("info", event, fields)

    def debug(self, event: str, **fields: Any) -> None:
        self.write("debug", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self.write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self.write("error", event, fields)

    def exception(self, event: str, error: BaseException, **fields: Any) -> None:
        """An unexpected error with its trace: a bug or a broken box."""
        trace = "".join(traceback.format_exception(error))[-4000:]
        self.write("error", event, {**fields, "error": repr(error)[:500], "trace": trace})

    def write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if LEVELS[level] < self._threshold:
            return
        if self._key:
            fields = {k: self._pseudonym(v) if k in PERSONAL else v for k, v in fields.items()}
        now = SYSTEM_CLOCK.now().isoformat(timespec="microseconds")
        record = {"time": now, "level": level, "process": self.process, "event": event, **fields}
        try:
            os.write(self._fd, orjson.dumps(record, default=repr, option=orjson.OPT_NON_STR_KEYS) + b"\n")
        except (OSError, orjson.JSONEncodeError):
            pass  # a log reader that went away must not stop mail

    def _pseudonym(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._pseudonym(v) for v in value]
        return "p:" + hmac.digest(self._key, str(value).encode("utf-8", "replace"), "sha256").hex()[:16]


def plain(message: str) -> None:
    """A line for the person at the terminal, on standard error."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the terminal is the purpose
