"""Files of FAT12, FAT16, FAT32 and exFAT volumes.

Source: Microsoft, "FAT32 File System Specification" 1.03 and "exFAT file system specification" 1.00.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.container.volume import Disk, Found
from mxward.core.unpack.work import Damaged, Work

_ENTRY: Final = 32
_FOLDER, _LABEL, _LONG = 0x10, 0x08, 0x0F
_LOWER_BASE, _LOWER_ENDING = 0x08, 0x10
_MAX_FOLDERS: Final = 20_000
_MAX_FOLDER_BYTES: Final = 4 << 20


def is_fat(boot: bytes) -> bool:
    """Whether a boot sector is of FAT: its numbers must make sense."""
    if len(boot) < 512:
        return False
    sector, cluster, reserved, n_tables = struct.unpack_from("<HBHB", boot, 11)
    return (
        sector in (512, 1024, 2048, 4096) and cluster > 0 and cluster & cluster - 1 == 0 and reserved > 0
        and 1 <= n_tables <= 4 and boot[21] >= 0xF0
    )  # fmt: skip


class Fat:
    """A FAT volume. Raises: Damaged when its numbers lead outside."""

    def __init__(self, disk: Disk, work: Work) -> None:
        self._disk, self._work = disk, work
        boot = disk.read(0, 512)
        sector, self._n, reserved, n_tables, n_root, small = struct.unpack_from("<HBHBHH", boot, 11)
        table = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
        total = small or struct.unpack_from("<I", boot, 32)[0]
        self._root_at = (reserved + n_tables * table) * sector
        self._root_size = n_root * _ENTRY
        root_sectors = -(-self._root_size // sector)
        self._data_at = self._root_at + root_sectors * sector
        self._n *= sector
        self._count = max(0, (total * sector - self._data_at) // self._n)
        self._bits = 12 if self._count < 4085 else 16 if self._count < 65525 else 32
        self._table = disk.read(reserved * sector, min(table * sector, 64 << 20))
        self._root_cluster = struct.unpack_from("<I", boot, 44)[0] if self._bits == 32 else 0

    def files(self) -> Iterator[Found]:
        """All files and folders. Raises: Damaged."""
        root = self._folder(self._root_cluster) if self._bits == 32 else self._disk.read(self._root_at, self._root_size)
        todo, seen = [("", root)], {self._root_cluster}
        while todo:
            path, content = todo.pop()
            for found, cluster in self._entries(path, content):
                yield found
                if found.is_folder and cluster not in seen and len(seen) < _MAX_FOLDERS:
                    seen.add(cluster)
                    todo.append((found.path + "/", self._folder(cluster)))

    def _entries(self, path: str, content: bytes) -> Iterator[tuple[Found, int]]:
        long: dict[int, bytes] = {}
        for at in range(0, len(content) - _ENTRY + 1, _ENTRY):
            entry = content[at : at + _ENTRY]
            if entry[0] == 0:
                return
            if entry[0] == 0xE5:
                long.clear()
            elif entry[11] & 0x3F == _LONG:
                long[entry[0] & 0x3F] = entry[1:11] + entry[14:26] + entry[28:32]
            else:
                name = _name(entry, long)
                long = {}
                if entry[11] & _LABEL or name in (".", ".."):
                    continue
                cluster = struct.unpack_from("<H", entry, 26)[0] | struct.unpack_from("<H", entry, 20)[0] << 16
                cluster &= 0x0FFFFFFF if self._bits == 32 else 0xFFFF
                size = struct.unpack_from("<I", entry, 28)[0]
                if entry[11] & _FOLDER:
                    yield Found(path + name, 0, [], True), cluster
                else:
                    yield Found(path + name, size, self._runs(cluster, size)), cluster

    def _folder(self, cluster: int) -> bytes:
        return b"".join(self._disk.read(at, n) for at, n in self._runs(cluster, _MAX_FOLDER_BYTES))

    def _runs(self, cluster: int, size: int) -> list[tuple[int, int]]:
        """Places of the clusters from `cluster` on, joined where they follow each other."""
        runs: list[tuple[int, int]] = []
        left = size
        while left > 0 and 2 <= cluster < self._count + 2:
            at = self._data_at + (cluster - 2) * self._n
            if runs and sum(runs[-1]) == at:
                runs[-1] = (runs[-1][0], runs[-1][1] + self._n)
            else:
                runs.append((at, self._n))
            left -= self._n
            cluster = self._next(cluster)
            if not len(runs) & 0xFFF:
                self._work.purse.check_time()
        return runs

    def _next(self, cluster: int) -> int:
        if self._bits == 12:
            at = cluster + cluster // 2
            word = int.from_bytes(self._table[at : at + 2], "little")
            return word >> 4 if cluster & 1 else word & 0xFFF
        step = self._bits // 8
        return int.from_bytes(self._table[cluster * step : cluster * step + step], "little") & 0x0FFFFFFF


def _name(entry: bytes, long: dict[int, bytes]) -> str:
    if long:
        raw = b"".join(long[number] for number in sorted(long)).decode("utf-16-le", "replace")
        return raw.partition("\0")[0]
    base, ending = entry[:8].rstrip().decode("cp437"), entry[8:11].rstrip().decode("cp437")
    base = base.lower() if entry[12] & _LOWER_BASE else base
    ending = ending.lower() if entry[12] & _LOWER_ENDING else ending
    return f"{base}.{ending}" if ending else base


def is_exfat(boot: bytes) -> bool:
    """Whether a boot sector is of exFAT."""
    return boot[3:11] == b"EXFAT   " and len(boot) >= 512 and 9 <= boot[108] <= 12 and boot[109] <= 25 - boot[108]


class ExFat:
    """An exFAT volume."""

    def __init__(self, disk: Disk, work: Work) -> None:
        self._disk, self._work = disk, work
        boot = disk.read(0, 512)
        table_at, n_table, data_at, self._count, self._root = struct.unpack_from("<5I", boot, 80)
        sector = 1 << boot[108]
        self._n, self._data_at = sector << boot[109], data_at * sector
        self._table = disk.read(table_at * sector, min(n_table * sector, 64 << 20))

    def files(self) -> Iterator[Found]:
        """All files and folders. Raises: Damaged."""
        todo, seen = [("", self._runs(self._root, _MAX_FOLDER_BYTES, chained=True))], {self._root}
        while todo:
            path, runs = todo.pop()
            content = b"".join(self._disk.read(at, n) for at, n in runs)
            for found, cluster in self._entries(path, content):
                yield found
                if found.is_folder and cluster not in seen and len(seen) < _MAX_FOLDERS:
                    seen.add(cluster)
                    todo.append((found.path + "/", found.pieces))

    def _entries(self, path: str, content: bytes) -> Iterator[tuple[Found, int]]:
        """A file is one entry 85, one C0 and some C1 with its name."""
        is_folder, cluster, size, chained, name, left = False, 0, 0, True, "", 0
        for at in range(0, len(content) - _ENTRY + 1, _ENTRY):
            entry = content[at : at + _ENTRY]
            if entry[0] == 0:
                return
            if entry[0] == 0x85:
                is_folder, name = bool(entry[4] & _FOLDER), ""
            elif entry[0] == 0xC0:
                chained, left = not entry[1] & 2, entry[3]
                cluster, size = struct.unpack_from("<IQ", entry, 20)
            elif entry[0] == 0xC1 and left:
                name += entry[2 : 2 + 2 * min(left, 15)].decode("utf-16-le", "replace")
                left -= min(left, 15)
                if not left:
                    runs = self._runs(cluster, min(size, _MAX_FOLDER_BYTES) if is_folder else size, chained=chained)
                    yield Found(path + name, size, runs, is_folder), cluster

    def _runs(self, cluster: int, size: int, *, chained: bool) -> list[tuple[int, int]]:
        if not 2 <= cluster < self._count + 2:
            return []
        if not chained:
            return [(self._data_at + (cluster - 2) * self._n, -(-size // self._n) * self._n)]
        runs, left = [], size
        while left > 0 and 2 <= cluster < self._count + 2:
            runs.append((self._data_at + (cluster - 2) * self._n, self._n))
            left -= self._n
            cluster = int.from_bytes(self._table[cluster * 4 : cluster * 4 + 4], "little")
            if not len(runs) & 0xFFF:
                self._work.purse.check_time()
        if left > 0 and not runs:
            raise Damaged("a file of it breaks off")
        return runs
