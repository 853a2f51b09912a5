"""Delivery status notifications: multipart/report (RFC 3461 to 3464, RFC 6533 for addresses beyond ASCII).

One notification speaks of all recipients of one message that met the same kind of fate in one go. It is written
as bytes here, from scratch, and committed by the store together with the outcome it reports.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from mxward.server.store import api

if TYPE_CHECKING:
    from mxward.server.config import Config
    from mxward.server.delivery.outcome import Notice, Settled
    from mxward.server.store.api import Work

MAX_RETURNED: Final = 100 * 1024  # bytes of the original sent back whole with RET=FULL
MAX_HEADER_RETURNED: Final = 64 * 1024
MAX_LISTED: Final = 100  # recipients one notification lists

_ACTION: Final[dict[str, tuple[str, str]]] = {
    "failed": (
        "Undelivered mail returned to sender",
        "could not be delivered to the recipients below, and will not be tried again",
    ),
    "delayed": (
        "Delayed mail (still being retried)",
        "could not be delivered yet to the recipients below. It is still being tried; you need not send it again",
    ),
    "delivered": ("Successful mail delivery report", "was delivered to the recipients below"),
    "relayed": (
        "Successful mail relay report",
        "was passed on for the recipients below. Their mail system will not report its final delivery",
    ),
}
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")


def build(
    work: Work, notice: Notice, settled: Sequence[Settled], raw: bytes, *, config: Config, queue_id: str, now: int
) -> api.NewMessage:
    """The notification as a message of its own, addressed to the sender of `work`.

    Args: notice: the kind, the same for all of `settled`; raw: the original message; now: microseconds.
    Returns: a NewMessage with the null reverse path, origin "dsn" and parent work.queue_id.
    """
    text = _Builder(work, notice, list(settled)[:MAX_LISTED], raw, config, queue_id, now)
    is_local = work.sender.rpartition("@")[2].lower() in config.domains.local
    return api.NewMessage(
        queue_id=queue_id, received_at=now, direction="inbound" if is_local else "outbound", sender="",
        raw=text.message(), recipients=[api.NewRecipient(work.sender, api.QUEUED, notify="NEVER")],
        trace=b"", helo=config.hostname, protocol="DSN", smtputf8=text.is_international, subject=text.subject,
        body="8BITMIME" if text.is_8bit else "",
        header_from=text.author, message_id=text.message_id, origin="dsn", parent=work.queue_id,
    )  # fmt: skip


class _Builder:
    """Pieces of one notification."""

    def __init__(
        self, work: Work, notice: Notice, settled: list[Settled], raw: bytes, config: Config, queue_id: str, now: int
    ) -> None:
        self._work, self._settled, self._raw = work, settled, raw
        self._host, self._now = config.hostname, now
        self._notice = notice
        self.subject, self._sentence = _ACTION[notice]
        self.author = f"mailer-daemon@{config.postmaster.rpartition('@')[2]}"
        self._postmaster = config.postmaster
        self.message_id = f"<{queue_id}.dsn@{self._host}>"
        self._boundary = f"{queue_id}.{secrets.token_hex(12)}"
        addresses = (work.sender, *(s.recipient.address for s in settled))
        self.is_international = not all(a.isascii() for a in addresses)
        self._original = self._returned()
        self.is_8bit = self.is_international or not self._original.isascii()

    def _safe(self, text: str) -> str:
        """A peer's or an outsider's words, without line breaks, and in ASCII unless the whole is SMTPUTF8."""
        text = _clean(text)[:800]
        return text if self.is_international else text.encode("ascii", "replace").decode("ascii")

    def message(self) -> bytes:
        """The whole message in CRLF form."""
        edge = f"--{self._boundary}\r\n".encode()
        end = f"--{self._boundary}--\r\n".encode()
        parts = (self._head(), edge, self._plain(), edge, self._status(), edge, self._original, end)
        return b"".join(parts)

    def _head(self) -> bytes:
        return _lines(
            f"From: Mail Delivery System <{self.author}>", f"To: {_display(self._work.sender)}",
            f"Subject: {self.subject}", f"Date: {_date(self._now)}", f"Message-ID: {self.message_id}",
            "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;", f'\tboundary="{self._boundary}"',
            *(["Content-Transfer-Encoding: 8bit"] if self.is_8bit else []),
            "", "This is a delivery status notification in MIME format.", "",
        )  # fmt: skip

    def _plain(self) -> bytes:
        lines = [
            f"This is the mail system at {self._host}.", "",
            *_wrap(f"Your message of {_date(self._work.received_at)} {self._sentence}."), "",
        ]  # fmt: skip
        for one in self._settled:
            reason = _wrap(self._safe(_reason(one)), 70)
            lines += [f"  <{_clean(one.recipient.address)}>", *(f"    {line}" for line in reason), ""]
        if self._notice == "delayed":
            until = max(s.will_retry_until for s in self._settled)
            lines += [f"It will be tried until {_date(until)}.", ""]
        lines += [*_wrap(f"For help write to {self._postmaster} and quote the reference {self._work.queue_id}."), ""]
        encoding = "8bit" if self.is_international else "7bit"
        return _lines(
            "Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}",
            "Content-Description: Notification", "", *lines,
        )  # fmt: skip

    def _status(self) -> bytes:
        kind = "global-delivery-status" if self.is_international else "delivery-status"
        encoding = ["Content-Transfer-Encoding: 8bit"] if self.is_international else []
        lines = [f"Content-Type: message/{kind}", *encoding, "Content-Description: Delivery report", ""]
        if self._work.envid:
            lines.append(f"Original-Envelope-Id: {self._safe(_decode_xtext(self._work.envid))}")
        lines += [f"Reporting-MTA: dns; {self._host}", f"Arrival-Date: {_date(self._work.received_at)}", ""]
        for one in self._settled:
            lines += [*self._recipient(one), ""]
        return _lines(*lines)

    def _recipient(self, one: Settled) -> list[str]:
        """The group of one recipient (RFC 3464 section 2.3)."""
        out = []
        if one.recipient.orcpt:
            kind, _, address = one.recipient.orcpt.partition(";")
            out.append(f"Original-Recipient: {self._safe(kind)}; {self._safe(_decode_xtext(address))}")
        out += [
            f"Final-Recipient: {_typed(one.recipient.address)}",
            f"Action: {self._notice}", f"Status: {self._code(one)}",
        ]  # fmt: skip
        if one.diagnostic:
            out += [f"Remote-MTA: dns; {self._safe(_remote(one.outcome.route))}"] if one.outcome.route else []
            out.append(f"Diagnostic-Code: smtp; {self._safe(one.diagnostic)}")
        out.append(f"Last-Attempt-Date: {_date(one.outcome.at)}")
        if self._notice == "delayed":
            out.append(f"Will-Retry-Until: {_date(one.will_retry_until)}")
        return out

    def _code(self, one: Settled) -> str:
        """The class of the status follows the action (RFC 3464 section 2.3.4), except for expiry (4.4.7)."""
        wanted = {"failed": "5", "delayed": "4"}.get(self._notice, "2")
        return one.status if one.status[0] == wanted or one.status == "4.4.7" else f"{wanted}.0.0"

    def _returned(self) -> bytes:
        """The original: whole for RET=FULL of a failed small message, else its header section."""
        raw = self._raw
        whole = self._work.ret == "FULL" and self._notice == "failed" and len(raw) <= MAX_RETURNED
        if not whole:
            end = raw.find(b"\r\n\r\n")
            raw = raw[: end + 2 if end >= 0 else None]
            if len(raw) > MAX_HEADER_RETURNED:
                raw = raw[: raw.rfind(b"\r\n", 0, MAX_HEADER_RETURNED) + 2]
        is_8bit = not raw.isascii()
        kind = ("message/" + ("global" if is_8bit and self.is_international else "rfc822")) if whole else (
            "message/global-headers" if is_8bit and self.is_international else "text/rfc822-headers"
        )  # fmt: skip
        head = _lines(
            f"Content-Type: {kind}", f"Content-Transfer-Encoding: {'8bit' if is_8bit else '7bit'}",
            f"Content-Description: {'Message' if whole else 'Message headers'}", "",
        )  # fmt: skip
        return head + raw + (b"" if raw.endswith(b"\r\n") else b"\r\n") + b"\r\n"


def _lines(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def _clean(text: str) -> str:
    """No line break or control character gets into a field."""
    return _UNPRINTABLE.sub(" ", text).strip()


def _display(address: str) -> str:
    return f"<{_clean(address)}>"


def _typed(address: str) -> str:
    """Address with its type (RFC 3464 section 2.3.2, RFC 6533 section 3)."""
    return f"{'rfc822' if address.isascii() else 'utf-8'}; {_clean(address)}"


def _decode_xtext(text: str) -> str:
    """xtext of RFC 3461 section 4; what is not xtext stays as it is."""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)


def _remote(route: str) -> str:
    """The host of a route, "smtp://HOST:PORT [ADDRESS]"."""
    return _clean(route.partition("://")[2].partition(" ")[0].rpartition(":")[0] or route)


def _reason(one: Settled) -> str:
    said = f"the next hop said: {one.diagnostic}" if one.diagnostic else one.outcome.reply
    if one.status == "4.4.7":
        said = f"delivery time expired; {said}"
    return said


def _wrap(text: str, width: int = 76) -> list[str]:
    out, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            out.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*out, line]


def _date(at_us: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_us / 1e6, UTC))
