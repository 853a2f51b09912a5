"""The MIME tree as SpamAssassin sees it: types, names and contents of the parts of the standard reading.

Made from the part table of pyx/mime; readings that only some clients have, and uuencoded blocks inside texts, are not
part of it.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.bounded import cache_short
from mxward.core.message import Message
from mxward.core.rules.spamassassin.fields import Fields
from mxward.pyx.mime import PartInfo
from mxward.pyx.saheader import blank_lines, line_feeds
from mxward.pyx.saline import longest_line

MAX_LINE: Final = 2048  # longer lines of parts of a multipart are broken before they are decoded
MAX_BLANK: Final = 20  # blank lines kept of a run
_BLANK: Final = re.compile(rb"(?:(?<=\n)|\A)(?:[ \t\r\f\v]*\n){21,}")
_BOUNDARY: Final = re.compile(rb"""\bboundary\s*=\s*("[^"]+|[^\s";]+(?=[\s;]|\Z))""", re.I)
_CHARSET: Final = re.compile(rb"""\bcharset\s*=\s*["']?(.*?)["']?(?:;|$)""", re.I)
_NAME: Final = re.compile(rb"""\b(?:file)?name\s*=\s*["']?(.*?)["']?(?:;|$)""", re.I)
_PIECE: Final = re.compile(rb"""\b(?:file)?name\*(\d{1,3})\s*=\s*["']?(.*?)["']?(?:;|$)""", re.I)
_DISPOSITION: Final = re.compile(rb"""name=\s*"?([^";]+)"?""", re.I)
_TYPE: Final = re.compile(rb"([^/]+(?:/[^/\s]*)?).*", re.S)
_NOT_IN_TYPE: Final = bytes(range(33)) + bytes(range(127, 256)) + b'"(),:;<=>?@[\\]'
_KEPT_TEXT: Final = frozenset((b"text/x-vcard", b"text/calendar", b"text/html"))
DEFAULT: Final = b"text/plain; charset=us-ascii"


class Node:
    """One part. `decoded` is made on first use."""

    __slots__ = (
        "_decoded",
        "_encoding",
        "_message",
        "boundary",
        "charset",
        "children",
        "fields",
        "index",
        "name",
        "parent",
        "type",
    )

    def __init__(
        self, message: Message, index: int, parent: Node | None, written: bytes | list[tuple[bytes, bytes]]
    ) -> None:
        self._message, self.index, self.parent = message, index, parent
        self.fields = Fields(written)
        self.children: list[Node] = []
        self._decoded: bytes | None = None
        self._encoding: str | None = None
        written = self.fields.last("content-type")
        self.type, self.boundary, self.charset, self.name, missing = content_type(written)
        if missing and parent is not None and parent.type == "multipart/digest":
            self.type = "message/rfc822"
        elif self.type.startswith("multipart/") and self.boundary is None:
            self.type = "text/plain"
        disposition = self.fields.last("content-disposition")
        if b"name=" in disposition and (named := _DISPOSITION.search(disposition)):
            self.name = named[1]

    @property
    def is_leaf(self) -> bool:
        return not self.children

    @property
    def effective_type(self) -> str:
        """text/html also by the ending of the name."""
        if self.name[-6:].lower().endswith((b".html", b".htm", b".shtml", b".shtm")):
            return "text/html"
        return self.type

    @property
    def encoding(self) -> str:
        """In lower case, "" when none is declared."""
        if self._encoding is None:
            self._encoding = self.fields.last("content-transfer-encoding").decode("latin-1").lower()
        return self._encoding

    @property
    def raw(self) -> bytes:
        """The body as it stands in the message, LF line ends, long runs of blank lines shortened."""
        info = self._info
        data = line_feeds(self._message.raw, info.body_start, info.body_end)
        if blank_lines(data) > MAX_BLANK:
            data = _BLANK.sub(_shortened, data)
        return _broken(data) if self.parent is not None and self.parent.type.startswith("multipart/") else data

    @property
    def head(self) -> bytes:
        """Everything before the body, LF line ends."""
        info = self._info
        return line_feeds(self._message.raw, info.header_start, info.body_start)

    @property
    def has_body(self) -> bool:
        return self._info.body_end > self._info.body_start

    @property
    def longest_line(self) -> int:
        """Bytes of the longest line of the body, its line feed included."""
        info = self._info
        return longest_line(self._message.raw, info.body_start, info.body_end)

    def epilogue(self, limit: int) -> bytes:
        """What stands behind the closing boundary of a multipart, at most `limit` bytes."""
        last = self.children[-1]._info.body_end
        end = self._info.body_end
        mark = b"--" + (self.boundary or b"") + b"--"
        at = self._message.raw.find(mark, last, end)
        if at < 0:
            return b""
        at = self._message.raw.find(b"\n", at, end) + 1
        return self._message.raw[at : min(end, at + limit)] if at else b""

    @property
    def _info(self) -> PartInfo:
        assert self._message.mime is not None
        return self._message.mime.parts[self.index]

    @property
    def content(self) -> bytes | memoryview:
        """The content after transfer decoding as it is, not copied."""
        return self._message.parts[self.index].data

    @property
    def decoded(self) -> bytes:
        """The content after transfer decoding, with LF line ends when it is text."""
        if self._decoded is None:
            self._decoded = self._decode()
        return self._decoded

    def _decode(self) -> bytes:
        encoding = self.encoding
        if encoding not in ("base64", "quoted-printable"):
            return self.raw
        data = self._message.parts[self.index].data
        if encoding == "base64" and not self.type.startswith(("text/", "message/")):
            return bytes(data)
        return line_feeds(bytes(data), 0, len(data))


