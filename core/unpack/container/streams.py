"""Opens packed streams that hold one file: gzip, bzip2, xz, lzma, lzip, zstd, lz4, compress and Microsoft's szdd.

Several streams one behind the other are one file, as every program reads them; what follows the last is a child.
Source: RFC 1952; the .xz file format 1.1.0; lzip's manual, "File format"; RFC 8878.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Final

from mxward.core.unpack.container.libread import LibraryError, Reader
from mxward.core.unpack.container.members import Members, readable
from mxward.core.unpack.container.zip_methods import (
    MAX_MEMORY,
    Broken,
    bounded,
    deflated,
    lzma_decoder,
    pulled,
    zstd_frame,
)  # fmt: skip
from mxward.core.unpack.work import Damaged, Item, Work

MAX_STREAMS: Final = 100_000  # one behind the other in one file
_ENDINGS: Final = (".gz", ".bz2", ".xz", ".lzma", ".lz", ".zst", ".lz4", ".z")
_TAR_ENDINGS: Final = {".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tlz": ".tar", ".tzst": ".tar"}
# one stream from the beginning of what is given: its content and its length
_One = Callable[[Work, memoryview], tuple[bytes, int]]


def open_gzip(item: Item, work: Work) -> None:
    """Tell the one file in a gzip file; the name in its header comes first."""
    _tell(item, work, _gzip, readable(_gzip_head(item.data[: 1 << 17])[1], "latin-1"))


def open_bzip2(item: Item, work: Work) -> None:
    """Tell the one file in a bzip2 file."""
    _tell(item, work, lambda work, data: bounded(work, bz2.BZ2Decompressor(), data))


def open_xz(item: Item, work: Work) -> None:
    """Tell the one file in an xz file; zeros between streams are padding."""
    _tell(item, work, lambda work, data: bounded(work, _xz_decoder(lzma.FORMAT_XZ), data))


def open_lzma(item: Item, work: Work) -> None:
    """Tell the one file in an old .lzma file."""
    _tell(item, work, lambda work, data: bounded(work, _xz_decoder(lzma.FORMAT_ALONE), data))


def open_lzip(item: Item, work: Work) -> None:
    """Tell the one file in an lzip file."""
    _tell(item, work, _lzip)


def open_zstd(item: Item, work: Work) -> None:
    """Tell the one file in a zstd file."""
    _tell(item, work, _zstd)


def open_lz4(item: Item, work: Work) -> None:
    """Tell the one file in an lz4 file."""
    _by_library(item, work, "lz4")


def open_compress(item: Item, work: Work) -> None:
    """Tell the one file in a file of the old program compress (.Z)."""
    _by_library(item, work, "compress")


def open_szdd(item: Item, work: Work) -> None:
    """Tell the one file that Microsoft's compress.exe packed (SZDD); KWAJ is recognised only."""
    data = item.data
    if not data.startswith(b"SZDD") or len(data) < 14:
        work.unseen(item, "unsupported", "KWAJ")
        return
    last = chr(data[9]) if 32 < data[9] < 127 else ""
    name = item.name[:-1] + last if item.name.endswith("_") and last else item.name
    size = int.from_bytes(data[10:14], "little")
    if size > work.purse.bytes_left:
        work.purse.spend_bytes(size)
    Members(item, work).file(_szdd(work, data, size), name)


def _tell(item: Item, work: Work, one: _One, *names: str) -> None:
    """Tell what `one` gives, called for stream after stream. Raises: OverBudget, Damaged."""
    view = memoryview(item.data)
    out: list[bytes] = []
    at = size = 0
    broken: Broken | None = None
    while at < len(view) and len(out) < MAX_STREAMS and (at == 0 or item.data[at : at + 2] == item.data[:2]):
        try:
            piece, n = one(work, view[at:])
        except Broken as error:
            broken, piece, n = error, error.content, len(view) - at
        size += len(piece)
        if size > work.purse.bytes_left:
            work.purse.spend_bytes(size)
        out.append(piece)
        at += n
        while item.data[at : at + 4] == b"\0\0\0\0":
            at += 4
    Members(item, work).file(b"".join(out), *(name for name in names if name), inner_name(item.name))
    if broken:
        raise broken
    rest = item.data[at:]
    if rest.strip(b"\0"):
        work.find(item, "CONTAINER_APPENDED")
        work.child(item, rest, "data after the container")


