"""Opens 7z: plain ones by libarchive, encrypted ones and rare methods by py7zr, from memory and within the budget."""

from __future__ import annotations

import io
import lzma
import time
import zlib
from typing import Final

import py7zr
from py7zr.exceptions import ArchiveError
from py7zr.io import Py7zIO, WriterFactory

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.container.libread import Entry, LibraryError, Reader
from mxward.core.unpack.container.members import Members
from mxward.core.unpack.container.packed import reason_of, tell
from mxward.core.unpack.work import Damaged, Item, Work

MAX_TRYING_S: Final = 2.0  # of processor time for passwords: each costs half a million hashes by design
_ERRORS: Final = (
    ArchiveError, lzma.LZMAError, zlib.error, EOFError, ValueError, TypeError, KeyError, IndexError, OSError,
    AttributeError, AssertionError,
)  # fmt: skip  # py7zr on bytes that wrong keys make


def open_7z(item: Item, work: Work) -> None:
    """Tell the members of a 7z file."""
    members = Members(item, work)
    locked: list[str] = []
    rare: set[str] = set()
    try:
        with Reader(item.data, "7zip") as reader:
            for entry in reader:
                if entry.encrypted:
                    locked.append(entry.name)
                else:
                    _tell(entry, reader, members, work, rare)
    except LibraryError as error:
        if reason_of(error) == "encrypted":
            _hidden(item, work, members)
            return
        if reason_of(error) != "unsupported" and not rare:
            raise
        rare.add("")
    if locked:
        _locked(item, work, members, locked)
    if rare:
        _by_py7zr(item, work, members, rare)


def _tell(entry: Entry, reader: Reader, members: Members, work: Work, rare: set[str]) -> None:
    """Tell one member, or note its name when libarchive has no decoder for it."""
    try:
        tell(entry, reader, members, work)
    except LibraryError as error:
        if reason_of(error) != "unsupported":
            raise
        rare.add(entry.name)


def _hidden(item: Item, work: Work, members: Members) -> None:
    """Names are encrypted too."""
    work.find(item, "CONTAINER_ENCRYPTED")
    work.find(item, "CONTAINER_HEADER_ENCRYPTED")
    content = _first_fitting(item, work, members)
    if content is None:
        work.unseen(item, "encrypted", "its names are encrypted too")
        return
    for name, data in content:
        members.file(data, name)


def _locked(item: Item, work: Work, members: Members, locked: list[str]) -> None:
    content = _first_fitting(item, work, members)
    if content is None:
        for name in locked:
            members.locked(name)
        return
    for name, data in content:
        if name in locked:
            members.file(data, name)


def _first_fitting(item: Item, work: Work, members: Members) -> list[tuple[str, bytes]] | None:
    """All files by the first password that fits, None when none does in the time for that. Raises: OverBudget."""
    end = time.process_time() + MAX_TRYING_S
    for password in members.passwords():
        if time.process_time() > end:
            return None
        try:
            content = _content(item.data, work, password)
        except _ERRORS:
            content = None
        members.tried(password, content is not None)
        if content is not None:
            return content
    return None


def _by_py7zr(item: Item, work: Work, members: Members, rare: set[str]) -> None:
    """What libarchive has no decoder for."""
    try:
        for name, data in _content(item.data, work, None):
            if name in rare or "" in rare:
                members.file(data, name)
    except py7zr.UnsupportedCompressionMethodError:
        work.unseen(item, "unsupported", "a method that is not read")
    except _ERRORS as error:
        raise Damaged("its packed content cannot be read") from error


def _content(data: bytes, work: Work, password: str | None) -> list[tuple[str, bytes]]:
    """All files. Raises: OverBudget, and any of _ERRORS for a wrong password or damage."""
    with py7zr.SevenZipFile(io.BytesIO(data), password=password, max_extract_size=work.purse.bytes_left) as seven:
        names = []
        for n, info in enumerate(seven.files.files_list):
            names.append(str(info["filename"]))
            info["filename"] = f"{n}"  # names are hostile: to the library they are numbers
        sinks = _Sinks(work)
        seven.extract(targets=None, factory=sinks)  # into the sinks: no path is made of any name
    if sinks.over:
        raise sinks.over
    return [(name, sinks.content[n]) for n, name in enumerate(names) if n in sinks.content]


class _Sinks(WriterFactory):
    """Gives py7zr something to write to, bounded together."""

    def __init__(self, work: Work) -> None:
        self._work, self._left = work, work.purse.bytes_left
        self._sinks: dict[int, _Sink] = {}
        self.over: OverBudget | None = None

    def create(self, filename: str) -> _Sink:
        sink = _Sink(self)
        self._sinks[int(filename.rpartition("/")[2])] = sink
        return sink

    @property
    def content(self) -> dict[int, bytes]:
        """What was written, by number of the file."""
        return {n: bytes(sink.written) for n, sink in self._sinks.items()}

    def take(self, n: int) -> None:
        """Count bytes. Raises: OverBudget."""
        self._left -= n
        try:
            self._work.purse.check_time()
            if self._left < 0:
                self._work.purse.spend_bytes(self._work.purse.bytes_left - self._left)
        except OverBudget as error:
            self.over = error
            raise


class _Sink(Py7zIO):
    """One file being written."""

    def __init__(self, sinks: _Sinks) -> None:
        self.written, self._sinks = bytearray(), sinks

    def write(self, s: bytes | bytearray) -> int:
        self._sinks.take(len(s))
        self.written += s
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def flush(self) -> None:
        """Nothing waits."""

    def size(self) -> int:
        return len(self.written)
