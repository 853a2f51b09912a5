"""Opens compiled help (CHM). Its LZX stream is laid out as a cabinet in memory, which libarchive then unpacks.

Source: M. Russotto, "Microsoft's HTML Help (.chm) format"; Microsoft Cabinet Format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from mxward.core.unpack.container.libread import Reader
from mxward.core.unpack.container.members import Members, readable
from mxward.core.unpack.work import Damaged, Item, Work

_FRAME: Final = 0x8000  # bytes unpacked of one LZX frame
_SPACE: Final = "::DataSpace/Storage/MSCompressed/"
_TABLE: Final = f"{_SPACE}Transform/{{7FC28940-9D31-11D0-9B27-00A0C91E9C7C}}/InstanceData/ResetTable"
_MAX_ENTRIES: Final = 100_000


class _Entry(NamedTuple):
    """A file: its section (0 as it stands, 1 packed), place in that and size."""

    section: int
    at: int
    size: int


def open_chm(item: Item, work: Work) -> None:
    """Tell the files of a compiled help file."""
    members = Members(item, work)
    entries = dict(_entries(item.data))
    base = _number(item.data, 0x58, "<Q")
    plain = {name: item.data[base + e.at : base + e.at + e.size] for name, e in entries.items() if e.section == 0}
    packed = _unpacked(plain, work) if any(entry.section == 1 for entry in entries.values()) else b""
    for name, entry in entries.items():
        if name.startswith("::"):
            continue
        if name.endswith("/"):
            members.folder(name)
            continue
        content = plain[name] if entry.section == 0 else packed[entry.at : entry.at + entry.size]
        members.file(content, name.lstrip("/"))
        if len(content) < entry.size or entry.section > 1:
            raise Damaged("it breaks off")


def _number(data: bytes | memoryview, at: int, form: str = "<I") -> int:
    try:
        value: int = struct.unpack_from(form, data, at)[0]
    except struct.error as error:
        raise Damaged("it breaks off") from error
    return value


def _entries(data: bytes) -> Iterator[tuple[str, _Entry]]:
    """The list of files, chunk by chunk. Raises: Damaged."""
    head = _number(data, 0x48, "<Q")
    if data[head : head + 4] != b"ITSP":
        raise Damaged("its list of files cannot be found")
    size, chunk, first, count = (_number(data, head + at) for at in (8, 16, 32, 44))
    if chunk < 64 or chunk > 1 << 16:
        raise Damaged("its list of files makes no sense")
    number = 0
    for n in range(first, min(count, first + 4096)):
        begin = head + size + n * chunk
        if data[begin : begin + 4] != b"PMGL":
            continue
        at, end = begin + 20, begin + chunk - min(_number(data, begin + 4), chunk)
        while at < end and number < _MAX_ENTRIES:
            n_name, at = _packed_number(data, at)
            name, at = readable(data[at : at + n_name]), at + n_name
            section, at = _packed_number(data, at)
            place, at = _packed_number(data, at)
            length, at = _packed_number(data, at)
            number += 1
            yield name, _Entry(section, place, length)


def _packed_number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n in range(9):
        byte = _number(data, at + n, "<B")
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    raise Damaged("its list of files makes no sense")


def _unpacked(plain: dict[str, bytes], work: Work) -> bytes:
    """The packed section, whole. Raises: Damaged, OverBudget."""
    control, table = plain.get(f"{_SPACE}ControlData", b""), plain.get(_TABLE, b"")
    content = plain.get(f"{_SPACE}Content", b"")
    if control[4:8] != b"LZXC":
        raise Damaged("its packed part is of no known kind")
    unit = _FRAME if _number(control, 8) >= 2 else 1
    interval, window = _number(control, 12) * unit // _FRAME, (_number(control, 16) * unit).bit_length() - 1
    count, begin = _number(table, 4), _number(table, 12)
    size = _number(table, 16, "<Q")
    if not 15 <= window <= 21 or not interval or count * 8 > len(table) or size > count * _FRAME:
        raise Damaged("its packed part makes no sense")
    if size > work.purse.bytes_left:
        work.purse.spend_bytes(size)
    starts = [_number(table, begin + 8 * n, "<Q") for n in range(count)]
    frames = [content[at:end] for at, end in zip(starts, [*starts[1:], len(content)], strict=True)]
    with Reader(_cabinet(frames, size, interval, window), "cab") as reader:
        return work.pull(piece for _ in reader for piece in reader.pieces())


def _cabinet(frames: list[bytes], size: int, interval: int, window: int) -> bytes:
    """A cabinet of these frames; each run of frames after which the decoder begins anew is a folder with one file."""
    groups = [frames[at : at + interval] for at in range(0, len(frames), interval)]
    if len(groups) > 0xFFFF or any(len(frame) > 0xFFFF for frame in frames):
        raise Damaged("its packed part makes no sense")
    n_head, name = 36, b"x\0"
    data_at = n_head + len(groups) * (8 + 16 + len(name))
    folders, files, blocks, left = [], [], [], size
    for number, group in enumerate(groups):
        n_group = min(left, len(group) * _FRAME)
        folders.append(struct.pack("<IHH", data_at, len(group), 3 | window << 8))
        files.append(struct.pack("<IIHHHH", n_group, 0, number, 0, 0, 0x20) + name)
        for frame in group:
            n = min(left, _FRAME)
            left -= n
            blocks.append(struct.pack("<IHH", 0, len(frame), n) + frame)
            data_at += 8 + len(frame)
    head = struct.pack(
        "<4sIIIIIBBHHHHH", b"MSCF", 0, data_at, 0, n_head + 8 * len(groups), 0, 3, 1, len(groups), len(groups), 0, 0, 0
    )
    return b"".join((head, *folders, *files, *blocks))
