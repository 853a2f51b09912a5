"""What `mxward scan` looks at: files, directories, mbox files, Maildirs, standard input; found lazily, one at a time.

Only names and ranges travel to the scanning processes; content is read where it is scanned.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHUNK: Final = 1024 * 1024
# A line that begins a message of an mbox: "From " with a date at its end (a body's "From " line has none).
_FROM: Final = re.compile(rb"^From .{0,300}\d{2}:\d{2}(?::\d{2})?.{0,40}\d{4}", re.MULTILINE)
_START: Final = re.compile(rb"From [^\n]{0,300}\n")


@dataclass(frozen=True, slots=True)
class Item:
    """One message to scan: a whole file, a range of an mbox, or bytes in hand. `error`: it cannot be read."""

    label: str
    path: str = ""
    offset: int = 0
    size: int = -1  # -1: to the end
    data: bytes = b""
    error: str = ""

    def read(self, limit: int) -> bytes:
        """The message; at most `limit` + 1 bytes, so that the caller sees when it is longer. Raises OSError."""
        if not self.path:
            return self.data
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(22, "is not a regular file", self.path)
            file.seek(self.offset)
            return file.read(limit + 1 if self.size < 0 else min(self.size, limit + 1))


def items(paths: list[str], limit: int) -> Iterator[Item]:
    """Every message below `paths`, in a stable order; "-" is standard input. Symbolic links in folders are skipped."""
    for path in paths:
        if path == "-":
            yield from _split_bytes("-", sys.stdin.buffer.read(limit + 1))
        elif os.path.isdir(path):
            yield from _folder(path)
        else:
            yield from _file(path)


def _folder(path: str) -> Iterator[Item]:
    for folder, folders, files in os.walk(path, onerror=None):
        if is_maildir(folder):
            folders.remove("tmp")  # messages that are not delivered yet
        folders.sort()
        for name in sorted(files):
            full = os.path.join(folder, name)
            if not os.path.islink(full):
                yield from _file(full)


def is_maildir(path: str) -> bool:
    """A folder with cur, new and tmp."""
    return all(os.path.isdir(os.path.join(path, name)) for name in ("cur", "new", "tmp"))


def _file(path: str) -> Iterator[Item]:
    try:
        info = os.stat(path)
        if not stat.S_ISREG(info.st_mode):
            yield Item(path, error="is not a regular file")
            return
        starts = list(_mbox_starts(path))
    except OSError as error:
        yield Item(path, error=error.strerror or str(error))
        return
    if len(starts) < 2:
        yield Item(path, path)
        return
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], info.st_size], strict=True), 1):
        yield Item(f"{path}#{number}", path, start, end - start)


def _mbox_starts(path: str) -> Iterator[int]:
    """Offsets of the messages of an mbox; nothing for any other file. Reads in pieces; an mbox may be huge."""
    with Path(path).open("rb") as file:
        head = file.read(CHUNK)
        if not _START.match(head):
            return
        base, text, last = 0, head, -1
        while text:
            for match in _FROM.finditer(text):
                at = base + match.start()
                if at > last and _blank_before(text, match.start(), base):
                    last = at
                    yield at
            more = file.read(CHUNK)
            if not more:
                return
            keep = text[-512:]
            base, text = base + len(text) - len(keep), keep + more


def _blank_before(text: bytes, at: int, base: int) -> bool:
    """An mbox separates messages by an empty line."""
    return (at == 0 and base == 0) or text[:at].endswith((b"\n\n", b"\r\n\r\n"))


def _split_bytes(label: str, data: bytes) -> Iterator[Item]:
    starts = [m.start() for m in _FROM.finditer(data) if _blank_before(data, m.start(), 0)]
    if len(starts) < 2 or starts[0] != 0:
        yield Item(label, data=data)
        return
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(data)], strict=True), 1):
        yield Item(f"{label}#{number}", data=data[start:end])


def count(paths: list[str], limit: int) -> int:
    """How many messages `items` will give, for a progress bar; -1 when one of the paths is standard input."""
    return -1 if "-" in paths else sum(1 for _ in items(paths, limit))


def path_for_json(path: str) -> str:
    """A path as text: bytes that are not UTF-8 become \\xNN."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
