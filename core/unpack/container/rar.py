"""Opens rar, old and new (5): its own headers say what is encrypted, split or hidden; libarchive unpacks the rest.

Source: RARLAB, "RAR 5.0 archive format"; the technical note of RAR 2.9 for the old blocks.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from mxward.core.unpack.container.libread import LibraryError, Reader
from mxward.core.unpack.container.members import Members, readable
from mxward.core.unpack.container.packed import reason_of, tell
from mxward.core.unpack.container.rar_crypt import MAGIC5, number, opened
from mxward.core.unpack.work import Damaged, Item, Work

MAGIC4: Final = b"Rar!\x1a\x07\0"
MAX_TRYING_S: Final = 2.0  # of processor time for passwords: each costs tens of thousands of hashes by design
_MAX_BLOCKS: Final = 20_000
_MAIN4, _FILE4, _END4 = 0x73, 0x74, 0x7B
_MAIN5, _FILE5, _SERVICE5, _CRYPT5, _END5 = 1, 2, 3, 4, 5


class Block(NamedTuple):
    """What one block of either kind says, as far as it matters here."""

    kind: str  # "main", "file", "crypt", "end" or "other"
    name: str = ""
    encrypted: bool = False
    split: bool = False  # this file, or the whole, goes on in another piece
    end: int = 0


def open_rar(item: Item, work: Work) -> None:
    """Tell the members of a rar file; encrypted ones by name."""
    data = item.data
    known = list(blocks(data))
    members = Members(item, work)
    hidden = any(block.kind == "crypt" for block in known)
    locked = [block.name for block in known if block.kind == "file" and block.encrypted]
    plain = _by_password(data, members) if hidden or locked else None
    if hidden:
        work.find(item, "CONTAINER_HEADER_ENCRYPTED")
    if hidden and plain is None:
        work.find(item, "CONTAINER_ENCRYPTED")
        work.unseen(item, "encrypted", "its names are encrypted too")
        return
    if plain is not None:
        known, locked = list(blocks(plain)), []
    for name in locked:
        members.locked(name)
    if any(block.split for block in known):
        work.find(item, "CONTAINER_SPLIT")
        work.unseen(item, "unsupported", "one piece of several")
    n_files = sum(block.kind == "file" for block in known)
    if len(locked) < n_files or not n_files:
        _unpack(data if plain is None else plain, item, work, members, set(locked))
    end = next((block.end for block in blocks(data) if block.kind == "end"), len(data))
    if data[end:].strip(b"\0"):
        work.find(item, "CONTAINER_APPENDED")
        work.child(item, data[end:], "data after the container")


def _by_password(data: bytes, members: Members) -> bytes | None:
    """The file without encryption by the first password that fits; RAR 5 only."""
    if not data.startswith(MAGIC5):
        return None
    end = time.process_time() + MAX_TRYING_S
    for password in members.passwords():
        if time.process_time() > end:
            return None
        plain = opened(data, password)
        members.tried(password, plain is not None)
        if plain is not None:
            return plain
    return None


def _unpack(data: bytes, item: Item, work: Work, members: Members, locked: set[str]) -> None:
    kind = "rar5" if data.startswith(MAGIC5) else "rar"
    try:
        with Reader(data, kind) as reader:
            for entry in reader:
                if entry.name not in locked and not entry.encrypted:
                    tell(entry, reader, members, work)
    except LibraryError as error:
        reason = reason_of(error)
        if reason == "damaged":
            raise
        work.unseen(item, reason, error.text)


def blocks(data: bytes) -> Iterator[Block]:
    """The blocks of a rar file, until one is torn."""
    if data.startswith(MAGIC5):
        yield from _blocks5(data)
    elif data.startswith(MAGIC4):
        yield from _blocks4(data)


def _blocks4(data: bytes) -> Iterator[Block]:
    at = len(MAGIC4)
    for _ in range(_MAX_BLOCKS):
        if at + 7 > len(data):
            return
        _, kind, flags, size = struct.unpack_from("<HBHH", data, at)
        if size < 7:
            return
        packed = int.from_bytes(data[at + 7 : at + 11], "little") if flags & 0x8000 or kind == _FILE4 else 0
        end = at + size + packed
        if kind == _MAIN4:
            yield Block("crypt" if flags & 0x80 else "main", split=bool(flags & 1), end=end)
            if flags & 0x80:
                return
        elif kind == _FILE4:
            yield _file4(data, at, flags, end)
        else:
            yield Block("end" if kind == _END4 else "other", end=end)
        if kind == _END4:
            return
        at = end


def _file4(data: bytes, at: int, flags: int, end: int) -> Block:
    n_name = int.from_bytes(data[at + 26 : at + 28], "little")
    begin = at + 32 + (8 if flags & 0x100 else 0)
    raw = data[begin : begin + n_name].partition(b"\0")[0]  # behind the NUL: a packed form in UTF-16
    return Block("file", readable(raw).replace("\\", "/"), bool(flags & 4), bool(flags & 3), end)


def _blocks5(data: bytes) -> Iterator[Block]:
    at = len(MAGIC5)
    for _ in range(_MAX_BLOCKS):
        try:
            size, begin = number(data, at + 4)
            kind, place = number(data, begin)
            flags, place = number(data, place)
            n_extra, place = number(data, place) if flags & 1 else (0, place)
            n_data, place = number(data, place) if flags & 2 else (0, place)
            end = begin + size + n_data
            if kind in (_FILE5, _SERVICE5):
                block = _file5(data, place, begin + size - n_extra, begin + size, end)
                yield block if kind == _FILE5 else block._replace(kind="other")
            elif kind == _MAIN5:
                yield Block("main", split=bool(number(data, place)[0] & 1), end=end)
            else:
                yield Block({_CRYPT5: "crypt", _END5: "end"}.get(kind, "other"), end=end)
        except Damaged:
            return
        if kind in (_CRYPT5, _END5) or end <= at:
            return
        at = end


def _file5(data: bytes, at: int, extra: int, extra_end: int, end: int) -> Block:
    flags, at = number(data, at)
    _, at = number(data, at)  # size
    _, at = number(data, at)  # attributes
    at += (4 if flags & 2 else 0) + (4 if flags & 4 else 0)
    _, at = number(data, at)  # packing
    _, at = number(data, at)  # system
    n_name, at = number(data, at)
    name = readable(data[at : at + n_name])
    encrypted = False
    while extra < extra_end:
        n, begin = number(data, extra)
        kind, _ = number(data, begin)
        encrypted |= kind == 1
        extra = begin + max(n, 1)
    return Block("file", name, encrypted, end=end)
