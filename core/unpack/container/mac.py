"""Opens what Macintosh mail programs wrap files in: AppleSingle, AppleDouble, MacBinary and BinHex 4.0.

Source: RFC 1740, appendices; RFC 1741 (BinHex); the MacBinary II and III notes.
"""

from __future__ import annotations

import binascii
import re
import struct
from typing import Final

from mxward.core.unpack.container.members import Members, readable
from mxward.core.unpack.work import Damaged, Item, Work

_DATA_FORK, _RESOURCE_FORK, _NAME = 1, 2, 3
_HEAD: Final = 26
_ENTRY: Final = struct.Struct(">III")
_KNOWN: Final = {_DATA_FORK: "data fork", _RESOURCE_FORK: "resource fork"}
_BINHEX: Final = re.compile(rb"(?:^|[\r\n])[ \t]*:([^:]*)(:?)")
_SIGNS: Final = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64: Final = bytes.maketrans(_SIGNS, _BASE64)
_OTHER_SIGNS: Final = bytes(set(range(256)) - set(_SIGNS))
_REPEAT: Final = 0x90
_MACBINARY: Final = 128  # bytes of its header


def open_apple(item: Item, work: Work) -> None:
    """Tell the forks of an AppleSingle or AppleDouble file."""
    data, members = item.data, Members(item, work)
    if len(data) < _HEAD:
        raise Damaged("it breaks off")
    (count,) = struct.unpack_from(">H", data, 24)
    entries = [_ENTRY.unpack_from(data, at) for at in range(_HEAD, len(data) - _ENTRY.size + 1, _ENTRY.size)][:count]
    name = next((readable(data[at : at + n], "mac-roman") for kind, at, n in entries if kind == _NAME), "")
    for kind, at, n in entries:
        if kind in _KNOWN and n:
            content = data[at : at + n]
            members.file(content, *((name,) if kind == _DATA_FORK and name else ()), _KNOWN[kind])
            if len(content) < n:
                raise Damaged("it breaks off")
    if len(entries) < count:
        raise Damaged("it breaks off")


def open_macbinary(item: Item, work: Work) -> None:
    """Tell the forks of a MacBinary file."""
    data, members = item.data, Members(item, work)
    if len(data) < _MACBINARY:
        raise Damaged("it breaks off")
    n_data, n_resource = struct.unpack_from(">II", data, 83)
    name = readable(data[2 : 2 + min(data[1], 63)], "mac-roman")
    members.file(data[_MACBINARY : _MACBINARY + n_data], name, _KNOWN[_DATA_FORK])
    at = _MACBINARY + (n_data + 127 & ~127)
    if n_resource:
        members.file(data[at : at + n_resource], _KNOWN[_RESOURCE_FORK])
    if len(data) < at + n_resource:
        raise Damaged("it breaks off")


def open_binhex(item: Item, work: Work) -> None:
    """Tell the forks of a file encoded by BinHex 4.0. RFC 1741, appendix A."""
    found = _BINHEX.search(item.data)
    if found is None:
        raise Damaged("no whole file stands in it")
    signs = found[1].translate(_TO_BASE64, _OTHER_SIGNS)
    packed = binascii.a2b_base64(signs + b"A" * (-len(signs) % 4))
    data = _repeated(packed, work)
    n_name = data[0] if data else 0
    head = 1 + n_name + 1  # name and version
    if len(data) < head + 20:
        raise Damaged("it breaks off")
    n_data, n_resource = struct.unpack_from(">II", data, head + 10)
    at, members = head + 20, Members(item, work)
    members.file(data[at : at + n_data], readable(data[1 : 1 + n_name], "mac-roman"), _KNOWN[_DATA_FORK])
    at += n_data + 2
    if n_resource:
        members.file(data[at : at + n_resource], _KNOWN[_RESOURCE_FORK])
    if len(data) < at + n_resource or not found[2]:
        raise Damaged("it breaks off")


def _repeated(packed: bytes, work: Work) -> bytes:
    """Undo the run lengths: 90 n repeats the byte before n - 1 times, 90 00 is a plain 90."""
    first, *rest = packed.split(bytes([_REPEAT]))
    out, size = [first], len(first)
    for piece in rest:
        n = piece[0] if piece else 0
        last = next((chunk[-1:] for chunk in reversed(out) if chunk), b"")
        run = last * (n - 1) if n else bytes([_REPEAT])
        out += [run, piece[1:]]
        size += len(run) + len(piece)
        if size > work.purse.bytes_left:
            work.purse.spend_bytes(size)
    return b"".join(out)
