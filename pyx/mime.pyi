"""MIME parser: one forward pass over a message to a flat table of parts, fields and anomalies.

Never raises on any bytes. Offsets are byte offsets into the buffer that was parsed.
"""

from typing import NamedTuple, final

class PartInfo(NamedTuple):
    """One row of the part table. Part 0 is the message itself.

    Spans are half-open: header fields in [header_start, body_start), body in [body_start, body_end).
    `kind` is "leaf", "multipart" or "message" (a nested message/rfc822 whose child is its content's root).
    `reading` 0: as RFC 2045-2049 say; above 0: what some mail clients would see instead (an alternative
    boundary, type, encoding or structure); such parts are additional rows, never replacements. A row for a
    uuencode, yEnc or BinHex block inside a text body has no header: its span is the block, its parent the text.
    Rows inside a container that had to be decoded first (a base64 message/rfc822) have the span of that container.
    """

    parent: int
    depth: int
    reading: int
    kind: str
    header_start: int
    body_start: int
    body_end: int
    content_type: str  # lower-case "type/subtype"
    charset: str  # lower-case, "" when absent
    encoding: str  # "7bit" "8bit" "binary" "base64" "quoted-printable" "uuencode" "yenc" "binhex" "gzip64" or the
    #              unknown token as written
    disposition: str  # "", "inline", "attachment" or the token
    names: tuple[str, ...]  # every file name some client would show, RFC reading first

class Anomaly(NamedTuple):
    """A named malformation (the names and the client behaviour each exploits: docs/anomalies.md)."""

    code: str
    part: int
    offset: int

class AnomalyKind(NamedTuple):
    """One entry of the table of malformations."""

    code: str
    is_ambiguous: bool  # mail clients disagree about structure or content
    what: str
    exploits: str  # the client behaviour it exploits

ANOMALIES: tuple[AnomalyKind, ...]
LIMITS: dict[str, int]  # the limits the parser was built with, under their names in core.limits
MAX_GZIP64: int  # bytes one gzip64 part may unpack to

@final
class Mime:
    """The parsed message. Immutable; safe to share between threads. Made by `parse` only."""

    def __init__(self, *args: object) -> None: ...
    @property
    def n_parts(self) -> int: ...
    @property
    def parts(self) -> tuple[PartInfo, ...]: ...
    @property
    def anomalies(self) -> tuple[Anomaly, ...]: ...
    @property
    def is_ambiguous(self) -> bool:
        """True when mail clients would disagree about structure or content."""
    def decode(self, part: int) -> bytes:
        """Content of a leaf after transfer decoding (for a multipart: its raw body). Lenient, never raises."""
    def decode_all(self) -> list[bytes]:
        """`decode` of every part in table order; containers (multipart, message) give b""."""
    def fields(self, part: int = 0) -> list[tuple[bytes, bytes]]:
        """(name as written, raw value without the final CRLF, still folded) in order."""
    def field_counts(self, names: tuple[bytes, ...], part: int = 0) -> list[int]:
        """How often each of these fields, named in lower case, occurs. Cost: names times fields, without objects."""
    def field(self, name: str, part: int = 0) -> bytes | None:
        """Raw unfolded value of the first field of that name (case-insensitive)."""
    def field_all(self, name: str, part: int = 0) -> list[bytes]: ...
    def field_spans(self, name: str, part: int = 0) -> list[tuple[int, int, int]]:
        """(start of line, start of value, end after CRLF) of each such field, for byte edits.

        Empty for a part inside a decoded container: its bytes are not in the message.
        """
    def text(self, name: str, part: int = 0) -> str:
        """First field of that name, unfolded, RFC 2047 decoded, lenient; "" when absent."""

def parse(data: bytes) -> Mime:
    """Parse a message (CRLF, bare LF or mixed line ends). Cost: linear, the GIL is released while scanning."""

def decode_words(value: bytes) -> str:
    """RFC 2047 encoded words to text; raw 8-bit is read as UTF-8, else Latin-1. Never raises."""
