"""What can be said of a container without opening it: the names inside a zip, and what is encrypted.

This serves a pipeline without an opener (children.py). Only headers are read, with every count and offset checked;
nothing is decompressed. A container whose content cannot be seen adds a `not_inspected` entry to the message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from mxward.core.message import Message, Part
from mxward.core.verdict import NotInspected

MAX_ENTRIES: Final = 10_000  # names listed of one container
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")  # APPNOTE 4.3.12
_LOCAL: Final = struct.Struct("<4s5H3I2H")  # APPNOTE 4.3.7
_END: Final = struct.Struct("<4s4H2IH")  # APPNOTE 4.3.16
_ENCRYPTED_FLAG: Final = 0x0001
_MASKED_FLAG: Final = 0x2000  # central directory encrypted, local header values masked


class ZipEntry(NamedTuple):
    """One entry as the headers tell it."""

    name: str
    flags: int
    size: int

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & (_ENCRYPTED_FLAG | _MASKED_FLAG))


def zip_entries(data: bytes | memoryview) -> list[ZipEntry]:
    """Entries of the central directory and of the local headers; their union, for readers that trust either.

    Never raises on any bytes; at most MAX_ENTRIES.
    """
    raw = bytes(data)
    entries = dict.fromkeys(_central(raw))
    entries.update(dict.fromkeys(_locals(raw)))
    return list(entries)[:MAX_ENTRIES]


def _text(name: bytes, flags: int) -> str:
    return name.decode("utf-8", "replace") if flags & 0x0800 else name.decode("cp437")


def _central(raw: bytes) -> list[ZipEntry]:
    at = raw.rfind(b"PK\x05\x06", max(0, len(raw) - 65_557))
    found: list[ZipEntry] = []
    if at < 0 or len(raw) - at < _END.size:
        return found
    at = _END.unpack_from(raw, at)[6]
    while len(raw) - at >= _CENTRAL.size and raw.startswith(b"PK\x01\x02", at) and len(found) < MAX_ENTRIES:
        row = _CENTRAL.unpack_from(raw, at)
        flags, size, n = row[3], row[9], row[10]
        found.append(ZipEntry(_text(raw[at + _CENTRAL.size : at + _CENTRAL.size + n], flags), flags, size))
        at += _CENTRAL.size + n + row[11] + row[12]
    return found


def _locals(raw: bytes) -> list[ZipEntry]:
    """Local headers wherever their signature stands: a scan, so that hidden entries are seen."""
    found: list[ZipEntry] = []
    at = raw.find(b"PK\x03\x04")
    while at >= 0 and len(raw) - at >= _LOCAL.size and len(found) < MAX_ENTRIES:
        row = _LOCAL.unpack_from(raw, at)
        flags, method, packed, size, n = row[2], row[3], row[7], row[8], row[9]
        if method < 100 and n < 4096:
            found.append(ZipEntry(_text(raw[at + _LOCAL.size : at + _LOCAL.size + n], flags), flags, size))
        # a stored inner zip has signatures of its own: skip content whose length the header gives
        step = _LOCAL.size + n + row[10] + (packed if packed <= len(raw) - at else 0)
        at = raw.find(b"PK\x03\x04", at + step)
    return found


def _zip(message: Message, part: Part) -> None:
    entries = zip_entries(part.data)
    message.views.setdefault("inside", {})[part.index] = tuple(e.name for e in entries)
    hidden = [e.name for e in entries if e.is_encrypted]
    if hidden:
        message.not_inspected.append(NotInspected(part.index, "encrypted", f"{len(hidden)} entries of a zip"))


def _rar(message: Message, part: Part) -> None:
    """RAR 5: an encryption header follows the signature. RAR 4: flag 0x80 of the main header; file flag 0x04."""
    data = bytes(part.data[:256])
    five = data.startswith(b"Rar!\x1a\x07\x01\x00")
    sealed = five and len(data) > 13 and 4 in data[12:15]
    if not five and len(data) > 12:
        sealed = bool(data[10] & 0x80) or (len(data) > 24 and data[22] == 0x74 and bool(data[23] & 0x04))
    if sealed:
        message.not_inspected.append(NotInspected(part.index, "encrypted", "rar"))


def _sevenzip(message: Message, part: Part) -> None:
    """The AES coder's identifier stands in the end header; that is plain unless the header is packed too."""
    data = bytes(part.data)
    if len(data) >= 32:
        at, size = struct.unpack_from("<QQ", data, 12)
        header = data[32 + at : 32 + at + min(size, 1 << 20)] if at < len(data) else b""
        if b"\x06\xf1\x07\x01" in header:
            message.not_inspected.append(NotInspected(part.index, "encrypted", "7z"))


def _office(message: Message, part: Part) -> None:
    message.not_inspected.append(NotInspected(part.index, "encrypted", "Office document"))


_ZIPS: Final = (
    "application/zip", "application/java-archive", "application/vnd.android.package-archive", "application/epub+zip",
    "application/vnd.openxmlformats-officedocument", "application/x-xpinstall", "application/vnd.ms-appx",
)  # fmt: skip
# true type -> what looks at it
_LOOK: Final[dict[str, Callable[[Message, Part], None]]] = {
    **dict.fromkeys(_ZIPS, _zip),
    "application/vnd.rar": _rar,
    "application/x-7z-compressed": _sevenzip,
    "application/encrypted": _office,
}


def list_containers(message: Message) -> None:
    """List what the headers of containers tell, for a pipeline that has nothing to open them with."""
    for part in message.parts:
        if part.true_type in _LOOK and part.data:
            _LOOK[part.true_type](message, part)
