"""Files of UDF discs up to 2.60 with one plain or metadata partition. Source: ECMA-167, OSTA UDF 2.60."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.container.volume import Disk, Found
from mxward.core.unpack.work import Damaged, Work

_SECTORS: Final = (2048, 512, 4096)
_ANCHOR, _PARTITION, _LOGICAL, _END, _FILE_SET, _NAME, _ENTRY, _LARGE_ENTRY = 2, 5, 6, 8, 256, 257, 261, 266
_MAX_FOLDERS: Final = 20_000
_FOLDER: Final = 4
_MAX_FOLDER_BYTES: Final = 4 << 20


class Udf:
    """A UDF volume. Raises: Damaged when it has no anchor, or its numbers lead outside."""

    def __init__(self, disk: Disk, work: Work) -> None:
        self._disk, self._work = disk, work
        self._n = next((n for n in _SECTORS if 257 * n <= disk.size and self._tag(256 * n) == _ANCHOR), 0)
        if not self._n:
            raise Damaged("its anchor cannot be found")
        size, at = struct.unpack_from("<II", disk.read(256 * self._n, 512), 16)
        self._begin = 0  # of the partition, in bytes
        self._root_set = (0, 0)
        self._maps = b""
        for number in range(min(size // self._n, 64)):
            place = (at + number) * self._n
            kind = self._tag(place)
            if kind == _PARTITION:
                self._begin = struct.unpack_from("<I", disk.read(place, 512), 188)[0] * self._n
            elif kind == _LOGICAL:
                descriptor = disk.read(place, self._n)
                self._root_set = struct.unpack_from("<IH", descriptor, 252)
                self._maps = descriptor[440 : 440 + struct.unpack_from("<I", descriptor, 264)[0]]
            elif kind == _END:
                break
        self._metadata: list[tuple[int, int]] = []
        self._metadata = self._metadata_pieces()

    def _metadata_pieces(self) -> list[tuple[int, int]]:
        """Where the blocks of a metadata partition (type 2 map) stand; () without one."""
        at = self._maps.find(b"*UDF Metadata Partition")
        if at < 0:
            return []
        begin = at - 5  # the map begins four bytes and a flag before the name
        (place,) = struct.unpack_from("<I", self._maps, begin + 40)
        entry = self._disk.read(self._begin + place * self._n, self._n)
        return self._file(entry, "", 0).pieces

    def _tag(self, place: int) -> int:
        return int.from_bytes(self._disk.read(place, 2), "little")

    def _place(self, block: int, partition: int) -> int:
        """Where a block of a partition stands on the disk, in bytes."""
        if not self._metadata or partition == 0:
            return self._begin + block * self._n
        at = block * self._n
        for place, n in self._metadata:
            if at < n:
                return place + at
            at -= n
        raise Damaged("it leads to places outside of the disk")

    def files(self) -> Iterator[Found]:
        """All files and folders. Raises: Damaged."""
        file_set = self._disk.read(self._place(*self._root_set), 512)
        root: tuple[int, int] = struct.unpack_from("<IH", file_set, 404)
        todo, seen = [("", root)], {root}
        while todo:
            path, place = todo.pop()
            folder = self._at(place, path)
            if folder.size > _MAX_FOLDER_BYTES:
                raise Damaged("a folder of it is too large")
            for name, is_folder, inner in self._names(folder):
                if is_folder:
                    yield Found(path + name, 0, [], True)
                    if inner not in seen and len(seen) < _MAX_FOLDERS:
                        seen.add(inner)
                        todo.append((f"{path}{name}/", inner))
                else:
                    yield self._at(inner, path + name)
            self._work.purse.check_time()

    def _at(self, place: tuple[int, int], path: str) -> Found:
        return self._file(self._disk.read(self._place(*place), self._n), path, place[1])

    def _names(self, folder: Found) -> Iterator[tuple[str, bool, tuple[int, int]]]:
        content = folder.inline
        if content is None:
            content = b"".join(self._disk.read(at, n) for at, n in folder.pieces if at >= 0)
        content, at = content[: folder.size], 0
        while at + 38 <= len(content) and int.from_bytes(content[at : at + 2], "little") == _NAME:
            flags, n_name = content[at + 18], content[at + 19]
            _, block, partition = struct.unpack_from("<IIH", content, at + 20)
            (n_use,) = struct.unpack_from("<H", content, at + 36)
            raw = content[at + 38 + n_use : at + 38 + n_use + n_name]
            if not flags & 0x0C:  # deleted; the parent
                yield _text(raw), bool(flags & 2), (block, partition)
            at += 38 + n_use + n_name + 3 & ~3

    def _file(self, entry: bytes, path: str, partition: int) -> Found:
        """What an entry says. Args: partition: where the entry itself stands; short places are of the same one."""
        kind = int.from_bytes(entry[:2], "little")
        if kind not in (_ENTRY, _LARGE_ENTRY):
            raise Damaged("an entry of it is of no known kind")
        flags = int.from_bytes(entry[34:36], "little") & 7
        (size,) = struct.unpack_from("<Q", entry, 56)
        n_extra, n_places = struct.unpack_from("<II", entry, 168 if kind == _ENTRY else 208)
        at = (176 if kind == _ENTRY else 216) + n_extra
        if flags == 3:
            return Found(path, size, [], inline=entry[at : at + n_places])
        step = {0: 8, 1: 16}.get(flags)
        if step is None:
            raise Damaged("an entry of it is of no known kind")
        pieces: list[tuple[int, int]] = []
        for place in range(at, min(at + n_places, len(entry) - step + 1), step):
            length, block = struct.unpack_from("<II", entry, place)
            if step == 16:
                (partition,) = struct.unpack_from("<H", entry, place + 8)
            n = length & 0x3FFFFFFF
            if length >> 30 == 3:
                return Found(path, size, pieces, problem="more pieces than are read")
            if n:
                is_there = length >> 30 == 0
                pieces.append((self._place(block, partition) if is_there else -1, n))
        return Found(path, size, pieces)


def _text(raw: bytes) -> str:
    """A name: the first byte says how wide the others are."""
    if not raw:
        return ""
    return raw[1:].decode("utf-16-be" if raw[0] in (16, 255) else "latin-1", "replace")
