"""Opens what libarchive reads, format by format: cab, lha, cpio, ar and deb, rpm, xar; and the walk others use too.

The walk tells every member: as a file, a folder, a link, a locked one, or one that cannot be read with its reason.
"""

from __future__ import annotations

import struct
from typing import Final

from mxward.core.unpack.container.libread import Entry, LibraryError, Reader
from mxward.core.unpack.container.members import Members
from mxward.core.unpack.container.zip_methods import Broken, pulled
from mxward.core.unpack.work import Damaged, Item, Work

_FILTERS: Final = ("gzip", "bzip2", "xz", "lzma", "zstd")
_CAB_PREVIOUS, _CAB_NEXT = 1, 2  # flags of a cabinet that is one piece of several


def open_cab(item: Item, work: Work) -> None:
    """Tell the members of a Microsoft cabinet."""
    if len(item.data) > 36 and struct.unpack_from("<H", item.data, 30)[0] & (_CAB_PREVIOUS | _CAB_NEXT):
        work.find(item, "CONTAINER_SPLIT")
        work.unseen(item, "unsupported", "one piece of several")
    walk(item, work, "cab")
    n = int.from_bytes(item.data[8:12], "little")
    if n and item.data[n:].strip(b"\0"):  # signed ones have their signature there
        work.child(item, item.data[n:], "data after the container")


def open_lha(item: Item, work: Work) -> None:
    """Tell the members of an lha (lzh) file."""
    walk(item, work, "lha")


def open_cpio(item: Item, work: Work) -> None:
    """Tell the members of a cpio file of any dialect."""
    walk(item, work, "cpio")


def open_ar(item: Item, work: Work) -> None:
    """Tell the members of an ar file; a Debian package is one."""
    walk(item, work, "ar")


def open_rpm(item: Item, work: Work) -> None:
    """Tell the members of an RPM package."""
    walk(item, work, "cpio", "rpm", *_FILTERS)


def open_xar(item: Item, work: Work) -> None:
    """Tell the members of a xar file, such as an Apple package."""
    walk(item, work, "xar")


def walk(item: Item, work: Work, kind: str, *through: str) -> None:
    """Tell all members that libarchive finds. Raises: Damaged, OverBudget."""
    members, n = Members(item, work), 0
    try:
        with Reader(item.data, kind, *through) as reader:
            for entry in reader:
                tell(entry, reader, members, work)
                n += 1
    except LibraryError as error:
        reason = reason_of(error)
        if reason == "damaged":
            raise
        work.unseen(item, reason, error.text)
    else:
        if not n:
            raise Damaged("nothing in it can be read")


def tell(entry: Entry, reader: Reader, members: Members, work: Work) -> None:
    """Tell one member. Raises: LibraryError when nothing more can be read of the container, OverBudget."""
    if entry.is_folder:
        members.folder(entry.name)
    elif entry.target:
        members.link(entry.name, entry.target)
    elif entry.is_device:
        members.device(entry.name)
    elif entry.encrypted:
        members.locked(entry.name)
    else:
        _tell_file(entry, reader, members, work)


def _tell_file(entry: Entry, reader: Reader, members: Members, work: Work) -> None:
    if entry.size > work.purse.bytes_left:
        work.purse.spend_bytes(entry.size)
    try:
        members.file(pulled(work, reader.pieces()), entry.name)
    except Broken as broken:
        error = broken.__cause__
        if broken.content:
            members.file(broken.content, entry.name)
        if not isinstance(error, LibraryError):
            raise Damaged(str(broken)) from broken
        if error.fatal or reason_of(error) == "unsupported":
            raise error from broken
        members.unread(entry.name, reason_of(error), error.text)


def reason_of(error: LibraryError) -> str:
    """One of opener.REASONS for what libarchive says."""
    text = error.text.lower()
    if "encrypt" in text or "passphrase" in text:
        return "encrypted"
    if "unsupport" in text or "not support" in text or "unknown codec" in text or "no support" in text:
        return "unsupported"
    return "limit:memory" if "allocate" in text or "out of memory" in text else "damaged"
