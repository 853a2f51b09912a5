"""What strings and numbers of scripts hide: base64, hexadecimal, percent escapes, character codes, a key of one byte.

Bounded: each string is tried by each way once. What comes out is judged by its true type.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from mxward.core.unpack.document.script_text import strings
from mxward.core.unpack.work import Item, Work
from mxward.pyx.filetype import identify

MAX_PAYLOADS: Final = 100  # of one script
MIN_UNKNOWN: Final = 96  # bytes: what is shorter and of no known type is no file
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-\s]{24,}={0,2}\s*")
_HEX: Final = re.compile(r"(?:0x)?[0-9A-Fa-f\s]{32,}")
_PERCENT: Final = re.compile(r"(?:%u?[0-9A-Fa-f]{2,4}[^%]{0,3}){8,}")
_PERCENT_U: Final = re.compile(r"%u([0-9A-Fa-f]{4})")
_NUMBERS: Final = re.compile(
    r"[\[(]\s*+((?:(?:0x[0-9A-Fa-f]{1,2}|\d{1,3})\s*+,\s*+){15,}+(?:0x[0-9A-Fa-f]{1,2}|\d{1,3}))"
)
_REPLACE: Final = re.compile(
    r"\.replace(?:All)?\(\s*(?:/((?:\\.|[^/\\\r\n]){1,12})/[gim]*|[\"']([^\"'\r\n]{1,12})[\"'])\s*,\s*(?:\"\"|'')"
)
_SPLIT_JOIN: Final = re.compile(r"\.split\(\s*[\"']([^\"'\r\n]{1,12})[\"']\s*\)\s*\.join\(\s*(?:\"\"|'')")
_MAGIC: Final = (
    b"MZ\x90\x00", b"PK\x03\x04", b"%PDF-", b"Rar!\x1a\x07", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0", b"<!DOCTYPE",
    b"<html", b"<script",
)  # fmt: skip
_LINK: Final = re.compile(r"(?i)\bhttps?://[^\s\"'<>\\)]{4,2000}")


def payloads(source: str) -> Iterator[bytes]:
    """What the strings and lists of numbers of a script decode to; each at most once."""
    seen: set[bytes] = set()
    drops = [found[1] or re.escape(found[2]) for found in _REPLACE.finditer(source)][:8]
    drops += [re.escape(found[1]) for found in _SPLIT_JOIN.finditer(source)][:8]
    is_turned = ".reverse(" in source or "StrReverse" in source
    for content in (*_of_numbers(source), *_of_strings(source, drops, is_turned)):
        if content not in seen and len(seen) < MAX_PAYLOADS:
            seen.add(content)
            yield content


def _of_numbers(source: str) -> Iterator[bytes]:
    for found in _NUMBERS.finditer(source):
        numbers = [int(word, 0) if word[:2] == "0x" else int(word) for word in re.split(r"\s*,\s*", found[1])]
        if max(numbers) < 256:
            yield from _plain(bytes(numbers))


def _of_strings(source: str, drops: list[str], is_turned: bool) -> Iterator[bytes]:
    for text in strings(source):
        for form in _forms(text, drops, is_turned):
            found = decoded(form)
            if found:
                yield from _plain(found)
                break
        else:
            if identify(narrow(text)):
                yield narrow(text)


def _forms(text: str, drops: list[str], is_turned: bool) -> Iterator[str]:
    yield text
    for drop in drops:
        try:
            yield re.sub(drop, "", text)
        except re.error:
            continue
    if is_turned:
        yield text[::-1]


def narrow(text: str) -> bytes:
    """Characters as the bytes that scripts mean by them."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def decoded(text: str) -> bytes:
    """What a string that is written in one of the usual ways stands for; b"" when it is none that matters."""
    if _HEX.fullmatch(text):
        digits = re.sub(r"\s+|^0x", "", text)
        if len(digits) % 2 == 0:
            return _if_file(bytes.fromhex(digits))
    if _BASE64.fullmatch(text):
        body = re.sub(r"\s+", "", text).rstrip("=").translate(_URL_SAFE)
        try:
            return _if_file(base64.b64decode(body + "=" * (-len(body) % 4)))
        except (binascii.Error, ValueError):
            return b""
    if "%" in text and _PERCENT.search(text):
        wide = _PERCENT_U.sub(lambda found: chr(int(found[1], 16)), text)
        return _if_file(unquote_to_bytes(wide))
    if text.startswith("data:"):
        return b""  # found as such
    return b""


_URL_SAFE: Final = str.maketrans("-_", "+/")


def _if_file(data: bytes) -> bytes:
    """Words of letters are base64 too, and decode to nothing: short ones count when they make sense only."""
    if len(data) >= MIN_UNKNOWN or identify(data) or (len(data) >= 16 and is_words(data)):
        return data
    return b""


def is_words(data: bytes) -> bool:
    """Printable ASCII throughout?"""
    return not data.translate(None, _PRINTABLE)


_PRINTABLE: Final = bytes([9, 10, 13, *range(32, 127)])


def _plain(data: bytes) -> Iterator[bytes]:
    """The content, and what is under a key of one byte when that has a known beginning."""
    yield data
    if not data or identify(data) or is_words(data):
        return
    for magic in _MAGIC:
        key = data[0] ^ magic[0]
        if key and data[: len(magic)].translate(_XOR[key]) == magic:
            yield data.translate(_XOR[key])
            return


_XOR: Final = [bytes(byte ^ key for byte in range(256)) for key in range(256)]


def tell_links(item: Item, work: Work, source: str) -> None:
    """Addresses in the strings of a script."""
    for text in strings(source):
        for found in _LINK.finditer(text):
            work.address(item, "script", found[0])
