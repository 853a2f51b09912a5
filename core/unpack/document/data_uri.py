"""`data:` addresses, which carry their content inside (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_URIS: Final = 300  # of one document
_URI: Final = re.compile(
    rb"(?i)\bdata:(?P<type>[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100})?(?P<options>(?:;[\w.%=+-]{1,100}){0,8}),"
    rb"(?P<body>[^\"'<>)\\\s][^\"'<>)\\]*)"
)
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=_-]+")


def data_uris(data: bytes) -> Iterator[tuple[bytes, str]]:
    """(content, declared type) of each in a document, in order."""
    for number, found in enumerate(_URI.finditer(data)):
        if number >= MAX_URIS:
            return
        declared = (found["type"] or b"text/plain").decode("ascii").lower()
        content = content_of(found["body"], is_base64=b"base64" in found["options"].lower())
        if content:
            yield content, declared


def content_of(body: bytes, *, is_base64: bool) -> bytes:
    """The bytes that stand after the comma. Damaged base64 is read as far as browsers do."""
    if not is_base64:
        return unquote_to_bytes(body)
    packed = _NOT_BASE64.sub(b"", unquote_to_bytes(body)).translate(_URL_SAFE).rstrip(b"=")
    if len(packed) % 4 == 1:
        packed = packed[:-1]
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4))
    except binascii.Error:
        return b""


_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
