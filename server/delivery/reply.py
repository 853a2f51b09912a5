"""Replies of a peer, parsed under bounds (RFC 5321 section 4.2). What a reply means is session.py's business."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MAX_LINE: Final = 4096  # RFC 5321 4.5.3.1.5 says 512; real peers with long URLs in refusals reach 2,000
MAX_LINES: Final = 128  # an EHLO reply of 20 lines is long
MAX_TEXT: Final = 1024  # characters kept of one reply; they go to ledger, log and DSN

MAX_KNOWN, MAX_KNOWN_LINE = 512, 80  # short replies repeat all day: "250 2.1.0 Ok"

_ENHANCED: Final = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?= |$)")
_LINE: Final = re.compile(rb"([2-5]\d\d)(?:([ -])([^\r\n]*))?\Z")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class ReplyError(ValueError):
    """The peer does not speak SMTP: a flood, or a line that is no reply. Theirs, never ours."""


class PeerReply(NamedTuple):
    """One reply: code, enhanced code ("" when absent or of another class), and one line of text without it."""

    code: int
    enhanced: str
    text: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code) if self.code else "", self.enhanced, self.text)))

    @property
    def status(self) -> str:
        """Enhanced code, or the general one of its class."""
        return self.enhanced or f"{self.code // 100}.0.0"


def local(enhanced: str, text: str) -> PeerReply:
    """A reason of our own in the shape of a reply, with the code that fits its class."""
    return PeerReply({"2": 250, "4": 451}.get(enhanced[:1], 550), enhanced, text)


_KNOWN: Final[dict[bytes, PeerReply]] = {}


class ReplyParser:
    """Bytes in, replies out. `feed` may be called with any split of the stream."""

    __slots__ = ("_buffer", "_code", "_lines", "_size")

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[str] = []
        self._code = 0
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """True when no byte waits: what follows belongs to the next layer."""
        return not self._buffer and not self._lines

    def feed(self, data: bytes) -> list[PeerReply]:
        """Replies completed by `data`.

        A line may end in CRLF or LF (some peers do); replies are cut to MAX_TEXT characters.
        Raises ReplyError for a line that is no reply, a change of code within one reply, or a flood.
        """
        buffer = self._buffer + data if self._buffer else data
        *lines, self._buffer = buffer.split(b"\n")
        if len(self._buffer) > MAX_LINE:
            raise ReplyError("a reply line is too long")
        out: list[PeerReply] = []
        for line in lines:
            reply = (not self._lines and _KNOWN.get(line)) or self._line(line)
            if reply:
                out.append(reply)
        return out

    def _line(self, line: bytes) -> PeerReply | None:
        found = _LINE.match(line[:-1] if line.endswith(b"\r") else line)
        if not found or len(line) > MAX_LINE:
            raise ReplyError(f"not a reply: {line[:80]!r}")
        code = int(found[1])
        if self._code not in (0, code) or len(self._lines) >= MAX_LINES:
            raise ReplyError("a reply changes its code or has too many lines")
        self._code = code
        text = (found[3] or b"").decode("utf-8", "replace")
        self._size += len(text)
        self._lines.append(text if self._size <= MAX_TEXT * 8 else "")
        if found[2] == b"-":
            return None
        reply = _assemble(code, self._lines)
        if len(self._lines) == 1 and len(line) <= MAX_KNOWN_LINE:
            if len(_KNOWN) >= MAX_KNOWN:
                _KNOWN.clear()
            _KNOWN[line] = reply
        self._lines, self._code, self._size = [], 0, 0
        return reply


def _assemble(code: int, lines: list[str]) -> PeerReply:
    """Join the lines; the enhanced code of RFC 2034 is repeated in each and kept once."""
    found = _ENHANCED.match(lines[-1])
    enhanced = found[0] if found and found[1] == str(code)[0] else ""
    cut = len(enhanced) + 1 if enhanced else 0
    texts = (t[cut:] if enhanced and t.startswith(enhanced) else t for t in lines)
    text = _UNPRINTABLE.sub(" ", " ".join(texts)).strip()
    return PeerReply(code, enhanced, text[:MAX_TEXT], tuple(lines))
