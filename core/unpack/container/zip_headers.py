"""The records of a zip file: directory, ends, headers. What they say is gathered here, and judged in zip.py.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.6; WinZip AE-1/AE-2; Info-ZIP Unicode path (extra 0x7075).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

LOCAL, CENTRAL, END, END64, LOCATOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_LOCAL: Final = struct.Struct("<4sHHHIIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHIIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_END64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR: Final = struct.Struct("<4sIQI")
_FULL: Final = 0xFFFFFFFF
_MAX_ENDS: Final = 16  # ends of directories looked at
ENCRYPTED, STREAMED, STRONG, UTF8 = 0x1, 0x8, 0x40, 0x800  # general purpose flags


class Header(NamedTuple):
    """What one header says of a member, zip64 resolved."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int  # bytes of it here
    size: int  # bytes of it unpacked
    extra: bytes
    at: int  # its local header
    data: int = -1  # its content; -1: not known from this header
    attributes: int = 0
    system: int = 0
    disk: int = 0


class End(NamedTuple):
    """An end of a central directory."""

    at: int  # where the record stands, zip64's when there is one
    after: int  # behind the comment
    disk: int
    n: int  # members it says there are
    size: int
    offset: int
    comment: bytes


def local_header(data: bytes, at: int) -> Header | None:
    """The local header at `at`, None when there is none."""
    if at < 0 or at + _LOCAL.size > len(data) or data[at : at + 4] != LOCAL:
        return None
    _, _, flags, method, _, crc, packed, size, n_name, n_extra = _LOCAL.unpack_from(data, at)
    name_at = at + _LOCAL.size
    extra = data[name_at + n_name : name_at + n_name + n_extra]
    size, packed, _ = _zip64(extra, size, packed, 0)
    content = min(name_at + n_name + n_extra, len(data))
    return Header(data[name_at : name_at + n_name], flags, method, crc, packed, size, extra, at, content)


def central_headers(data: bytes, at: int, most: int) -> Iterator[tuple[Header, int]]:
    """Entries of a directory from `at` on with the place behind each; ends where no entry stands, or after `most`."""
    unpack, limit = _CENTRAL.unpack_from, len(data) - _CENTRAL.size
    for _ in range(most):
        if at < 0 or at > limit or data[at : at + 4] != CENTRAL:
            return
        _, made, _, flags, method, _, crc, packed, size, n_name, n_extra, n_note, disk, _, attributes, local = unpack(
            data, at
        )
        name_at = at + _CENTRAL.size
        extra = data[name_at + n_name : name_at + n_name + n_extra]
        if n_extra:
            size, packed, local = _zip64(extra, size, packed, local)
        at = name_at + n_name + n_extra + n_note
        name = data[name_at : name_at + n_name]
        yield Header(name, flags, method, crc, packed, size, extra, local, -1, attributes, made >> 8, disk), at


def ends(data: bytes) -> list[End]:
    """Every end of a directory that could be one, the last first."""
    found: list[End] = []
    at = len(data)
    while len(found) < _MAX_ENDS and (at := data.rfind(END, 0, at)) >= 0:
        if at + _END.size <= len(data):
            found.append(_end(data, at))
    return found


def fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of an extra: number and content. A torn one ends it."""
    at = 0
    while at + 4 <= len(extra):
        kind, n = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + n]
        at += 4 + n


def _end(data: bytes, at: int) -> End:
    _, disk, _, _, n, size, offset, n_comment = _END.unpack_from(data, at)
    after = at + _END.size + n_comment
    comment = data[at + _END.size : after]
    if at >= _LOCATOR.size and data[at - _LOCATOR.size : at - _LOCATOR.size + 4] == LOCATOR:
        _, _, at64, _ = _LOCATOR.unpack_from(data, at - _LOCATOR.size)
        near = data.rfind(END64, max(0, at - 0x10000), at)  # behind prepended data its place is not the stated one
        for place in (at64, near):
            if 0 <= place <= len(data) - _END64.size and data[place : place + 4] == END64:
                _, _, _, _, disk64, _, _, n64, size64, offset64 = _END64.unpack_from(data, place)
                return End(place, after, disk64 if disk == 0xFFFF else disk, n64, size64, offset64, comment)
    return End(at, after, disk, n, size, offset, comment)


def _zip64(extra: bytes, size: int, packed: int, local: int) -> tuple[int, int, int]:
    """Put the numbers of a zip64 extra (0x0001) where the short ones are full."""
    if _FULL not in (size, packed, local):
        return size, packed, local
    for kind, body in fields(extra):
        if kind != 1:
            continue
        numbers = iter(struct.unpack_from(f"<{len(body) // 8}Q", body))
        size = next(numbers, size) if size == _FULL else size
        packed = next(numbers, packed) if packed == _FULL else packed
        local = next(numbers, local) if local == _FULL else local
        break
    return size, packed, local
