"""Opens ISO 9660 images by libarchive: the plain tree and the Joliet tree, which two systems show of one disc.

A third one, of UDF (udf.py), may stand on the same disc, and Windows shows that.
"""

from __future__ import annotations

import stat
from typing import Final

from mxward.core.unpack.container.libread import LibraryError, Reader
from mxward.core.unpack.container.members import Members
from mxward.core.unpack.container.packed import reason_of, tell
from mxward.core.unpack.container.udf import Udf
from mxward.core.unpack.container.volume import Disk, content_of
from mxward.core.unpack.container.zip_methods import pulled
from mxward.core.unpack.work import Item, Work

_MARKS: Final = slice(0x8000, 0x20000)  # where a disc says what is on it


def open_iso(item: Item, work: Work) -> None:
    """Tell the files of both trees; a finding when one shows what the other does not."""
    work.find(item, "CONTAINER_DISK_IMAGE")
    members = Members(item, work)
    told: set[int] = set()
    try:
        with_joliet = _tree(item, work, members, told, "")
        plain = _tree(item, work, members, told, "!joliet")
    except LibraryError as error:
        if reason_of(error) == "damaged":
            raise
        work.unseen(item, reason_of(error), error.text)
    else:
        trees = [with_joliet, plain]
        if any(mark in item.data[_MARKS] for mark in (b"NSR02", b"NSR03")):
            trees.append(_udf_tree(item, work, members, told))
        if any(tree != plain for tree in trees):
            work.find(item, "CONTAINER_TWO_TREES")


def _tree(item: Item, work: Work, members: Members, told: set[int], options: str) -> set[int]:
    """Tell what has not been told yet; hashes of all content of this tree. Raises: LibraryError, OverBudget."""
    shown: set[int] = set()
    with Reader(item.data, "iso9660", options=options) as reader:
        for entry in reader:
            if not stat.S_ISREG(entry.mode) or entry.target:
                if not options and entry.name != ".":
                    tell(entry, reader, members, work)
                continue
            if entry.size > work.purse.bytes_left:
                work.purse.spend_bytes(entry.size)
            content = pulled(work, reader.pieces())
            shown.add(hash(content))
            if hash(content) not in told:
                told.add(hash(content))
                members.file(content, entry.name)
    return shown


def _udf_tree(item: Item, work: Work, members: Members, told: set[int]) -> set[int]:
    """As `_tree`, of UDF. Raises: Damaged, OverBudget."""
    disk, shown = Disk.of(item.data), set()
    for found in Udf(disk, work).files():
        if found.problem:
            members.unread(found.path, "unsupported", found.problem)
        elif not found.is_folder:
            content = content_of(found, disk, work)
            shown.add(hash(content))
            if hash(content) not in told:
                told.add(hash(content))
                members.file(content, found.path)
    return shown
