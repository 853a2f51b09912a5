"""Addresses in plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.site import Site

SCHEME: Final = 0
MAIL: Final = 1
SCHEMELESS: Final = 2
_END = rb"""><"`}\]{\[|\s\x1b\xa0"""
_TOKEN = re.compile(rb"[^" + _END + rb"]+")
_START = frozenset(b"><\"'`,{[(|\t\n\x0b\x0c\r \x1b\xa0")
_SCHEMELESS_START = frozenset(b"!\"#$&'()*+,/:;<=>?@[\\]^`{|}~\t\n\x0b\x0c\r \x1b\xa0")
_KNOWN = re.compile(rb"(?:(?:https?|ftp)://|(?:www\d{0,2}|ftp)\.)[^" + _END + rb"]{1,2048}", re.I)
_MAILTO = re.compile(rb"mailto:[^" + _END + rb",('\x80-\xff]{1,2048}", re.I)
_MAIL = re.compile(rb"[^" + _END + rb",('\x80-\xff@]{1,251}@[^" + _END + rb",('\x80-\xff]{1,251}")
_HOST = re.compile(rb"([a-z\d][a-z\d._-]*)(?:(?::\d{1,5})?(?:/[^" + _END + rb"]{1,2048})?)", re.I)
_END_MAIL = frozenset(b",('") | frozenset(range(0x80, 0x100))
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def find_in_text(text: bytes, site: Site) -> list[tuple[int, bytes, bytes | None]]:
    tlds = site.top_level
    found = []
    for token in _TOKEN.finditer(text):
        at, end = token.span()
        if not any(m in token[0] for m in (b".", b"@", b":")):
            continue
        while at < end:
            before = text[at - 1] if at else None
            boundary = (before in _WORD if before is not None else False) != (text[at] in _WORD)
            shift = at >= 3 and text[at - 3 : at - 1] == b"\x1b("
            if not (boundary or before in _START or shift):
                at += 1
                continue
            m = _KNOWN.match(text, at, end)
            if m and m.end() == end:
                found.append((SCHEME, m[0], None))
                at = end
                continue
            m = _MAILTO.match(text, at, end)
            if m and not (m.end() == end or text[m.end()] in _END_MAIL):
                m = None
            if not m:
                m = _MAIL.match(text, at, end)
                if m and not (m.end() == end or text[m.end()] in _END_MAIL):
                    m = None
            if m:
                found.append((MAIL, m[0], None))
                at = m.end()
                continue
            if before is None or before in _SCHEMELESS_START:
                m = _HOST.match(text, at, end)
                if m and m.end() == end:
                    host = m[1]
                    if host.endswith(b"."):
                        host = host[:-1]
                    head, dot, top = host.rpartition(b".")
                    if dot and head and top.lower() in tlds and len(head) <= 252:
                        found.append((SCHEMELESS, m[0], host))
                        at = end
                        continue
            at += 1
    return found
