"""Bytes in a declared charset to UTF-8 as SpamAssassin reads them, which is not as mail clients do.

What is valid UTF-8 is UTF-8 whatever was declared, except in encoded words; then the declared charset; then
Windows-1252. `wide` tells whether SpamAssassin holds the text as characters: only then do its patterns for white space
know more than ASCII.

Source: behaviour of SpamAssassin 4.0.1 with normalize_charset 1, its default, without Encode::Detect.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.bounded import cache_short
from mxward.pyx.mime_text import codec_name

_PLAIN: Final = re.compile(
    r"(?:us-)?ascii|ansi[_ ]?x3\.4-(?:1986|1968)|iso646-us|iso[ -]?8859(?:-\d{1,2})?|windows-\d{4}|utf-?8"
    r"|(?:koi8|euc)-[a-z]{1,2}|big5|gbk|gb[ -]?18030(?:-20\d\d)?",
    re.I | re.A,
)
_WESTERN: Final = re.compile(r"iso-?8859-1|windows-1252|cp1252", re.I)
_UTF8: Final = re.compile(r"utf-?8", re.I)
_UTF16: Final = re.compile(r"utf[ -]?16", re.I)
# Labels that Perl's Encode does not know, so that SpamAssassin falls back to Windows-1252.
_UNKNOWN: Final = frozenset(("x-unknown", "unknown", "unknown-8bit", "default", "x-user-defined", "x-ansi"))
# Perl knows these under the narrow tables that they name; mail clients and mime_text use the wider ones.
_NARROW: Final = {"iso-8859-9": "iso8859-9", "iso-8859-11": "iso8859-11", "gb2312": "gb2312", "euc-kr": "euc-kr",
                  "shift_jis": "shift_jis", "iso-2022-jp": "iso2022_jp", "big5": "big5"}  # fmt: skip


def to_utf8(data: bytes, charset: str, *, is_word: bool = False) -> tuple[bytes, bool]:
    """The text as UTF-8, and whether it is wide.

    Args: charset: label as written; is_word: the text of an encoded word, where the label comes first.
    Never raises. Cost: linear.
    """
    plain = data.isascii()
    if plain and _is_plain(charset):
        return data, False
    if not plain and not is_word and _is_utf8(data):
        return data, True
    text = None
    if _UTF16.match(charset):
        text = _utf16(data)
        if text is not None and not is_word:
            return text.encode("utf-8", "replace"), True
    elif is_word or charset.lower() not in ("us-ascii", "ascii"):
        text = _declared(data, charset, is_word=is_word)
    if text is None and plain:
        return data, False
    if text is None:
        text = data.decode("cp1252", "replace")  # five bytes are unassigned
    return text.encode("utf-8", "replace"), True


@cache_short(256)
def _is_plain(charset: str) -> bool:
    return len(charset) < 64 and _PLAIN.fullmatch(charset) is not None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _declared(data: bytes, charset: str, *, is_word: bool) -> str | None:
    if _WESTERN.fullmatch(charset):
        return data.decode("cp1252", "replace")
    if _UTF8.fullmatch(charset):
        return data.decode("utf-8", "replace") if is_word else None
    label = charset.lower()
    codec = "" if label in _UNKNOWN or not label.isascii() else _NARROW.get(label) or codec_name(charset)
    if not codec:
        return None
    try:
        return data.decode(codec, "replace" if is_word else "strict")
    except (UnicodeError, LookupError, ValueError):
        return None


def _utf16(data: bytes) -> str | None:
    """With a byte-order mark, or in the byte order that the zeros show."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16"
    else:
        even, odd = sum(data[0::2]), sum(data[1::2])
        codec = "utf-16-le" if even > odd else "utf-16-be"
    try:
        return data.decode(codec)
    except UnicodeError:
        return None
