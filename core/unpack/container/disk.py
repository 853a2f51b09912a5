"""Opens pictures of disks: raw, VHD and UDF; partitions by MBR and GPT; FAT, exFAT and NTFS on them.

Other file systems, and images in formats that are not read, are said to be unsupported.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from mxward.core.unpack.container.fat import ExFat, Fat, is_exfat, is_fat
from mxward.core.unpack.container.members import Members
from mxward.core.unpack.container.ntfs import Ntfs, is_ntfs
from mxward.core.unpack.container.udf import Udf
from mxward.core.unpack.container.volume import Disk, Found, content_of
from mxward.core.unpack.work import Damaged, Item, Work

_SECTOR: Final = 512
_EXTENDED: Final = (0x05, 0x0F, 0x85)
_GPT: Final = 0xEE
_MAX_PARTITIONS: Final = 64
_FIXED, _DYNAMIC = 2, 3  # kinds of VHD
_UNUSED: Final = 0xFFFFFFFF


def open_disk(item: Item, work: Work) -> None:
    """Tell the files on a raw image of a disk or of one volume."""
    work.find(item, "CONTAINER_DISK_IMAGE")
    _tell_disk(Disk.of(item.data), item, work)


def open_vhd(item: Item, work: Work) -> None:
    """Tell the files on a VHD, fixed or dynamic; one that only holds differences is unsupported."""
    work.find(item, "CONTAINER_DISK_IMAGE")
    disk = _vhd(item.data)
    if disk is None:
        work.unseen(item, "unsupported", "a VHD that holds differences only")
    else:
        _tell_disk(disk, item, work)


def open_udf(item: Item, work: Work) -> None:
    """Tell the files on a UDF disc."""
    work.find(item, "CONTAINER_DISK_IMAGE")
    disk = Disk.of(item.data)
    _tell(Udf(disk, work).files(), disk, "", item, work)


def _vhd(data: bytes) -> Disk | None:
    """The disk in a VHD, None for one of differences. Raises: Damaged. Source: Microsoft's VHD specification 1.0."""
    footer = data[-_SECTOR:] if data[-_SECTOR:].startswith(b"conectix") else data[:_SECTOR]
    if len(footer) < _SECTOR:
        raise Damaged("it breaks off")
    (at,) = struct.unpack_from(">Q", footer, 16)
    (size,) = struct.unpack_from(">Q", footer, 48)
    (kind,) = struct.unpack_from(">I", footer, 60)
    if kind == _FIXED:
        return Disk(min(size, len(data) - _SECTOR), lambda place, n: data[place : place + n])
    if kind != _DYNAMIC:
        return None
    if data[at : at + 8] != b"cxsparse" or at + 36 > len(data):
        raise Damaged("its table of blocks cannot be found")
    (table,) = struct.unpack_from(">Q", data, at + 16)
    count, n_block = struct.unpack_from(">II", data, at + 28)
    if not n_block or n_block % _SECTOR or table + 4 * count > len(data):
        raise Damaged("its table of blocks makes no sense")
    n_bitmap = -(-n_block // _SECTOR // 8 // _SECTOR) * _SECTOR

    def read(place: int, n: int) -> bytes:
        out = []
        while n > 0:
            block, inside = divmod(place, n_block)
            step = min(n, n_block - inside)
            sector = (
                int.from_bytes(data[table + 4 * block : table + 4 * block + 4], "big") if block < count else _UNUSED
            )
            begin = sector * _SECTOR + n_bitmap + inside
            out.append(bytes(step) if sector == _UNUSED else data[begin : begin + step])
            place, n = place + step, n - step
        return b"".join(out)

    return Disk(size, read)


def _tell_disk(disk: Disk, item: Item, work: Work) -> None:
    boot = disk.read(0, min(disk.size, 4096))
    if _opener(boot) is not None:
        _tell_volume(disk, "", item, work)
        return
    parts = list(_partitions(disk, boot))[:_MAX_PARTITIONS]
    if not parts:
        work.unseen(item, "unsupported", "a disk without partitions that are known")
    for number, (at, size) in enumerate(parts, 1):
        _tell_volume(disk.part(at, size), f"partition {number}/" if len(parts) > 1 else "", item, work)


def _opener(boot: bytes) -> Callable[[Disk, Work], Fat | ExFat | Ntfs] | None:
    return Ntfs if is_ntfs(boot) else ExFat if is_exfat(boot) else Fat if is_fat(boot) else None


def _tell_volume(disk: Disk, prefix: str, item: Item, work: Work) -> None:
    opener = _opener(disk.read(0, min(disk.size, 4096)))
    if opener is None:
        work.unseen(item, "unsupported", "a file system that is not read")
        return
    _tell(opener(disk, work).files(), disk, prefix, item, work)


def _tell(files: Iterator[Found], disk: Disk, prefix: str, item: Item, work: Work) -> None:
    members = Members(item, work)
    for found in files:
        name = prefix + found.path
        if found.is_folder:
            members.folder(name)
        elif found.problem:
            reason = "encrypted" if found.problem.startswith("encrypted") else "unsupported"
            members.unread(name, reason, found.problem)
        else:
            try:
                content = content_of(found, disk, work)
            except Damaged as error:
                members.unread(name, "damaged", str(error))
            else:
                members.file(content, name)


def _partitions(disk: Disk, boot: bytes) -> Iterator[tuple[int, int]]:
    """Place and size of each partition. Raises: Damaged."""
    if boot[510:512] != b"\x55\xaa":
        return
    for kind, first, count in _table(boot):
        if kind == _GPT:
            yield from _gpt(disk)
            return
        if kind in _EXTENDED:
            yield from _logical(disk, first)
        else:
            yield first * _SECTOR, count * _SECTOR


def _table(sector: bytes) -> Iterator[tuple[int, int, int]]:
    for at in range(446, 510, 16):
        first, count = struct.unpack_from("<II", sector, at + 8)
        if sector[at + 4] and count:
            yield sector[at + 4], first, count


def _logical(disk: Disk, begin: int) -> Iterator[tuple[int, int]]:
    at = begin
    for _ in range(_MAX_PARTITIONS):
        following = 0
        for kind, first, count in _table(disk.read(at * _SECTOR, _SECTOR)):
            if kind in _EXTENDED:
                following = begin + first
            else:
                yield (at + first) * _SECTOR, count * _SECTOR
        if not following:
            return
        at = following


def _gpt(disk: Disk) -> Iterator[tuple[int, int]]:
    for sector in (512, 4096):
        head = disk.read(sector, 92)
        if head.startswith(b"EFI PART"):
            break
    else:
        raise Damaged("its table of partitions cannot be found")
    (at,) = struct.unpack_from("<Q", head, 72)
    count, size = struct.unpack_from("<II", head, 80)
    if size < 128 or size > 4096:
        raise Damaged("its table of partitions makes no sense")
    for number in range(min(count, _MAX_PARTITIONS)):
        entry = disk.read(at * sector + number * size, 48)
        first, last = struct.unpack_from("<QQ", entry, 32)
        if entry[:16].strip(b"\0") and last >= first:
            yield first * sector, (last - first + 1) * sector
