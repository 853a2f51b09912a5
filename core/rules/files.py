"""The files of a pack as one snapshot in memory: read once, bounded, so that what is checked is what is used.

A pack comes from strangers. Links, devices and names that are no plain names are refused; every file, their number,
their depth and their sum have a limit; nothing is looked at twice, so nothing can be exchanged between a check and a
use. Containers (.tar.gz, .zip) are container.py, what the files mean pack.py.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.errors import RulePackError

MAX_FILE_BYTES: Final = 32 * 1024 * 1024  # one file; the largest public rule file is 3 MB
MAX_PACK_BYTES: Final = 256 * 1024 * 1024  # all files of one pack
MAX_FILES: Final = 20_000  # files of one pack
MAX_DEPTH: Final = 16  # folders within each other
MAX_NAME_BYTES: Final = 200  # one step of a path; file systems take 255
SAMPLES: Final = "tests/"
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class PackFiles:
    """Relative path (with "/") -> content, sorted. `name` is what errors call the pack until its manifest is read."""

    name: str
    contents: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 of all paths and contents, hex."""
        digest = hashlib.sha256()
        for path, content in self.contents.items():
            digest.update(f"{path}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def text(self, path: str) -> str:
        """A file as text. Raises: RulePackError when it is not UTF-8; KeyError when it is absent."""
        try:
            return self.contents[path].decode("utf-8")
        except UnicodeDecodeError as error:
            raise RulePackError(f"is not UTF-8 at byte {error.start}", pack=f"{self.name}/{path}") from None

    def rules(self, name: str) -> Iterator[tuple[str, str]]:
        """(path, text) of each file of that name, or with that ending (".yar"); samples are not rules."""
        for path in self.contents:
            last = path.rpartition("/")[2]
            if (last.endswith(name) if name.startswith(".") else last == name) and not path.startswith(SAMPLES):
                yield path, self.text(path)


class Collector:
    """Takes files up to the limits. Raises: RulePackError beyond them, or for a name that is no plain name."""

    def __init__(self, name: str) -> None:
        self.name, self._contents, self._n_bytes = name, dict[str, bytes](), 0

    def refuse(self, path: str, reason: str) -> RulePackError:
        """The error that says so of one file."""
        return RulePackError(reason, pack=f"{self.name}/{printable(path)}" if path else self.name)

    def room(self, path: str) -> int:
        """How many bytes the next file may have at most."""
        if len(self._contents) >= MAX_FILES:
            raise self.refuse("", f"holds more than {MAX_FILES} files")
        return min(MAX_FILE_BYTES, MAX_PACK_BYTES - self._n_bytes)

    def add(self, path: str, content: bytes) -> None:
        """Take one file; `path` is relative, with "/"."""
        check_path(self, path)
        if len(content) > self.room(path):
            raise self.too_large(path)
        if path in self._contents:
            raise self.refuse(path, "is there twice")
        self._contents[path] = content
        self._n_bytes += len(content)

    def too_large(self, path: str) -> RulePackError:
        """The error for a file beyond `room`."""
        if self.room(path) < MAX_FILE_BYTES:
            return self.refuse("", f"is larger than {MAX_PACK_BYTES} bytes altogether")
        return self.refuse(path, f"is larger than {MAX_FILE_BYTES} bytes")

    def done(self) -> PackFiles:
        """All that was taken."""
        return PackFiles(self.name, dict(sorted(self._contents.items())))


def printable(name: str) -> str:
    """A file name that can stand in an error."""
    return name if name.isprintable() else ascii(name)[1:-1]


def check_path(collector: Collector, path: str) -> None:
    """Raises: RulePackError for a path that is absolute, climbs, is too deep or has a name that is no plain name."""
    steps = path.split("/")
    if len(steps) > MAX_DEPTH:
        raise collector.refuse(path, f"lies more than {MAX_DEPTH} folders deep")
    for step in steps:
        if step in ("", ".", "..") or "\\" in step or not step.isprintable():
            raise collector.refuse(path, "has a name that is not allowed")
        if len(step.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
            raise collector.refuse(path, f"has a name longer than {MAX_NAME_BYTES} bytes")


def read_folder(path: Path, *, samples: bool = True) -> PackFiles:
    """Read a pack's directory. Names that begin with a dot (a .git, an editor's draft) are no part of a pack.

    Args: samples: also what is under tests/; starting does not need that.
    Raises: RulePackError for what a pack may not hold; nothing is followed out of the directory.
    """
    collector = Collector(path.name or str(path))
    try:
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # the pack itself may be a link: ours are
    except OSError as error:
        raise collector.refuse("", f"cannot be read: {error.strerror}") from None
    try:
        for folder, folders, names, fd in os.fwalk(".", dir_fd=top, follow_symlinks=False):
            prefix = "" if folder == "." else f"{folder[2:]}/"
            folders[:] = sorted(name for name in folders if _is_wanted(prefix + name, samples=samples))
            for name in folders:
                _check_folder(collector, prefix + name, name, fd)
            for name in sorted(names):
                if _is_wanted(prefix + name, samples=samples):
                    collector.add(prefix + name, _read(collector, prefix + name, name, fd))
    except OSError as error:
        raise collector.refuse("", f"cannot be read: {error.strerror}") from None
    finally:
        os.close(top)
    return collector.done()


def _is_wanted(path: str, *, samples: bool) -> bool:
    hidden = path.rpartition("/")[2].startswith(".")
    return not hidden and (samples or f"{path}/" != SAMPLES)


def _check_folder(collector: Collector, path: str, name: str, fd: int) -> None:
    check_path(collector, path)
    if stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
        raise collector.refuse(path, "is a symbolic link; packs hold plain files only")


def _read(collector: Collector, path: str, name: str, fd: int) -> bytes:
    try:
        file = os.open(name, _OPEN, dir_fd=fd)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise collector.refuse(path, "is a symbolic link; packs hold plain files only") from None
        raise collector.refuse(path, f"cannot be read: {error.strerror}") from None
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise collector.refuse(path, "is no plain file")
        room = collector.room(path)
        content = opened.read(room + 1)
    if len(content) > room:
        raise collector.too_large(path)
    return content
