"""A PDF read without its table of objects: what raw bytes show of scripts, actions and links.

For files that are damaged, whose table hides objects, or that are encrypted (names of keys are not).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.document.pdf_stream import inflated
from mxward.core.unpack.work import Damaged, Item, Work
from mxward.pyx.filetype import identify

MAX_STREAMS: Final = 2_000
MAX_PIECES: Final = 100_000
MAX_STREAM_BYTES: Final = 8 << 20
_NAME: Final = re.compile(
    rb"/(?:(?P<script>JavaScript|JS)|(?P<launch>Launch)|(?P<submit>SubmitForm)|(?P<other>GoTo[RE])"
    rb"|(?P<file>EF|EmbeddedFile)|(?P<form>XFA)|(?P<media>RichMedia))(?![A-Za-z0-9])"
)
_FINDINGS: Final = {
    "script": "PDF_SCRIPT", "launch": "PDF_LAUNCH", "submit": "PDF_SUBMITS", "other": "PDF_OTHER_FILE",
    "file": "PDF_EMBEDDED_FILE", "form": "PDF_XFA", "media": "PDF_MEDIA",
}  # fmt: skip
_HASH: Final = re.compile(rb"(?<=/)[A-Za-z0-9#]{0,40}#[0-9A-Fa-f]{2}[A-Za-z0-9#]{0,40}")
_HEX: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM: Final = re.compile(rb"stream(?:\r\n|\n|\r)")
_URI: Final = re.compile(rb"/URI\s*(?P<value>\(|<)")
_JS: Final = re.compile(rb"/JS\s*(?P<value>\(|<(?!<))")
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|[\s\S]))")
_SIMPLE: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b"",
                  b"\r\n": b""}  # fmt: skip
_MAX_STRING: Final = 1 << 20


def carve(item: Item, work: Work, *, is_encrypted: bool) -> None:
    """Tell what raw bytes and what can be inflated of them show. Raises: OverBudget."""
    _look(item, work, item.data, is_encrypted)
    if is_encrypted:
        return
    for content in _streams(item.data, work):
        if content[:4].isdigit() or b"/" in content[:400]:  # a stream of objects; pages and fonts show nothing here
            _look(item, work, content, is_encrypted)
        _give_file(item, work, content)


def compare(item: Item, work: Work) -> None:
    """Tell of raw objects that the table of objects does not name: other readers may see them."""
    for name in _names(_outside_streams(item.data)):
        if work.has_found(item, name):
            continue
        work.find(item, name)
        work.find(item, "PDF_HIDDEN_OBJECT")


def _outside_streams(data: bytes) -> bytes:
    """The objects without what streams hold: in packed bytes every short name turns up by chance."""
    kept, at = [], 0
    for _ in range(MAX_PIECES):
        start = data.find(b"stream", at)
        if start < 0:
            break
        kept.append(data[at:start])
        at = data.find(b"endstream", start)
        if at < 0:
            return b"\n".join(kept)
        at += 9
    kept.append(data[at:])
    return b"\n".join(kept)


def _names(data: bytes) -> list[str]:
    plain = _HASH.sub(lambda found: _HEX.sub(_byte, found[0]), data) if b"#" in data else data
    return list(dict.fromkeys(_FINDINGS[found.lastgroup] for found in _NAME.finditer(plain) if found.lastgroup))


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])


def _look(item: Item, work: Work, data: bytes, is_encrypted: bool) -> None:
    for name in _names(_outside_streams(data)):
        work.find(item, name)
    if is_encrypted:
        return
    for found in _URI.finditer(data):
        work.address(item, "pdf", string_at(data, found.start("value")).decode("latin-1"))
    for found in _JS.finditer(data):
        source = string_at(data, found.start("value"))
        if source.startswith((b"\xfe\xff", b"\xff\xfe")):
            source = source.decode("utf-16", "replace").encode()
        work.child(item, source, "script.js", content_type="application/javascript")


def _give_file(item: Item, work: Work, content: bytes) -> None:
    """Nobody can say any more what a stream was: what is a file by itself is given."""
    if identify(content) not in ("", "font/sfnt", "font/woff"):
        work.child(item, content, "stream")


def _streams(data: bytes, work: Work) -> Iterator[bytes]:
    at = 0
    for _ in range(MAX_STREAMS):
        found = _STREAM.search(data, at)
        if not found:
            return
        end = data.find(b"endstream", found.end())
        end = len(data) if end < 0 else end
        head = data[max(0, found.start() - 512) : found.start()].rpartition(b" obj")[2]
        body = data[found.end() : min(end, found.end() + MAX_STREAM_BYTES)]
        at = end
        if b"/DCT" in head or b"/JPX" in head or b"/CCITT" in head:
            continue
        yield inflated(body, work) if b"/Fl" in head or body[:1] == b"x" else body
        work.purse.check_time()
    raise Damaged("too many streams")


def string_at(data: bytes, at: int) -> bytes:
    """The string object that begins at `at` (7.3.4): in brackets with escapes, or hexadecimal."""
    if data[at : at + 1] == b"<":
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", data[at + 1 : at + 1 + _MAX_STRING].partition(b">")[0])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    depth, end, last = 0, at, min(len(data), at + _MAX_STRING)
    while end < last:
        byte = data[end]
        if byte == 0x5C:
            end += 1
        elif byte == 0x28:
            depth += 1
        elif byte == 0x29:
            depth -= 1
            if not depth:
                break
        end += 1
    return _ESCAPE.sub(_unescape, data[at + 1 : end])


def _unescape(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    return _SIMPLE.get(found[2], found[2])
