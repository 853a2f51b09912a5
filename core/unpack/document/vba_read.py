"""Macro projects: the packed containers and the table of modules ([MS-OVBA] 2.3.4.2, 2.4.1). What they mean: vba.py."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_SOURCE: Final = 8 << 20  # of one module; Office itself allows 64 kB of lines
MAX_MODULES: Final = 1000
_CHUNK: Final = 4096
_CODE_PAGE, _NAME, _NAME_WIDE, _STREAM, _STREAM_WIDE, _OFFSET, _VERSION, _END = 3, 0x19, 0x47, 0x1A, 0x32, 0x31, 9, 0x10
_MODULE_END: Final = 0x2B


class NotPacked(Exception):
    """The bytes are no packed container."""


class Module(NamedTuple):
    """One module as the table tells of it."""

    name: str
    stream: str
    offset: int  # of the packed source in the stream


def unpacked(data: bytes | memoryview, at: int = 0, most: int = MAX_SOURCE) -> bytes:
    """Unpack the container at `at`; what a torn one gives until it breaks off.

    Raises: NotPacked when none begins there. Cost: linear in what comes out, at most `most` bytes and a chunk.
    """
    if at >= len(data) or data[at] != 1:
        raise NotPacked
    out = bytearray()
    at += 1
    while at + 2 <= len(data) and len(out) < most:
        header = data[at] | data[at + 1] << 8
        if header >> 12 & 7 != 3:
            if not out:
                raise NotPacked
            break
        end = min(len(data), at + (header & 0xFFF) + 3)
        if header & 0x8000:
            _chunk(data, at + 2, end, out)
        else:
            out += data[at + 2 : min(at + 2 + _CHUNK, len(data))]
            end = at + 2 + _CHUNK
        at = end
    return bytes(out)


def _chunk(data: bytes | memoryview, at: int, end: int, out: bytearray) -> None:
    """One packed chunk: bits of a flag byte say whether a byte or a copy follows (2.4.1.3.5)."""
    start = len(out)
    while at < end and len(out) - start <= _CHUNK:
        flags = data[at]
        at += 1
        if not flags and at + 8 <= end:
            out += data[at : at + 8]
            at += 8
            continue
        for bit in range(8):
            if at >= end:
                return
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 2 > end:
                return
            token = data[at] | data[at + 1] << 8
            at += 2
            done = len(out) - start
            bits = max(4, (done - 1).bit_length()) if done > 1 else 4
            length, back = (token & (0xFFFF >> bits)) + 3, (token >> (16 - bits)) + 1
            if back > done:
                return
            _copy(out, back, length)


def _copy(out: bytearray, back: int, length: int) -> None:
    """Append `length` bytes from `back` bytes ago; they may overlap what they make."""
    piece = out[-back:]
    if length > back:
        piece = piece * (length // back + 1)
    out += piece[:length]


def modules_of(table: bytes) -> tuple[list[Module], str]:
    """The modules of an unpacked dir stream, and the codec of its texts. A torn table gives those before the tear."""
    codec = "cp1252"
    found: list[Module] = []
    name = stream = ""
    for kind, body in _records(table):
        if kind == _CODE_PAGE and len(body) >= 2:
            codec = codec_of(struct.unpack_from("<H", body)[0])
        elif kind == _NAME:
            name, stream = body.decode(codec, "replace"), ""
        elif kind == _NAME_WIDE:
            name = body.decode("utf-16-le", "replace")
        elif kind == _STREAM:
            stream = body.decode(codec, "replace")
        elif kind == _STREAM_WIDE:
            stream = body.decode("utf-16-le", "replace")
        elif kind == _OFFSET and len(body) >= 4 and len(found) < MAX_MODULES:
            found.append(Module(name, stream or name, struct.unpack_from("<I", body)[0]))
    return found, codec


def _records(table: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each record. The version's size is wrong by definition (2.3.4.2.1.11)."""
    at = 0
    while at + 6 <= len(table):
        kind, size = struct.unpack_from("<HI", table, at)
        at += 6
        if kind == _VERSION:
            size = 6
        yield kind, table[at : at + size]
        at += size


def codec_of(code_page: int) -> str:
    """The name Python has for a Windows code page; cp1252 for those it does not know."""
    names = {65001: "utf-8", 1200: "utf-16-le", 10000: "mac_roman", 28591: "latin-1", 20127: "ascii", 936: "gb18030"}
    name = names.get(code_page, f"cp{code_page}")
    try:
        b"".decode(name)
    except LookupError:
        return "cp1252"
    return name


def sources_in(data: bytes, most: int = 100) -> Iterator[bytes]:
    """Sources of modules by their first words, wherever they stand: for projects whose tables are damaged or lie.

    Every source begins with "Attribute", of which the packer takes a copy no earlier than its ninth byte.
    """
    at = 0
    while most and (at := data.find(b"\0Attribut\0e ", at)) >= 0:
        start = at - 3
        at += 10
        if start < 0 or data[start] != 1:
            continue
        try:
            yield unpacked(memoryview(data), start)
        except NotPacked:
            continue
        most -= 1
