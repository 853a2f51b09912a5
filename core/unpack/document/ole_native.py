"""Files packed into documents: OLE 1.0 objects, packages, links. Source: [MS-OLEDS] 2.2, 2.3; the Packager's stream."""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.work import Item, Work

EQUATION: Final = re.compile(r"(?i)^equation(?:\.[23])?$|0002ce0[23]-0000-0000-c000-000000000046")
_URL_MONIKER: Final = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
_FILE_MONIKER: Final = bytes.fromhex("0303000000000000c000000000000046")
_LINKED, _EMBEDDED = 1, 2
_LINK: Final = 1  # of a package; 3 is a file


class Package(NamedTuple):
    """What the Packager stores of a file."""

    names: tuple[str, ...]  # label, path, path it was copied from
    content: bytes
    is_link: bool


def package(data: bytes) -> Package | None:
    """Read an Ole10Native stream, with or without its size before it; None when it is none."""
    for at in (4, 0):
        if (found := _package(data, at)) is not None:
            return found
    return None


def _package(data: bytes, at: int) -> Package | None:
    if len(data) < at + 10 or struct.unpack_from("<H", data, at)[0] != 2:
        return None
    label, at = _zero_ended(data, at + 2)
    path, at = _zero_ended(data, at)
    if at + 8 > len(data):
        return None
    _, kind, n_source = struct.unpack_from("<HHI", data, at)
    if kind == _LINK:
        path = _zero_ended(data, at + 6)[0] or path
        return Package(tuple(name.decode("cp1252", "replace") for name in (label, path)), b"", True)
    source = data[at + 8 : at + 8 + n_source].rstrip(b"\0")
    at += 8 + n_source
    names = tuple(dict.fromkeys(name for name in (label, path, source) if name))
    shown = tuple(name.decode("cp1252", "replace") for name in names)
    if at + 4 > len(data):
        return Package(shown, b"", True) if shown else None
    size = struct.unpack_from("<I", data, at)[0]
    wide = _wide_names(data, at + 4 + size)
    return Package((*wide, *shown), data[at + 4 : at + 4 + size], False)


def _wide_names(data: bytes, at: int) -> tuple[str, ...]:
    """The same names in UTF-16, which newer programs add behind the content."""
    found = []
    for _ in range(3):
        if at + 4 > len(data):
            break
        n = struct.unpack_from("<I", data, at)[0]
        if n > 2048 or at + 4 + 2 * n > len(data):
            break
        found.append(data[at + 4 : at + 4 + 2 * n].decode("utf-16-le", "replace").rstrip("\0"))
        at += 4 + 2 * n
    return tuple(name for name in dict.fromkeys(found) if name)


def _zero_ended(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\0", at, at + 4096)
    return (data[at:end], end + 1) if end >= 0 else (b"", len(data))


def tell_package(item: Item, work: Work, data: bytes) -> bool:
    """Tell the file in an Ole10Native stream; whether there was one."""
    found = package(data)
    if found is None:
        return False
    work.find(item, "OFFICE_PACKAGE")
    names = tuple(name.replace("\\", "/").rpartition("/")[2] or name for name in found.names)
    if found.content:
        work.child(item, found.content, *dict.fromkeys((*names, *found.names)))
    for name in found.names[-1:] if found.is_link else ():
        work.find(item, "OFFICE_LINKED_OBJECT")
        work.listed(item, name)
        tell_target(item, work, "object", name, "OFFICE_REMOTE_OBJECT")
    return True


def tell_class(item: Item, work: Work, name: str) -> None:
    """Tell what the class of an object means. Args: name: a program's name or a class number."""
    if EQUATION.search(name):
        work.find(item, "OFFICE_EQUATION")
    elif name.lower().startswith(("forms.", "shockwaveflash", "wmplayer", "mscomctl", "shell.explorer")):
        work.find(item, "OFFICE_ACTIVEX")


def tell_object_1(item: Item, work: Work, data: bytes) -> bool:
    """Tell an OLE 1.0 object, as RTF has it; whether it was one."""
    if len(data) < 12:
        return False
    kind: int = struct.unpack_from("<I", data, 4)[0] & 0xFF
    names, at = [], 8
    for _ in range(3):  # class, topic, item
        if at + 4 > len(data):
            return False
        n = struct.unpack_from("<I", data, at)[0]
        if n > 4096 or at + 4 + n > len(data):
            return False
        names.append(data[at + 4 : at + 4 + n].rstrip(b"\0").decode("cp1252", "replace"))
        at += 4 + n
    tell_class(item, work, names[0])
    if kind == _LINKED:
        work.find(item, "OFFICE_LINKED_OBJECT")
        tell_target(item, work, "object", names[1], "OFFICE_REMOTE_OBJECT")
    if kind != _EMBEDDED or at + 4 > len(data):
        return kind == _LINKED
    size = struct.unpack_from("<I", data, at)[0]
    native = data[at + 4 : at + 4 + size]
    work.find(item, "OFFICE_EMBEDDED_OBJECT")
    if names[0].lower() == "package" and tell_package(item, work, native):
        return True
    work.child(item, native, names[0] or "object")
    rest = data[at + 4 + size :]
    if len(rest) > 64:
        work.child(item, rest, "shown in the object's place")
    return True


def tell_link(item: Item, work: Work, data: bytes) -> None:
    """Tell where the stream \\1Ole of an object leads to ([MS-OLEDS] 2.3.3)."""
    is_linked = len(data) >= 8 and bool(data[4] & 1)
    if is_linked:
        work.find(item, "OFFICE_LINKED_OBJECT")
    at = -1
    while (at := data.find(_URL_MONIKER, at + 1)) >= 0:
        n = struct.unpack_from("<I", data, at + 16)[0] if at + 20 <= len(data) else 0
        url = data[at + 20 : at + 20 + min(n, 8192)].decode("utf-16-le", "replace").partition("\0")[0]
        tell_target(item, work, "object", url, "OFFICE_REMOTE_OBJECT")
    at = data.find(_FILE_MONIKER)
    if at >= 0 and at + 22 <= len(data):
        n = struct.unpack_from("<I", data, at + 18)[0]
        path = data[at + 22 : at + 22 + min(n, 4096)].rstrip(b"\0").decode("cp1252", "replace")
        tell_target(item, work, "object", path, "OFFICE_REMOTE_OBJECT")
