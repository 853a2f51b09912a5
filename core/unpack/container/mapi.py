"""Properties of Outlook's messages, as TNEF and .msg files hold them, and the packed RTF of their bodies.

Source: MS-OXPROPS (numbers), MS-OXCDATA 2.11 (types), MS-OXTNEF 2.1.3.4 (properties in TNEF), MS-OXRTFCP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from mxward.core.unpack.work import Damaged

SUBJECT, BODY, RTF, HTML, SENDER, NAME = 0x0037, 0x1000, 0x1009, 0x1013, 0x0C1A, 0x3001
DATA, SHORT_NAME, LONG_NAME, MIME_TYPE = 0x3701, 0x3704, 0x3707, 0x370E
STRING8, UNICODE, OBJECT, BINARY = 0x1E, 0x1F, 0x0D, 0x102
_FIXED: Final = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE: Final = (STRING8, UNICODE, OBJECT, BINARY)
_MANY: Final = 0x1000
_MAX_PROPERTIES: Final = 20_000
_PACKED, _PLAIN = b"LZFu", b"MELA"
# what every packed RTF may refer to before its own first byte: MS-OXRTFCP 2.1.2.1
_DICTIONARY: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u"
    rb"\tab\tx"
)


class Property(NamedTuple):
    """One property: number, type and raw value."""

    number: int
    kind: int
    value: bytes

    @property
    def text(self) -> str:
        """The value as text."""
        return text_of(self.value, self.kind)


def text_of(value: bytes, kind: int) -> str:
    """A string property as text; its end mark is dropped."""
    text = value.decode("utf-16-le", "replace") if kind == UNICODE else value.decode("cp1252", "replace")
    return text.rstrip("\0")


def properties(data: bytes, at: int = 0) -> Iterator[Property]:
    """Properties as TNEF writes them. Raises: Damaged when they break off."""
    try:
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        for _ in range(min(count, _MAX_PROPERTIES)):
            kind, number = struct.unpack_from("<HH", data, at)
            at += 4
            if number >= 0x8000:
                at = _named(data, at)
            values, at = _values(data, at, kind)
            for value in values:
                yield Property(number, kind & ~_MANY, value)
    except struct.error as error:
        raise Damaged("its properties break off") from error


def _named(data: bytes, at: int) -> int:
    (kind,) = struct.unpack_from("<I", data, at + 16)
    if kind == 0:
        return at + 24
    size: int = struct.unpack_from("<I", data, at + 20)[0]
    return at + 24 + (size + 3 & ~3)


def _values(data: bytes, at: int, kind: int) -> tuple[list[bytes], int]:
    many, kind = bool(kind & _MANY), kind & ~_MANY
    count = 1
    if many or kind in _VARIABLE:
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
    out = []
    for _ in range(min(count, _MAX_PROPERTIES)):
        if kind in _VARIABLE:
            (size,) = struct.unpack_from("<I", data, at)
            at += 4
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise Damaged("a property of it has an unknown type")
        if at + size > len(data):
            raise Damaged("its properties break off")
        out.append(data[at : at + size])
        at += size + 3 & ~3 if kind in _VARIABLE else size
    return out, at


def rtf(packed: bytes, most: int) -> bytes:
    """The RTF of a packed body, at most `most` bytes of it. Raises: Damaged."""
    if len(packed) < 16:
        raise Damaged("its packed text breaks off")
    kind, size = packed[8:12], struct.unpack_from("<I", packed, 4)[0]
    if kind == _PLAIN:
        return packed[16 : 16 + min(size, most)]
    if kind != _PACKED:
        raise Damaged("its packed text is of no known kind")
    out = bytearray(_DICTIONARY)
    end, at = len(_DICTIONARY) + min(size, most), 16
    while at < len(packed) and len(out) < end:
        flags, at = packed[at], at + 1
        for bit in range(8):
            if flags >> bit & 1:
                word = int.from_bytes(packed[at : at + 2], "big")
                at += 2
                back = (len(out) - (word >> 4)) % 4096
                if back == 0 or back > len(out):  # where writing stands: the end mark
                    return bytes(out[len(_DICTIONARY) : end])
                for _ in range((word & 0xF) + 2):
                    out.append(out[-back])
            elif at < len(packed):
                out.append(packed[at])
                at += 1
    return bytes(out[len(_DICTIONARY) : end])
