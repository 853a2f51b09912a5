"""What the members of a zip are packed with: one decoder a method, each bounded, each telling how far it read.

Source: PKWARE APPNOTE 6.3.10, 4.4.5 and 5. Methods 1 to 5, 10, 16 to 19, 94, 96 and
97 are not read; 6 is in zip_implode.py.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import inflate64
import pyppmd
import zstandard

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.container.zip_implode import exploded
from mxward.core.unpack.work import Damaged, Work

MAX_MEMORY: Final = 64 << 20  # dictionary or model of one decoder
_IMPLODED: Final = 6
_STEP: Final = 1 << 16  # bytes in at once
_OUT: Final = 1 << 20  # bytes out at once


class Unknown(Exception):
    """A method that is not read here."""


class Broken(Damaged):
    """Packed content that ends early or turns wrong; `content` is what came out of it before."""

    def __init__(self, content: bytes) -> None:
        super().__init__("its packed content breaks off")
        self.content = content


ERRORS: Final = (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError, ValueError, EOFError, struct.error)


def pulled(work: Work, pieces: Iterator[bytes]) -> bytes:
    """Join what a decoder gives. Raises: Broken with what came before its error; OverBudget."""
    broken: list[Exception] = []

    def until_broken() -> Iterator[bytes]:
        try:
            yield from pieces
        except (*ERRORS, Damaged) as error:
            broken.append(error)

    content = work.pull(until_broken())
    if broken:
        raise Broken(content) from broken[0]
    return content


def unpacked(work: Work, method: int, packed: memoryview, size: int, flags: int = 0) -> tuple[bytes, int]:
    """The content of a member, and how many bytes of `packed` it took.

    Args: packed: its bytes and perhaps more behind them; size: how long it says it is, trusted by PPMd
    and imploding only; flags: of the header.
    Raises: OverBudget, Damaged, Unknown.
    """
    if method == _IMPLODED:
        return exploded(work, packed, size, flags), len(packed)
    decoder = _DECODERS.get(method)
    if decoder is None:
        raise Unknown(f"packed with method {method}")
    try:
        return decoder(work, packed, size)
    except ERRORS as error:
        raise Damaged("its packed content breaks off") from error


def bounded(work: Work, decoder: Any, packed: memoryview) -> tuple[bytes, int]:
    """Decode by an object as of bz2 and lzma: decompress(data, max_length), eof, unused_data."""
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        while not decoder.eof:
            step = packed[taken : taken + _STEP] if decoder.needs_input else b""
            if decoder.needs_input and not step:
                raise Damaged("its packed content breaks off")
            taken += len(step)
            yield decoder.decompress(step, _OUT)

    whole = pulled(work, pieces())
    return whole, taken - len(decoder.unused_data)


def _stored(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    return bytes(packed), len(packed)


def deflated(work: Work, packed: memoryview, size: int = 0) -> tuple[bytes, int]:
    """Decode deflate (RFC 1951). Raises: Broken, OverBudget."""
    decoder = zlib.decompressobj(-15)
    with suppress(zlib.error):
        whole = decoder.decompress(packed, min(_OUT, work.purse.bytes_left + 1))
        if decoder.eof and len(whole) <= work.purse.bytes_left:
            return whole, len(packed) - len(decoder.unused_data)
    try:
        return _deflated(work, packed, len(packed))
    except Broken:
        return _deflated(work, packed, 256)  # small steps save what stands before the error


def _deflated(work: Work, packed: memoryview, step: int) -> tuple[bytes, int]:
    decoder = zlib.decompressobj(-15)
    at = 0

    def pieces() -> Iterator[bytes]:
        nonlocal at
        while not decoder.eof:
            given = decoder.unconsumed_tail or packed[at : at + step]
            at += 0 if decoder.unconsumed_tail else len(given)
            piece = decoder.decompress(given, _OUT)
            if not piece and not decoder.eof and at >= len(packed) and not decoder.unconsumed_tail:
                raise Damaged("its packed content breaks off")
            yield piece

    whole = pulled(work, pieces())
    return whole, at - len(decoder.unused_data)


def _deflated64(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    decoder = inflate64.Inflater()
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        while not decoder.eof and taken < len(packed):
            step = bytes(packed[taken : taken + 2048])  # unbounded output: at most 1,032 times that
            taken += len(step)
            yield decoder.inflate(step)

    return pulled(work, pieces()), len(packed)


def _bzipped(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    return bounded(work, bz2.BZ2Decompressor(), packed)


def _xz(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    return bounded(work, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * MAX_MEMORY), packed)


def _lzma(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    n_properties = struct.unpack_from("<H", packed, 2)[0]
    if n_properties != 5:
        raise Damaged("its packed content breaks off")
    taken = 9
    decoder = lzma_decoder(packed[4:9])
    if size and size <= work.purse.bytes_left:  # an end marker is optional: then only the size ends it
        whole = decoder.decompress(packed[taken:], size)
        return whole, len(packed) - len(decoder.unused_data)
    whole, n = bounded(work, decoder, packed[taken:])
    return whole, taken + n


def lzma_decoder(properties: bytes | memoryview) -> lzma.LZMADecompressor:
    """A decoder of LZMA1 by its five bytes. Raises: Damaged."""
    first, dictionary = struct.unpack("<BI", properties)
    if first >= 9 * 5 * 5:
        raise Damaged("it has properties that LZMA does not know")
    filters = [
        {"id": lzma.FILTER_LZMA1, "lc": first % 9, "lp": first // 9 % 5, "pb": first // 45,
         "dict_size": max(4096, min(dictionary, MAX_MEMORY))},
    ]  # fmt: skip
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


def _zstd(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    return zstd_frame(work, packed)


def zstd_frame(work: Work, packed: memoryview) -> tuple[bytes, int]:
    """Decode one zstd frame. Raises: OverBudget, Broken."""
    decoder = zstandard.ZstdDecompressor(max_window_size=MAX_MEMORY).decompressobj()
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        while not decoder.eof:
            step = bytes(packed[taken : taken + 256])  # unbounded output: a block of 128 kB can take 4 bytes
            if not step:
                raise Damaged("its packed content breaks off")
            taken += len(step)
            yield decoder.decompress(step)

    try:
        whole = pulled(work, pieces())
    except Broken as error:
        if "memory" in str(error.__cause__):
            raise OverBudget("limit:memory", "asks for a large window") from error
        raise
    return whole, taken - len(decoder.unused_data)


def _ppmd(work: Work, packed: memoryview, size: int) -> tuple[bytes, int]:
    word = struct.unpack_from("<H", packed)[0]
    order, memory, restore = (word & 0xF) + 1, ((word >> 4 & 0xFF) + 1) << 20, word >> 12
    if memory > MAX_MEMORY:
        raise OverBudget("limit:memory", "asks for a large model")
    if size > work.purse.bytes_left:
        work.purse.spend_bytes(size)
    decoder = pyppmd.Ppmd8Decoder(order, memory, restore)
    return decoder.decode(bytes(packed[2:]), size), len(packed)


_Decoder = Callable[[Work, memoryview, int], tuple[bytes, int]]
_DECODERS: Final[dict[int, _Decoder]] = {
    0: _stored, 8: deflated, 9: _deflated64, 12: _bzipped, 14: _lzma, 20: _zstd, 93: _zstd, 95: _xz, 98: _ppmd,
}  # fmt: skip