def inner_name(name: str) -> str:
    """What a file is called without the ending of its packing: "a.txt" for "a.txt.gz", "a.tar" for "a.tgz"."""
    low = name.lower()
    for ending, other in _TAR_ENDINGS.items():
        if low.endswith(ending):
            return name[: -len(ending)] + other
    ending = next((ending for ending in _ENDINGS if low.endswith(ending)), "")
    return name[: len(name) - len(ending)] or "content"


def _gzip(work: Work, data: memoryview) -> tuple[bytes, int]:
    """One member. RFC 1952 2.3."""
    head = _gzip_head(bytes(data[: 1 << 17]))[0]
    content, n = deflated(work, data[head:])
    end = head + n + 8
    if bytes(data[end - 8 : end]) != struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF):
        raise Broken(content)
    return content, end


def _gzip_head(data: bytes) -> tuple[int, bytes]:
    """Length of the header, and the name in it. Raises: Damaged."""
    if len(data) < 18 or data[2] != 8:
        raise Damaged("its head is not gzip's")
    flags, at, name = data[3], 10, b""
    if flags & 4:
        at += 2 + int.from_bytes(data[10:12], "little")
    for bit in (8, 16):  # name, comment
        if flags & bit:
            end = data.find(b"\0", at)
            if end < 0:
                raise Damaged("its head is not gzip's")
            name = data[at:end] if bit == 8 else name
            at = end + 1
    return at + (2 if flags & 2 else 0), name


def _xz_decoder(form: int) -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(form, memlimit=2 * MAX_MEMORY)


def _lzip(work: Work, data: memoryview) -> tuple[bytes, int]:
    """One lzip member: six bytes of head, LZMA with lc=3, lp=0, pb=2, twenty bytes of tail."""
    if len(data) < 26 or bytes(data[:4]) != b"LZIP" or data[4] > 1:
        raise Damaged("its head is not lzip's")
    base = 1 << (data[5] & 0x1F)
    size = base - (base // 16) * (data[5] >> 5)
    content, n = bounded(work, lzma_decoder(struct.pack("<BI", 93, min(size, 0xFFFFFFFF))), data[6:])
    if len(data) < 6 + n + 20 or int.from_bytes(data[6 + n : 10 + n], "little") != zlib.crc32(content):
        raise Damaged("a checksum is wrong")
    return content, 6 + n + 20


def _zstd(work: Work, data: memoryview) -> tuple[bytes, int]:
    """One frame, and the skippable frames behind it. RFC 8878 3.1."""
    content, at = zstd_frame(work, data)
    while len(data) - at >= 8 and data[at] & 0xF0 == 0x50 and bytes(data[at + 1 : at + 4]) == b"\x2a\x4d\x18":
        at = min(len(data), at + 8 + int.from_bytes(data[at + 4 : at + 8], "little"))
    return content, at


def _by_library(item: Item, work: Work, through: str) -> None:
    try:
        with Reader(item.data, "raw", through) as reader:
            for _ in reader:
                content, broken = _whole(work, reader)
                Members(item, work).file(content, inner_name(item.name))
                if broken:
                    raise broken
    except LibraryError as error:
        raise Damaged("its packed content breaks off") from error


def _whole(work: Work, reader: Reader) -> tuple[bytes, Broken | None]:
    try:
        return pulled(work, reader.pieces()), None
    except Broken as error:
        return error.content, error


def _szdd(work: Work, data: bytes, size: int) -> bytes:
    """LZSS with a window of 4 kB of blanks; sixteen literals or matches a flag byte pair."""
    out = bytearray(b" " * 4096)  # what stands before the text: matches may reach into it
    at, begin = 14, len(out)
    while at < len(data) and len(out) - begin < size:
        flags, at = data[at], at + 1
        for bit in range(8):
            if at >= len(data):
                break
            if flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 1 >= len(data):
                raise Damaged("its packed content breaks off")
            place, n = data[at] | (data[at + 1] & 0xF0) << 4, (data[at + 1] & 0xF) + 3
            at += 2
            back = (len(out) - begin - 16 - place) % 4096 or 4096  # window position 4080 is where the text begins
            for _ in range(n):
                out.append(out[-back])
        work.purse.check_time()
    return bytes(out[begin : begin + size])
