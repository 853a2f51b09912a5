"""Our trace field: `Received:` as RFC 5321 section 4.4 has it, folded, with nothing in it that could break a line."""

from __future__ import annotations

import re
import time
from functools import lru_cache

from mxward.core.message import Envelope

_UNSAFE = re.compile(r"[^!-~]|[()<>\\\"]")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    """RFC 5322 section 3.3 date-time in UTC; many messages share a second."""
    t = time.gmtime(second)
    day, month = _WEEKDAYS[t.tm_wday], _MONTHS[t.tm_mon - 1]
    return f"{day}, {t.tm_mday} {month} {t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} +0000"


def _safe(text: str) -> str:
    return _UNSAFE.sub("?", text)[:255]


def received(envelope: Envelope, hostname: str, at_us: int) -> bytes:
    """The field with its final CRLF. `for` is given for a single recipient only, so that none learns of another."""
    ip = envelope.client_ip
    literal = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
    name = f"{_safe(envelope.client_name)} " if envelope.client_name else ""
    lines = [f"Received: from {_safe(envelope.helo) or 'unknown'} ({name}{literal})"]
    if envelope.tls:
        lines.append(f"\t(using {_UNSAFE.sub(' ', envelope.tls)[:100]})")
    if envelope.auth_user:
        lines.append("\t(authenticated)")
    lines.append(f"\tby {hostname} (mxward) with {envelope.protocol} id {envelope.queue_id}")
    rcpts = envelope.recipients
    # A quoted local part may hold what a careless reader takes for structure; such a recipient is left out.
    if len(rcpts) == 1 and rcpts[0].address.isascii() and not _UNSAFE.search(rcpts[0].address):
        lines.append(f"\tfor <{rcpts[0].address}>")
    lines[-1] += ";"
    lines.append(f"\t{_date(at_us // 1_000_000)}")
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")
