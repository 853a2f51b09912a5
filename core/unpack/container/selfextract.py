"""Programs that carry a container behind their own end: self-extracting archives and installers.

What stands behind the last section of a Windows program is its overlay. Source: Microsoft, "PE Format".
"""

from __future__ import annotations

import struct
from typing import Final

from mxward.core.unpack.work import Item, Work
from mxward.pyx.filetype import identify

_CONTAINERS: Final[dict[bytes, str]] = {
    b"PK\3\4": "application/zip",
    b"Rar!\x1a\7": "application/vnd.rar",
    b"7z\xbc\xaf\x27\x1c": "application/x-7z-compressed",
    b"MSCF\0\0\0\0": "application/vnd.ms-cab-compressed",
}
_MAX_SECTIONS: Final = 96
_SEARCHED: Final = 4 << 20  # of the overlay, for the beginning of a container: small texts may stand before it


def open_program(item: Item, work: Work) -> None:
    """Tell the container in the overlay of a program, or in it, when there is one."""
    data = item.data
    begin = overlay(data)
    found = [(at, mark) for mark in _CONTAINERS if (at := data.find(mark, begin, begin + _SEARCHED)) >= 0]
    if found:
        at, mark = min(found)
        if identify(data[at : at + 4096]) and _is_plausible(data, at, mark):
            work.find(item, "CONTAINER_SELF_EXTRACTING")
            work.child(item, data[at:], "data behind the program", true_type=_CONTAINERS[mark])


def overlay(data: bytes) -> int:
    """Where the sections of a program end; the whole of it when its headers make no sense."""
    if len(data) < 64:
        return len(data)
    (header,) = struct.unpack_from("<I", data, 60)
    if data[header : header + 4] != b"PE\0\0" or header + 24 > len(data):
        return 64
    n_sections, n_optional = (
        struct.unpack_from("<H", data, header + 6)[0],
        struct.unpack_from("<H", data, header + 20)[0],
    )
    at, end = header + 24 + n_optional, 0
    for number in range(min(n_sections, _MAX_SECTIONS)):
        place = at + 40 * number
        if place + 40 > len(data):
            break
        size, begin = struct.unpack_from("<II", data, place + 16)
        end = max(end, begin + size if size else 0)
    return end if end <= len(data) else len(data)


def _is_plausible(data: bytes, at: int, mark: bytes) -> bool:
    """Whether more than the mark is there. A zip has its end, a cabinet its size."""
    if mark == b"PK\3\4":
        return data.find(b"PK\5\6", at) > 0
    if mark == b"MSCF\0\0\0\0":
        return at + 36 <= len(data) and int.from_bytes(data[at + 8 : at + 12], "little") <= len(data) - at
    return True
