"""Text, objects and actions of PowerPoint before 2007. Source: [MS-PPT] 2.3.1, 2.8.18, 2.9.42 to 2.9.45, 2.10.34."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.work import MAX_TEXT, Damaged, Item, Work

_CHARS, _BYTES, _STRING, _STORAGE, _ACTION, _LINK = 0x0FA0, 0x0FA8, 0x0FBA, 0x1011, 0x0FF3, 0x0FD7
_TOKEN: Final = bytes.fromhex("dfc4d1f3")
_MAX_RECORDS: Final = 1_000_000
_RUNS: Final = (1, 2, 5)  # macro, program, object ([MS-PPT] 2.8.18)
_STEP: Final = 1 << 16


def _records(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Kind, instance, start and end of each record, those in containers too, in order."""
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + 8 > len(data):
            return
        head, kind, size = struct.unpack_from("<HHI", data, at)
        at += 8
        yield kind, head >> 4, at, min(len(data), at + size)
        if head & 0xF != 0xF:
            at += size


def is_encrypted(user: bytes) -> bool:
    """Whether a Current User stream says so, by its token ([MS-PPT] 2.3.2)."""
    return user[12:16] == _TOKEN


def tell_ppt(item: Item, work: Work, stream: bytes) -> None:
    """Tell texts, links, actions, and the objects inside as children."""
    out: list[str] = []
    link_end = size = 0
    for number, (kind, instance, start, end) in enumerate(_records(stream)):
        if not number & 0x3FFF:
            work.purse.check_time()
        if kind in (_CHARS, _BYTES) and size < MAX_TEXT:
            text = stream[start:end].decode("utf-16-le" if kind == _CHARS else "latin-1", "replace")
            out.append(text.replace("\r", "\n").replace("\x0b", "\n") + "\n")
            size += len(text)
        elif kind == _LINK:
            link_end = end
        elif kind == _STRING and start < link_end and instance in (1, 3):
            tell_target(item, work, "link", stream[start:end].decode("utf-16-le", "replace"))
        elif kind == _ACTION and end - start >= 9 and stream[start + 8] in _RUNS:
            work.find(item, "OFFICE_ACTION")
        elif kind == _STORAGE:
            _object(item, work, stream[start:end], is_packed=instance == 1)
    work.text(item, "".join(out)[:MAX_TEXT])


def _object(item: Item, work: Work, data: bytes, *, is_packed: bool) -> None:
    if is_packed:
        try:
            data = _inflated(work, data[4:])
        except zlib.error as error:
            work.unseen(item, "damaged", "an object inside cannot be unpacked")
            raise Damaged("an object inside cannot be unpacked") from error
    work.find(item, "OFFICE_EMBEDDED_OBJECT")
    work.child(item, data, "object")


def _inflated(work: Work, packed: bytes) -> bytes:
    decoder = zlib.decompressobj()

    def pieces() -> Iterator[bytes]:
        rest = packed
        while rest and not decoder.eof:
            yield decoder.decompress(rest, _STEP)
            rest = decoder.unconsumed_tail

    return work.pull(pieces())
