"""Where a picture ends by its own format, so that what stands behind it is seen (PNG 1.2, GIF89a, JFIF, RIFF)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

MAX_STEPS: Final = 100_000


def end_of(data: bytes, true_type: str) -> int:
    """Offset of the first byte after the picture; len(data) when its format has no end, or does not reach it."""
    finder = _ENDS.get(true_type)
    end = finder(data) if finder else -1
    return end if 0 < end <= len(data) else len(data)


def _png(data: bytes) -> int:
    at: int = 8
    for _ in range(MAX_STEPS):
        if at + 12 > len(data):
            return -1
        size, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + int(size)
        if kind == b"IEND":
            return at
    return -1


def _gif(data: bytes) -> int:
    if len(data) < 13:
        return -1
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    for _ in range(MAX_STEPS):
        kind = data[at : at + 1]
        if kind == b";":
            return at + 1
        if kind == b"!":
            at += 2
        elif kind == b"," and at + 10 < len(data):
            local = data[at + 9]
            at += 11 + (3 << (local & 7) + 1 if local & 0x80 else 0)
        else:
            return -1
        while at < len(data) and data[at]:  # sub-blocks
            at += 1 + data[at]
        at += 1
    return -1


def _jpeg(data: bytes) -> int:
    at = 2
    for _ in range(MAX_STEPS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            return len(data)
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker in _ALONE:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return -1


def _riff(data: bytes) -> int:
    return 8 + int(struct.unpack_from("<I", data, 4)[0]) if len(data) > 8 else -1


def _bmp(data: bytes) -> int:
    size = int(struct.unpack_from("<I", data, 2)[0]) if len(data) > 14 else -1
    return size if size > 26 else -1


_ALONE: Final = frozenset((0x00, 0x01, 0xFF, *range(0xD0, 0xD9)))  # markers without a length, and stuffed bytes
_ENDS: Final[dict[str, Callable[[bytes], int]]] = {
    "image/png": _png, "image/gif": _gif, "image/jpeg": _jpeg, "image/webp": _riff, "image/bmp": _bmp,
}  # fmt: skip
