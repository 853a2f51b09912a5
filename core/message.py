"""Envelope, Message, Part: the one object that travels down the straight line.

Each attribute of Message is set by exactly one stage (named beside it) and never rewritten. Parts are views
into one immutable buffer; decoded bytes are made on first use and die with the message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mxward.core.verdict import Disposition, Hit, NotInspected, Verdict
    from mxward.pyx.mime import Mime

INBOUND, OUTBOUND, INTERNAL = "inbound", "outbound", "internal"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT: the address as given, and its DSN parameters (RFC 3461) undecoded."""

    address: str
    notify: str = ""  # "" (default: failure, delay), "NEVER" or a comma list of SUCCESS, FAILURE, DELAY
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the SMTP transaction said, plus what is known of the client. Addresses without angle brackets."""

    sender: str  # "" is the null reverse-path
    recipients: tuple[Recipient, ...]
    direction: str = INBOUND
    queue_id: str = ""
    received_at: datetime | None = None  # aware, UTC
    client_ip: str = ""
    client_name: str = ""  # verified reverse name, "" when unknown
    helo: str = ""
    protocol: str = "SMTP"  # SMTP, ESMTP, ESMTPS, ESMTPSA, UTF8SMTP... (RFC 3848, RFC 6531)
    tls: str = ""  # "TLSv1.3 TLS_AES_256_GCM_SHA384", "" for plain text
    auth_user: str = ""
    body: str = ""  # "", "7BIT", "8BITMIME", "BINARYMIME"
    smtputf8: bool = False
    ret: str = ""  # "", "FULL", "HDRS" (RFC 3461)
    envid: str = ""


class Part:
    """One scanned entity: a MIME part, one reading of an ambiguous part, or a child found inside a container.

    index: position in Message.parts; parent: index of the enclosing part or -1; reading: 0 for the reading
    of RFC 2045-2049, above 0 for what some mail clients would see instead. `data` is the decoded content.
    """

    __slots__ = (
        "_sha256", "charset", "child_path", "content_type", "data", "depth", "disposition", "encoding", "index",
        "names", "parent", "reading", "text", "true_type",
    )  # fmt: skip

    def __init__(
        self, index: int, *, parent: int = -1, depth: int = 0, content_type: str = "text/plain",
        charset: str = "", encoding: str = "7bit", disposition: str = "", names: tuple[str, ...] = (),
        data: bytes | memoryview = b"", reading: int = 0, child_path: str = "",
    ) -> None:  # fmt: skip
        self.index, self.parent, self.depth, self.reading = index, parent, depth, reading
        self.content_type, self.charset, self.encoding = content_type, charset, encoding
        self.disposition, self.names, self.data = disposition, names, data
        self.child_path = child_path  # "invoice.zip/payload.exe" for children of containers, else ""
        self.text = b""  # extract: readable text of a document, UTF-8
        self.true_type = ""  # set by extract from content, e.g. "application/x-dosexec"; "" when unknown
        self._sha256: str | None = None

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def sha256(self) -> str:
        """Hex digest of the decoded content, computed once."""
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self.data).hexdigest()
        return self._sha256

    def to_dict(self) -> dict[str, Any]:
        """The `parts` entry of `mxward scan --json`."""
        return {
            "type": self.content_type, "true_type": self.true_type, "name": self.names[0] if self.names else "",
            "size": self.size, "sha256": self.sha256, "depth": self.depth, "reading": self.reading,
        }  # fmt: skip


def _never() -> bool:
    return False


@dataclass(slots=True)
class Message:
    """The message and everything that is known of it. Stages add, never rewrite."""

    raw: bytes  # receive: the immutable buffer, CRLF line ends
    envelope: Envelope  # receive
    mime: Mime | None = None  # parse: part table, field index, anomalies
    parts: list[Part] = field(default_factory=list)  # extract: parts[0] is the message itself
    views: dict[str, Any] = field(default_factory=dict)  # extract: shared forms, computed once (text, urls, ...)
    hits: list[Hit] = field(default_factory=list)  # detect
    not_inspected: list[NotInspected] = field(default_factory=list)  # extract, detect
    verdict: Verdict | None = None  # decide
    is_late: Callable[[], bool] = _never  # detect: is the time for it over? What takes long asks between its steps
    dispositions: tuple[Disposition, ...] = ()  # decide: one a recipient, in envelope order