def _shortened(run: re.Match[bytes]) -> bytes:
    lines = run[0].splitlines(keepends=True)
    return b"".join(lines[:1] + lines[1 - MAX_BLANK :])


def _broken(data: bytes) -> bytes:
    if longest_line(data, 0, len(data)) < MAX_LINE:  # what counts no CR
        return data
    lines = data.splitlines(keepends=True) if b"\r" not in data else re.findall(rb"[^\n]*\n|[^\n]+", data)
    if max(map(len, lines)) <= MAX_LINE:
        return data
    broken: list[bytes] = []
    for line in lines:
        while len(line) > MAX_LINE:
            broken.append(line[:MAX_LINE] + b"\n")
            line = line[MAX_LINE:]
        broken.append(line)
    return b"".join(broken)


def content_type(written: bytes) -> tuple[str, bytes | None, str | None, bytes, bool]:
    """(type, boundary, charset or None, name, whether there was no type) of a Content-Type value."""
    if not written:
        return "text/plain", None, "us-ascii", b"", True
    kind, missing = _kind(written.lstrip().partition(b";")[0])
    lower = written.lower()
    found = _BOUNDARY.search(written) if b"boundary" in lower else None
    boundary = found[1].replace(b'"', b"") if found else None
    found = _CHARSET.search(written) if b"charset" in lower else None
    charset = found[1].decode("latin-1") if found else None
    name = b""
    if b"name" in lower:
        found = _NAME.search(written)
        name = found[1] if found else b""
        if not name and b"*" in written:
            name = b"".join(piece for _, piece in sorted({int(i): text for i, text in _PIECE.findall(written)}.items()))
    return kind, boundary, charset, name, missing


@cache_short(1024)
def _kind(written: bytes) -> tuple[str, bool]:
    """(type, whether there was none) of what stands before the first semicolon."""
    kind = _TYPE.sub(rb"\1", written, count=1).lower()
    missing = not kind
    if missing or (re.match(rb"text\b", kind) and kind not in _KEPT_TEXT):
        kind = b"text/plain"
    return kind.translate(None, _NOT_IN_TYPE).decode("latin-1"), missing


def tree(message: Message, section: bytes) -> list[Node]:
    """Every node in the order of a walk from the top, the message itself first.

    Args: section: the header section of the message, LF line ends.
    """
    assert message.mime is not None, "parse comes before texts"
    infos = message.mime.parts
    nodes: dict[int, Node] = {}
    for index, info in enumerate(infos):
        if info.reading or (info.parent >= 0 and info.parent not in nodes):
            continue
        if info.parent >= 0 and infos[info.parent].kind == "leaf":
            continue
        parent = nodes.get(info.parent)
        node = nodes[index] = Node(message, index, parent, section if parent is None else message.mime.fields(index))
        if parent is not None:
            parent.children.append(node)
    for node in nodes.values():
        if node.is_leaf and node.type.startswith("multipart/"):
            node.type = "text/plain"  # its boundary is nowhere: all of it is one text
    found: list[Node] = []
    stack = [nodes[0]] if nodes else []
    while stack:
        node = stack.pop()
        found.append(node)
        stack += reversed(node.children)
    return found
