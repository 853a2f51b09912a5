"""Oracles for pyx/saline and pyx/sacount: white space, addresses and letters as SpamAssassin's rules see them."""

from __future__ import annotations

import re

LINE = 2048
_NARROW = re.compile(rb"[ \t\n\v\f\r]+")
_WIDE = re.compile(
    rb"(?:[ \t\n\v\f\r]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)+"
)
_END = rb"""><"`}\]{\[|\s\x1b\xa0"""
_END_MAIL = _END + rb",('\x80-\xff"
_BEGIN = rb"""(?:(?<=\x1b\(.)|\b|(?<=[><"'`,{\[(|\s\x1b\xa0]))"""
_BEGIN_BARE = rb"""(?:\A|(?<=[!"#$&'()*+,/:;<=>?@\[\\\]^`{|}~\s\x1b\xa0]))"""


def squeeze(subject: bytes, pieces: list[bytes], *, is_wide: bool) -> tuple[bytes, list[int]]:
    text = b""
    for piece in pieces:
        text += b"\n" + piece if text else piece
    text = (_WIDE if is_wide else _NARROW).sub(_squeezed, text)
    data = subject + text.replace(b"\0", b"\n")
    starts: list[int] = []
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        while end - at > LINE:
            starts.append(at)
            at = data.rfind(b" ", at, at + LINE + 1) + 1 or at + LINE
        if at < end:
            starts.append(at)
        at = end
    return data, starts


def _squeezed(run: re.Match[bytes]) -> bytes:
    space = run[0]
    first, last = space.find(b"\n"), space.rfind(b"\n")
    if first == last:
        return b" "
    return b" " * (first > 0) + b"\n" + b" " * (last < len(space) - 1)


def uris(line: bytes, top_levels: list[bytes]) -> list[tuple[int, bytes, bytes | None]]:
    """One regular expression over one segment."""
    top = b"|".join(re.escape(name) for name in top_levels)
    host = rb"[a-z\d][a-z\d._-]{0,251}\.(?<![a-z0-9-])(?:" + top + rb")(?!(?:[a-z0-9-]|\.[a-z0-9]))"
    pattern = re.compile(
        _BEGIN + rb"(?:(?P<scheme>(?:(?:https?|ftp)://|(?:www\d{0,2}|ftp)\.)[^" + _END + rb"]{1,2048})(?=[" + _END
        + rb"]|\Z)|(?P<mail>mailto:[^" + _END_MAIL + rb"]{1,2048}|[^" + _END_MAIL + rb"@]{1,251}@[^" + _END_MAIL
        + rb"]{1,251})(?=[" + _END_MAIL + rb"]|\Z)|" + _BEGIN_BARE + rb"(?P<bare>(?P<host>" + host
        + rb")\.?(?::\d{1,5})?(?:/[^" + _END + rb"]{1,2048})?)(?=[" + _END + rb"]|\Z))",
        re.I,
    )  # fmt: skip
    found: list[tuple[int, bytes, bytes | None]] = []
    for match in pattern.finditer(line):
        kind = ("scheme", "mail", "bare").index(match.lastgroup if match.lastgroup != "host" else "bare")
        found.append((kind, match[0], match["host"]))
    return found


def letters(lines: list[bytes]) -> tuple[int, int, int]:
    """(bytes, capitals, small letters and digits)."""
    size = large = small = 0
    for line in lines:
        if not re.search(rb"\S\s+\S", line) or re.match(rb"(?:[A-Za-z0-9+/=]{60,76} ){2}", line):
            continue
        line = re.sub(rb"\x1b\$B.*\x1b\(B", b"", line, flags=re.S)
        size += len(line)
        large += len(re.findall(rb"[A-Z]", line))
        small += len(re.findall(rb"[a-z0-9]", line))
    return size, large, small
