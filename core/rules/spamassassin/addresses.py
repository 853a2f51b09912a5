"""Mailboxes of an address field as SpamAssassin's own relaxed parser finds them.

core/extract/address.py reads fields as clients show them; rules were written against this reading, faults included:
comments are not nested, a display name that is nothing but an address counts as the address.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mxward.core.bounded import cache_short
from mxward.core.rules.spamassassin.angles import Tries, closed
from mxward.pyx.saheader import usual_mailboxes

MAX_MAILBOXES: Final = 2000
_QUOTED: Final = rb'"(?:[^"\\]|\\.)*+"'
_MAIL: Final = rb"(?:" + _QUOTED + rb"|[^@\s<>()\[\],:;]+)@(?:[^\"\s<>()\[\],:;]+|\[[\d:.]+\])"
_PHRASE: Final = rb"(?:" + _QUOTED + rb'|[^",;<]++)+'
_OPENED: Final = re.compile(rb"(?:(?P<phrase>" + _PHRASE + rb")\s*)?<\s*+", re.S)
_BLANK: Final = re.compile(rb"\s*+")
_BARE: Final = re.compile(
    rb"(?:(?P<mail>" + _MAIL + rb")|(?P<only>" + _PHRASE + rb"))"
    rb"(?:\s*\((?P<comment>(?:[^()\\]|\\.)*+)\))?\s*(?:[,;]|\Z)",
    re.S,
)
_GROUP: Final = re.compile(rb'[^"()<>]+:\s*(?:;.*)?', re.S)
_IS_MAIL: Final = re.compile(_MAIL + rb"\n?\Z")
_ANGLES: Final = re.compile(rb"<(" + _MAIL + rb")>")
# a comment, or what begins like one and has no end: passed over at once, not looked through from each "\("
_COMMENT: Final = re.compile(rb"\((?:[^()\\]|\\.)*+\)|(\((?:[^()\\]|\\.)*+)", re.S)
_PIECES: Final = re.compile(rb'"((?:[^"\\]|\\.)*+)"|([^"]++)', re.S)
_LABEL: Final = re.compile(rb"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")


class _Entry(NamedTuple):
    """One entry as it stands there: what is not there is None."""

    phrase: bytes | None
    angle: bytes | None
    mail: bytes | None
    comment: bytes | None
    end: int


class Mailbox(NamedTuple):
    """`phrase`: display name, or a comment; None and None when there is none."""

    phrase: bytes | None
    address: bytes | None


def mailboxes(value: bytes) -> list[Mailbox]:
    """Mailboxes of a raw field value, entries without an address included. Never raises."""
    usual = usual_mailboxes(value)
    if usual is not None:
        return [Mailbox(*box) for box in usual]
    text = value.rstrip(b" \t\n\r\f\v").replace(b"\\\\", b"")
    text = _GROUP.sub(b"", text, count=1) if _GROUP.match(text) else text
    if not text.strip():
        return []
    found: list[Mailbox] = []
    at, tries = 0, Tries()
    while at < len(text) and len(found) < MAX_MAILBOXES:
        entry = _entry(text, at, tries)
        if entry is None:
            break
        found.append(_mailbox(entry))
        at = entry.end
    for angle in _ANGLES.finditer(text, at):
        if len(found) < MAX_MAILBOXES and _is_sound(angle[1]):
            found.append(Mailbox(None, _trimmed(angle[1])))
    return found


def _entry(text: bytes, at: int, tries: Tries) -> _Entry | None:
    """The entry that begins at a place, up to and with the separator behind it."""
    blank = _BLANK.match(text, at)
    start = blank.end() if blank else at
    opened = _OPENED.match(text, start)
    if opened is not None and (bracket := closed(text, opened.end(), tries)) is not None:
        return _Entry(opened["phrase"], bracket.angle, None, bracket.comment, bracket.end)
    bare = _BARE.match(text, start)
    if bare is not None:
        return _Entry(bare["only"], None, bare["mail"], bare["comment"], bare.end())
    if start > at and text[start : start + 1] in (b"", b",", b";"):
        return _Entry(text[start - 1 : start], None, None, None, start + 1)  # blanks alone: the last one
    return None


def _mailbox(entry: _Entry) -> Mailbox:
    address = entry.mail
    if entry.angle is not None:
        address = _COMMENT.sub(rb"\1", entry.angle)
        if not _IS_MAIL.match(address):
            address = None
    if address is not None and not _is_sound(address):
        address = None
    phrase: bytes | None = None
    if entry.phrase is not None:
        phrase = b"".join(_plain(quoted, plain) for quoted, plain in _PIECES.findall(entry.phrase))
        if address is None and _IS_MAIL.match(phrase) and _is_sound(phrase) and is_host(phrase.split(b"@")[1]):
            address, phrase = phrase, None
        elif phrase == address or not phrase:
            phrase = None
    if phrase is None:
        phrase = entry.comment
    return Mailbox(phrase, None if address is None else _trimmed(address))


def _plain(quoted: bytes, plain: bytes) -> bytes:
    return quoted.replace(b"\\", b"") if not plain else _COMMENT.sub(rb"\1", plain)


def _is_sound(address: bytes) -> bool:
    return not address.startswith(b'""@') and address.count(b'"') != 1


def _trimmed(address: bytes) -> bytes:
    """Up to a second "@"."""
    return b"@".join(address.split(b"@")[:2])


@cache_short(4096)
def is_host(host: bytes) -> bool:
    """Whether this may be a host name of two labels or more; any case, trailing dots allowed."""
    host = host.lower().rstrip(b".")
    labels = host.split(b".")
    if len(host) > 253 or len(labels) < 2:
        return False
    if not all(1 <= len(label) <= 63 and _LABEL.fullmatch(label) for label in labels):
        return False
    return b"_" not in labels[-1] and b"_" not in labels[-2]
