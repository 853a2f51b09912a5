"""Calendars and address cards: what they attach, where they lead, what they say (RFC 5545, RFC 6350)."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from typing import Final

from mxward.core.unpack.document.data_uri import data_uris
from mxward.core.unpack.work import Item, Work

MAX_LINES: Final = 200_000
_LINE: Final = re.compile(r"^([A-Za-z0-9.-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)$", re.S)
_NAME: Final = re.compile(r"(?i);(?:X-FILENAME|FILENAME|X-APPLE-FILENAME)=\"?([^\";:]{1,300})")
_TYPE: Final = re.compile(r"(?i);(?:FMTTYPE|TYPE|MEDIATYPE)=\"?([\w.+-]{1,60}/[\w.+-]{1,100}|[\w-]{1,20})")
_URL: Final = re.compile(r"(?i)\b(?:https?|ftp|file)://[^\s\"'<>\\;,)]{2,2000}")
_WORDS: Final = frozenset((
    "SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "X-ALT-DESC", "FN", "N", "ORG", "TITLE", "NOTE", "ADR",
    "LABEL", "ROLE", "NICKNAME", "ORGANIZER", "ATTENDEE", "EMAIL", "TEL", "X-WR-CALNAME", "X-WR-CALDESC",
))  # fmt: skip
_ESCAPE: Final = re.compile(r"\\([\\;,nN])")


def open_calendar(item: Item, work: Work) -> None:
    """Tell attachments, links and words. Raises: OverBudget."""
    words: list[str] = []
    for number, line in enumerate(_lines(item.data)):
        if number > MAX_LINES:
            work.unseen(item, "limit:parts", f"more than {MAX_LINES} lines")
            break
        if number % 1000 == 0:
            work.purse.check_time()
        found = _LINE.match(line)
        if not found:
            continue
        name, options, value = found[1].rpartition(".")[2].upper(), found[2], found[3]
        if _is_packed(options):
            _give(item, work, options, value)
            continue
        if value.lower().startswith("data:"):
            for content, declared in data_uris(value.encode()):
                work.find(item, "CALENDAR_ATTACHMENT")
                work.child(item, content, *_names(options), content_type=declared)
            continue
        value = _readable(options, value)
        for link in _URL.finditer(value):
            work.address(item, "calendar", link[0])
        if name in _WORDS:
            words.append(value)
    if words:
        work.text(item, "\n".join(words) + "\n")


def _lines(data: bytes) -> list[str]:
    """Content lines: those that begin with white space continue the one before (RFC 5545, 3.1)."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        text = data.decode("utf-8-sig", "replace")
    return re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n").split("\n")


def _is_packed(options: str) -> bool:
    upper = options.upper()
    return "ENCODING=BASE64" in upper or "ENCODING=B" in upper.replace('"', "") or "VALUE=BINARY" in upper


def _give(item: Item, work: Work, options: str, value: str) -> None:
    packed = re.sub(r"[^A-Za-z0-9+/]", "", value)
    packed = packed[:-1] if len(packed) % 4 == 1 else packed
    try:
        content = base64.b64decode(packed + "=" * (-len(packed) % 4))
    except binascii.Error:
        work.unseen(item, "damaged", "an attachment that cannot be decoded")
        return
    kind = _TYPE.search(options)
    declared = kind[1].lower() if kind and "/" in kind[1] else ""
    work.find(item, "CALENDAR_ATTACHMENT")
    work.child(item, content, *_names(options), content_type=declared)


def _names(options: str) -> list[str]:
    return [found[1] for found in _NAME.finditer(options)][:4]


def _readable(options: str, value: str) -> str:
    if "QUOTED-PRINTABLE" in options.upper():
        value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
