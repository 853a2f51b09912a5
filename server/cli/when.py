"""Points in time as people type them on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from mxward.server.services.errors import BadRequest

_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_when(text: str, now_us: int) -> int:
    """ "2h", "7d" (ago), "2026-01-31" or "2026-01-31T09:00" (UTC unless it says otherwise) as microseconds.

    "" is 0. Raises BadRequest.
    """
    if not text:
        return 0
    if ago := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return now_us - int(ago[1]) * _UNITS[ago[2]] * 1_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{text!r} is not a time: 2026-01-31, 2026-01-31T09:00, 30m, 2h, 7d or 2w") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000)
