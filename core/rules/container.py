"""A pack that comes as one file: .tar.gz, .tgz, .tar or .zip, read into memory within a pack's bounds.

Nothing is unpacked onto the disk. Links, devices, encrypted and sparse entries are refused, as are names that lead
anywhere; what expands beyond the bounds is left off reading there. A single folder around everything is dropped, since
that is how packs are usually wrapped.
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import IO, Any, Final, Self

from mxward.core.errors import RulePackError
from mxward.core.rules.files import MAX_DEPTH, MAX_FILES, MAX_PACK_BYTES, Collector, PackFiles, read_folder

SUFFIXES: Final = (".tar.gz", ".tgz", ".tar", ".zip")
MAX_CONTAINER_BYTES: Final = 64 * 1024 * 1024  # as it lies on the disk; rule text shrinks to a fifth
_MAX_TAR_BYTES: Final = MAX_PACK_BYTES + MAX_FILES * 2048  # headers and padding included
_MAX_DIRECTORY_BYTES: Final = MAX_FILES * 512  # a zip's list of entries, before it is read
_MAX_EXTENDED_BYTES: Final = 4096  # of a header that extends the next one; the longest path allowed fits in
_MAX_EXTENDED_SUM: Final = 4 * 1024 * 1024  # of all of them: their readers may take time that grows with the square
_EXTENDED: Final = frozenset((
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
))  # fmt: skip
_END: Final = b"PK\x05\x06"


def read_source(path: Path) -> PackFiles:
    """The files of a pack, whether directory or container. Raises: RulePackError."""
    if path.is_dir():
        return read_folder(path)
    if not path.name.endswith(SUFFIXES):
        raise RulePackError(f"is neither a directory nor one of {', '.join(SUFFIXES)}", pack=path.name)
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(path.stat().st_mode):
                raise RulePackError("is no plain file", pack=path.name)
            content = file.read(MAX_CONTAINER_BYTES + 1)
    except OSError as error:
        raise RulePackError(f"cannot be read: {error.strerror}", pack=path.name) from None
    return read_container(path.name, content)


def read_container(name: str, content: bytes) -> PackFiles:
    """The files in a container. Args: name: its file name, whose ending says what it is. Raises: RulePackError."""
    if len(content) > MAX_CONTAINER_BYTES:
        raise RulePackError(f"is larger than {MAX_CONTAINER_BYTES} bytes", pack=name)
    collector = Collector(name)
    try:
        if name.endswith(".zip"):
            _read_zip(collector, content)
        else:
            _read_tar(collector, content, is_packed=not name.endswith(".tar"))
    except RulePackError:
        raise
    except Exception as error:  # the standard library has a dozen words for a broken or crafted container
        raise RulePackError(f"cannot be unpacked: {error or type(error).__name__}", pack=name) from None
    return _unwrapped(collector.done())


class _Bounded(io.RawIOBase):
    """A stream that ends in an error rather than beyond `most` bytes."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        super().__init__()
        self._source, self._left = source, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._source.read(min(len(view), self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("it grows beyond what a pack may hold")
        view[: len(data)] = data
        return len(data)


def _entries_type() -> type[tarfile.TarInfo]:
    """What the library is to make of the headers of one tar file: none that extends another beyond its bounds."""
    left = _MAX_EXTENDED_SUM

    class Entry(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            nonlocal left
            entry = super().frombuf(buf, encoding, errors)
            if entry.type in _EXTENDED:
                left -= entry.size
                if entry.size > _MAX_EXTENDED_BYTES or left < 0:
                    raise ValueError("a header is larger than that of any pack")
            return entry

    return Entry


def _read_tar(collector: Collector, content: bytes, *, is_packed: bool) -> None:
    plain: IO[bytes] = io.BytesIO(content)
    source = gzip.GzipFile(fileobj=plain) if is_packed else plain
    bounded = io.BufferedReader(_Bounded(source, _MAX_TAR_BYTES))  # type: ignore[arg-type]  # GzipFile reads as IO does
    n_entries = 0
    with tarfile.open(fileobj=bounded, mode="r|", tarinfo=_entries_type()) as tar:
        for entry in tar:
            n_entries += 1
            if n_entries > 2 * MAX_FILES:
                raise collector.refuse("", f"has more than {2 * MAX_FILES} entries")
            tar.members = []  # type: ignore[attr-defined]  # the library keeps every header otherwise
            if entry.isdir():
                continue
            name = entry.name.removeprefix("./")
            if not entry.isreg() or entry.issparse():
                raise collector.refuse(name, "is no plain file")
            if _is_hidden(name):
                continue
            if entry.size > collector.room(name):
                raise collector.too_large(name)
            data = tar.extractfile(entry)
            assert data is not None, "a plain file has content"
            collector.add(name, data.read())


def _read_zip(collector: Collector, content: bytes) -> None:
    _check_directory(collector, content)
    with zipfile.ZipFile(io.BytesIO(content)) as container:
        for entry in container.infolist():
            mode = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir():
                continue
            if mode not in (0, stat.S_IFREG):
                raise collector.refuse(entry.filename, "is no plain file")
            if entry.flag_bits & 1:
                raise collector.refuse(entry.filename, "is encrypted")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise collector.refuse(entry.filename, "is packed by a method that is not read")
            if _is_hidden(entry.filename):
                continue
            room = collector.room(entry.filename)
            with container.open(entry) as file:
                data = file.read(room + 1)
            if len(data) > room:
                raise collector.too_large(entry.filename)
            collector.add(entry.filename, data)


def _check_directory(collector: Collector, content: bytes) -> None:
    """Refuse a list of entries that would fill the memory before the first entry is seen (APPNOTE 4.3.16)."""
    at = content.rfind(_END, max(0, len(content) - 65_557))
    if at < 0 or len(content) < at + 22:
        raise collector.refuse("", "cannot be unpacked: it is no zip file")
    n_entries, n_bytes = struct.unpack_from("<HI", content, at + 10)
    if content[max(0, at - 20) : at - 16] == b"PK\x06\x07" or n_entries > MAX_FILES or n_bytes > _MAX_DIRECTORY_BYTES:
        raise collector.refuse("", f"holds more than {MAX_FILES} files")


def _is_hidden(name: str) -> bool:
    """As in a directory: what begins with a dot is no part of a pack (but a name that climbs is refused)."""
    return any(step.startswith(".") and step not in (".", "..") for step in name.split("/")[:MAX_DEPTH])


def _unwrapped(files: PackFiles) -> PackFiles:
    top = {path.partition("/")[0] for path in files.contents}
    if "pack.toml" in files.contents or len(top) != 1:
        return files
    prefix = f"{top.pop()}/"
    return PackFiles(prefix[:-1], {path.removeprefix(prefix): content for path, content in files.contents.items()})
