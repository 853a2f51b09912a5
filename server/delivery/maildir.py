"""Delivery into Maildirs under the data directory: PATH/DOMAIN/LOCALPART/{tmp,new,cur}.

A file is Return-Path, the trace and the message exactly as they are. Its name follows from queue id and recipient
number, so a delivery repeated after a crash finds the first one and changes nothing. Written, synced and linked
before it counts; a batch shares the sync of its directories.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.server.delivery.command import split
from mxward.server.delivery.reply import PeerReply, local

MAX_NAME: Final = 100  # characters of a directory name
_PLAIN: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_+=-]|\.(?!\.)){0,99}\Z")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SEEN_AS: Final = (":2,", ":2,S", ":2,RS", ":2,FS", ":2,T", ":2,ST")  # what mail clients commonly rename to


@dataclass(frozen=True, slots=True)
class Item:
    """One copy to write. `name` is the file name, `content` the bytes in order."""

    directory: Path
    name: str
    content: tuple[bytes, ...]


def safe_name(text: str) -> str:
    """A directory name for a local part or domain: itself in lower case when harmless, else marked and hashed.

    Two different inputs (in lower case) never give the same name: "~" occurs only before a digest.
    """
    lower = text.lower()
    if _PLAIN.match(lower) and len(lower) <= MAX_NAME and not lower.endswith("."):
        return lower
    digest = hashlib.sha256(lower.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{re.sub('[^a-z0-9_-]', '_', lower)[:40]}~{digest}"


def directory_of(root: Path, address: str) -> Path:
    """The Maildir of an address. A quoted local part is unquoted first (RFC 5321 section 4.1.2)."""
    local_part, domain = split(address)
    if len(local_part) >= 2 and local_part[0] == local_part[-1] == '"':
        local_part = re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return root / safe_name(domain or "localhost") / safe_name(local_part)


def file_name(queue_id: str, n: int, received_at: int, host: str) -> str:
    """The same for the same recipient of the same message, always."""
    return f"{received_at // 1_000_000}.Q{queue_id}N{n}.{re.sub('[^A-Za-z0-9.-]', '_', host)[:60]}"


def deliver(items: Sequence[Item]) -> list[PeerReply]:
    """Write the items; in a thread. Returns a reply for each, 250 only when it is on the disk."""
    replies = [_write(item) for item in items]
    for directory in {i.directory for i, r in zip(items, replies, strict=True) if r.code == 250}:
        failure = _sync_directory(directory / "new")
        if failure:
            replies = [failure if i.directory == directory else r for i, r in zip(items, replies, strict=True)]
    return replies


def _write(item: Item) -> PeerReply:
    try:
        _make(item.directory)
        if _is_there(item):
            return local("2.0.0", "already in the Maildir")
        temporary, final = item.directory / "tmp" / item.name, item.directory / "new" / item.name
        _write_file(temporary, item.content)
        try:
            os.link(temporary, final)
        except FileExistsError:
            pass
        os.unlink(temporary)
    except OSError as error:
        return _failure(error)
    return local("2.0.0", "delivered to Maildir")


def _write_file(path: Path, content: tuple[bytes, ...]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb", buffering=0) as file:
        for data in content:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
        os.fsync(file.fileno())


def _make(directory: Path) -> None:
    """Create the Maildir when it is not there, each new entry synced into its parent."""
    if (directory / "new").is_dir():
        return
    missing = [directory / leaf for leaf in ("tmp", "cur", "new")]
    parent = directory
    while not parent.is_dir():
        missing.insert(0, parent)
        parent = parent.parent
    for path in missing:
        path.mkdir(mode=0o700, exist_ok=True)
        failure = _sync_directory(path.parent)
        if failure:
            raise OSError(errno.EIO, failure.text)


def _is_there(item: Item) -> bool:
    """Delivered before: still new, or taken over by a mail client."""
    if (item.directory / "new" / item.name).exists():
        return True
    return any((item.directory / "cur" / (item.name + flags)).exists() for flags in _SEEN_AS)


def _sync_directory(path: Path) -> PeerReply | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        return _failure(error)
    return None


def _failure(error: OSError) -> PeerReply:
    code = "4.2.2" if error.errno in _FULL else "4.3.0"
    return local(code, f"Maildir cannot be written: {error.strerror or error}")
