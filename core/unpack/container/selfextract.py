"""Containers behind the end of something else: self-extracting programs, and pictures that are an archive, too.

What stands behind the last section of a Windows program is its overlay. Source: Microsoft, "PE Format".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final

from mxward.core.unpack.work import Item, Work

_MAX_SECTIONS: Final = 96


def open_program(item: Item, work: Work) -> None:
    """Tell the container in the overlay of a program, when there is one."""
    _tell(item, work, overlay(item.data), "CONTAINER_SELF_EXTRACTING")


def open_behind(item: Item, work: Work) -> None:
    """Tell the container that stands behind a picture or document, when there is one: other programs open that."""
    _tell(item, work, 1, "CONTAINER_BEHIND_OTHER")


def _tell(item: Item, work: Work, begin: int, finding: str) -> None:
    found = [(at, kind) for kind, find in _FINDERS.items() if (at := find(item.data, begin)) >= 0]
    if found:
        at, kind = min(found)
        work.find(item, finding)
        work.child(item, item.data[at:], "container behind it", true_type=kind)


def overlay(data: bytes) -> int:
    """Where the sections of a program end; behind the first header when the others make no sense."""
    if len(data) < 64:
        return len(data)
    (header,) = struct.unpack_from("<I", data, 60)
    if data[header : header + 4] != b"PE\0\0" or header + 24 > len(data):
        return 64
    n_sections, n_optional = struct.unpack_from("<H12xH", data, header + 6)
    at, end = header + 24 + n_optional, 64
    for number in range(min(n_sections, _MAX_SECTIONS)):
        place = at + 40 * number
        if place + 40 > len(data):
            break
        size, begin = struct.unpack_from("<II", data, place + 16)
        end = max(end, begin + size if size else 0)
    return end if end <= len(data) else len(data)


def _zip(data: bytes, begin: int) -> int:
    """A zip is found from its end: its directory says how long it is."""
    end = data.rfind(b"PK\5\6")
    if end < begin or end + 22 > len(data):
        return -1
    size, offset = struct.unpack_from("<II", data, end + 12)
    directory = end - size
    if directory < begin or data[directory : directory + 4] != b"PK\1\2":
        return -1
    start = directory - offset
    return start if start >= begin and data[start : start + 4] == b"PK\3\4" else data.find(b"PK\3\4", begin, end)


def _rar(data: bytes, begin: int) -> int:
    at = data.find(b"Rar!\x1a\7\1\0", begin)
    return at if at >= 0 else data.find(b"Rar!\x1a\7\0", begin)


def _seven(data: bytes, begin: int) -> int:
    """Its first header has a checksum."""
    at = begin - 1
    while (at := data.find(b"7z\xbc\xaf\x27\x1c", at + 1)) >= 0:
        if zlib.crc32(data[at + 12 : at + 32]) == int.from_bytes(data[at + 8 : at + 12], "little"):
            return at
    return -1


def _cab(data: bytes, begin: int) -> int:
    """A cabinet says how long it is, and that its version is 1.3."""
    at = begin - 1
    while (at := data.find(b"MSCF\0\0\0\0", at + 1)) >= 0:
        if (
            36 <= int.from_bytes(data[at + 8 : at + 12], "little") <= len(data) - at
            and data[at + 24 : at + 26] == b"\3\1"
        ):
            return at
    return -1


_FINDERS: Final[dict[str, Callable[[bytes, int], int]]] = {
    "application/zip": _zip,
    "application/vnd.rar": _rar,
    "application/x-7z-compressed": _seven,
    "application/vnd.ms-cab-compressed": _cab,
}
