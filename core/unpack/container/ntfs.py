"""Files of NTFS volumes, by a walk over the master file table: names, plain and sparse data, alternate streams.

Compressed and encrypted files are named with that reason. Source: the linux-ntfs project's documentation of NTFS.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.container.volume import MAX_RUNS, Disk, Found
from mxward.core.unpack.work import Damaged, Work

_MAX_RECORDS: Final = 50_000
_FIRST_FILE: Final = 16  # records below are the file system's own
_ROOT: Final = 5
_NAME, _DATA, _LIST, _END = 0x30, 0x80, 0x20, 0xFFFFFFFF
_COMPRESSED, _ENCRYPTED = 0x0001, 0x4000


def is_ntfs(boot: bytes) -> bool:
    """Whether a boot sector is of NTFS."""
    return boot[3:11] == b"NTFS    " and len(boot) >= 512


class Ntfs:
    """An NTFS volume. Raises: Damaged when its numbers lead outside."""

    def __init__(self, disk: Disk, work: Work) -> None:
        self._disk, self._work = disk, work
        boot = disk.read(0, 512)
        sector, cluster = struct.unpack_from("<HB", boot, 11)
        if sector not in (512, 1024, 2048, 4096) or not cluster:
            raise Damaged("its boot sector makes no sense")
        self._n = sector * (cluster if cluster < 129 else 1 << 256 - cluster)
        shift = struct.unpack_from("<b", boot, 64)[0]
        self._record = self._n * shift if shift > 0 else 1 << min(-shift, 16)
        self._sector = sector
        first = disk.read(struct.unpack_from("<Q", boot, 48)[0] * self._n, self._record)
        table = next((found for kind, found, _ in self._attributes(self._fixed(first), "") if kind == _DATA), None)
        if table is None:
            raise Damaged("its table of files cannot be found")
        self._table = table

    def files(self) -> Iterator[Found]:
        """All files and folders. Raises: Damaged."""
        names: dict[int, tuple[int, str]] = {}
        kept: list[tuple[int, bool, list[Found]]] = []
        for number, raw in enumerate(self._records()):
            if raw[:4] != b"FILE" or not struct.unpack_from("<H", raw, 22)[0] & 1 or number < _FIRST_FILE:
                continue
            record = self._fixed(raw)
            streams, base = [], number
            for kind, found, name in self._attributes(record, ""):
                if kind == _NAME and (base not in names or "~" in names[base][1]):
                    names[base] = name
                elif kind == _DATA:
                    streams.append(found)
            kept.append((number, bool(struct.unpack_from("<H", record, 22)[0] & 2), streams))
            if not number & 0xFF:
                self._work.purse.check_time()
        for number, is_folder, streams in kept:
            path = _path(number, names)
            if is_folder:
                yield Found(path, 0, [], True)
            for found in streams:
                yield found._replace(path=path + found.path)

    def _records(self) -> Iterator[bytes]:
        left = _MAX_RECORDS
        for at, n in self._table.pieces:
            for place in range(at, at + n - self._record + 1, self._record):
                if left == 0 or at < 0:
                    return
                left -= 1
                yield self._disk.read(place, self._record)

    def _fixed(self, raw: bytes) -> bytes:
        """A record with the last two bytes of its sectors put back."""
        if len(raw) < 48:
            raise Damaged("a record of it breaks off")
        record = bytearray(raw)
        at, n = struct.unpack_from("<HH", raw, 4)
        for number in range(1, min(n, len(raw) // self._sector + 1)):
            end, value = number * self._sector, raw[at + 2 * number : at + 2 * number + 2]
            if len(value) == 2 and end <= len(record):
                record[end - 2 : end] = value
        return bytes(record)

    def _attributes(self, record: bytes, path: str) -> Iterator[tuple[int, Found, tuple[int, str]]]:
        at = struct.unpack_from("<H", record, 20)[0]
        while at + 24 <= len(record):
            kind, size, resident, n_name, name_at, flags = struct.unpack_from("<IIBBHH", record, at)
            if kind == _END or size < 24 or at + size > len(record):
                return
            attribute = record[at : at + size]
            stream = attribute[name_at : name_at + 2 * n_name].decode("utf-16-le", "replace")
            if kind == _NAME and not resident:
                yield kind, Found("", 0, []), _name(attribute)
            elif kind == _DATA:
                yield kind, self._data(attribute, f":{stream}" if stream else "", bool(resident), flags), (0, "")
            at += size

    def _data(self, attribute: bytes, name: str, elsewhere: bool, flags: int) -> Found:
        if not elsewhere:
            size, at = struct.unpack_from("<IH", attribute, 16)
            return Found(name, size, [], inline=attribute[at : at + size])
        if len(attribute) < 56:
            raise Damaged("a record of it breaks off")
        problem = "compressed by NTFS" if flags & _COMPRESSED else "encrypted by NTFS" if flags & _ENCRYPTED else ""
        size = struct.unpack_from("<Q", attribute, 48)[0]
        return Found(name, size, self._runs(attribute[struct.unpack_from("<H", attribute, 32)[0] :]), problem=problem)

    def _runs(self, packed: bytes) -> list[tuple[int, int]]:
        """Places and sizes of the clusters of an attribute, from their packed list."""
        runs: list[tuple[int, int]] = []
        at = cluster = 0
        while at < len(packed) and packed[at] and len(runs) < MAX_RUNS:
            n_size, n_place = packed[at] & 15, packed[at] >> 4
            count = int.from_bytes(packed[at + 1 : at + 1 + n_size], "little")
            step = int.from_bytes(packed[at + 1 + n_size : at + 1 + n_size + n_place], "little", signed=True)
            cluster += step
            runs.append((cluster * self._n if n_place else -1, count * self._n))
            at += 1 + n_size + n_place
        return runs


def _name(attribute: bytes) -> tuple[int, str]:
    body = attribute[struct.unpack_from("<H", attribute, 20)[0] :]
    if len(body) < 66:
        return _ROOT, ""
    parent = int.from_bytes(body[:6], "little")
    return parent, body[66 : 66 + 2 * body[64]].decode("utf-16-le", "replace")


def _path(number: int, names: dict[int, tuple[int, str]]) -> str:
    steps: list[str] = []
    while number != _ROOT and number in names and len(steps) < 64:
        number, name = names[number]
        steps.append(name)
    return "/".join(reversed(steps))
