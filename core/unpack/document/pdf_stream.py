"""Streams of a PDF decoded within the budget (ISO 32000-1, 7.4): the library's own decoding has no bound."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Final

import pikepdf

from mxward.core.unpack.work import Damaged, Work

MAX_FILTERS: Final = 16  # in a row, on one stream
_SPACE: Final = re.compile(rb"[\0\t\n\f\r ]+")
_SHORT: Final = {"/Fl": "/FlateDecode", "/AHx": "/ASCIIHexDecode", "/A85": "/ASCII85Decode", "/LZW": "/LZWDecode",
                 "/RL": "/RunLengthDecode"}  # fmt: skip


def decoded(stream: pikepdf.Stream, work: Work) -> bytes:
    """What a stream holds. Filters of pictures end the decoding: their data is given as it is.

    Raises: Damaged when a filter cannot be undone at all; OverBudget.
    """
    data = stream.read_raw_bytes()
    filters, has_predictor = _filters(stream)
    for name in filters:
        if name == "/Crypt":
            continue  # undone by the library
        if name not in _DECODERS:
            return data
        data = _DECODERS[name](data, work)
        work.purse.check_time()
    if has_predictor:  # it makes nothing larger, so what the library gives is bounded by what came out here
        try:
            return stream.read_bytes()
        except pikepdf.PdfError as error:
            raise Damaged("a stream that cannot be decoded") from error
    return data


def _filters(stream: pikepdf.Stream) -> tuple[list[str], bool]:
    named = stream.get("/Filter", stream.get("/F"))
    names = [named] if isinstance(named, pikepdf.Name) else list(named) if isinstance(named, pikepdf.Array) else []
    if len(names) > MAX_FILTERS:
        raise Damaged("a stream with too many filters")
    options = stream.get("/DecodeParms", stream.get("/DP"))
    listed = list(options) if isinstance(options, pikepdf.Array) else [options]
    has_predictor = any(isinstance(one, pikepdf.Dictionary) and "/Predictor" in one for one in listed)
    return [_SHORT.get(str(name), str(name)) for name in names], has_predictor


def inflated(data: bytes, work: Work) -> bytes:
    """Undo FlateDecode; what stands before an error is kept, as viewers do. Raises: OverBudget."""
    out = _inflate(data, work, zlib.MAX_WBITS)
    return out or _inflate(data[2:], work, -zlib.MAX_WBITS)  # a damaged head: viewers go on


def _inflate(data: bytes, work: Work, bits: int) -> bytes:
    def chunks() -> list[bytes]:
        decoder, out, left, most = zlib.decompressobj(bits), [], data, work.purse.bytes_left
        while left and not decoder.eof:
            try:
                out.append(decoder.decompress(left, 1 << 20))
            except zlib.error:
                break
            left, most = decoder.unconsumed_tail, most - len(out[-1])
            if most < 0:
                work.purse.spend_bytes(work.purse.bytes_left + 1)  # says which limit it is
            work.purse.check_time()
        return out

    return b"".join(chunks())


def _hex(data: bytes, work: Work) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]+", b"", data.partition(b">")[0])
    return binascii.unhexlify(digits + b"0" * (len(digits) % 2))


def _ascii85(data: bytes, work: Work) -> bytes:
    body = _SPACE.sub(b"", data).removeprefix(b"<~").partition(b"~")[0]
    try:
        return base64.a85decode(body)
    except ValueError as error:
        raise Damaged("a stream that is no ASCII85") from error


def _run_length(data: bytes, work: Work) -> bytes:
    out, at, most = bytearray(), 0, work.purse.bytes_left
    while at < len(data) and data[at] != 128:
        n = data[at]
        out += data[at + 1 : at + 2 + n] if n < 128 else data[at + 1 : at + 2] * (257 - n)
        at += 2 + n if n < 128 else 2
        if len(out) > most:
            work.purse.spend_bytes(len(out))
    return bytes(out)


def _lzw(data: bytes, work: Work) -> bytes:
    """7.4.4: codes of 9 to 12 bits, most significant first, 256 clears, 257 ends; the width grows one code early."""
    out, most = bytearray(), work.purse.bytes_left
    table: list[bytes] = []
    last, width, bits, n_bits = b"", 9, 0, 0
    for number, byte in enumerate(data):
        bits, n_bits = bits << 8 | byte, n_bits + 8
        if n_bits < width:
            continue
        n_bits -= width
        code, bits = bits >> n_bits, bits & ((1 << n_bits) - 1)
        if code == 257:
            break
        if code == 256:
            table, last, width = [], b"", 9
            continue
        entry = bytes([code]) if code < 256 else table[code - 258] if code - 258 < len(table) else last + last[:1]
        out += entry
        if last and len(table) < 3838:
            table.append(last + entry[:1])
        last, width = entry, 9 + sum(len(table) + 259 > size for size in (511, 1023, 2047))
        if len(out) > most:
            work.purse.spend_bytes(len(out))
        if number % 4096 == 0:
            work.purse.check_time()
    return bytes(out)


_DECODERS: Final = {
    "/FlateDecode": inflated, "/ASCIIHexDecode": _hex, "/ASCII85Decode": _ascii85, "/RunLengthDecode": _run_length,
    "/LZWDecode": _lzw,
}  # fmt: skip
