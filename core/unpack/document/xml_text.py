"""Bytes of an XML part to what pyx/xmlscan reads, attributes of a tag, and references: the small change of XML."""

from __future__ import annotations

import html
import re
from typing import Final

MAX_ATTRIBUTES: Final = 32_768  # bytes of one tag that are looked at
_ATTRIBUTE: Final = re.compile(
    rb"\s*(?:[^\s=:\"'/]{1,80}:)?([^\s=:\"'/]{1,80})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)')"
)
_ENCODING: Final = re.compile(rb"<\?xml[^>]{0,80}encoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9._-]{1,40})")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def as_utf8(data: bytes) -> bytes:
    """The same document in UTF-8; other encodings by their mark or declaration, as XML readers do (XML 1.0, F.1)."""
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return data[3:] if codec == "utf-8-sig" else data.decode(codec, "replace").encode("utf-8", "replace")
    if data[:2] in (b"<\0", b"\0<"):
        codec = "utf-16-le" if data[0] == 0x3C else "utf-16-be"
        return data.decode(codec, "replace").encode("utf-8", "replace")
    declared = _ENCODING.match(data[:200])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name in ("utf-8", "utf8", "us-ascii", "ascii"):
        return data
    try:
        return data.decode(name, "replace").encode("utf-8", "replace")
    except (LookupError, ValueError):  # of an encoding that nobody knows, or one that gives no text
        return data


def is_xml(data: bytes) -> bool:
    """Whether this begins as XML does, in any of its usual encodings."""
    head = data[:64].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head[:1] == b"<"


def attributes(data: bytes, start: int, end: int) -> dict[str, str]:
    """Attributes of the tag at [start, end), without prefixes; of equal names the first. References are resolved."""
    tag = data[start : min(end, start + MAX_ATTRIBUTES)]
    found: dict[str, str] = {}
    at = 0
    while match := _ATTRIBUTE.match(tag, at):
        at = match.end()
        value = match[2] if match[2] is not None else match[3]
        found.setdefault(match[1].decode("utf-8", "replace"), html.unescape(value.decode("utf-8", "replace")))
    return found
