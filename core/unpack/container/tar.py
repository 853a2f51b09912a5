"""Opens tar of all kinds: old, ustar, GNU, pax, sparse; by an own walk over its blocks, in memory.

Sparse files are told as their stored pieces with zeros between, within the budget; names of old and new headers both.
Source: POSIX.1-2017 pax; GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.container.members import Members
from mxward.core.unpack.work import Damaged, Item, Work

_BLOCK: Final = 512
_STEP: Final = 1 << 20


def open_tar(item: Item, work: Work) -> None:
    """Tell the members of a tar file."""
    members = Members(item, work)
    source = io.BytesIO(item.data)
    try:
        with tarfile.open(fileobj=source, mode="r:", errors="replace", ignore_zeros=True) as tar:
            tar.fileobj = source
            seen = 0
            while (member := tar.next()) is not None:
                _member(tar, member, members, work)
                seen += 1
            end = tar.offset
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise Damaged("a header of it is not tar's") from error
    if not seen and item.data.strip(b"\0"):
        raise Damaged("nothing in it can be read")
    if item.data[end:].strip(b"\0"):
        work.find(item, "CONTAINER_APPENDED")
        work.child(item, item.data[end:], "data after the container")


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo, members: Members, work: Work) -> None:
    name = member.name
    if member.isdir():
        members.folder(name)
    elif member.issym() or member.islnk():
        members.link(name, member.linkname)
    elif member.isdev():
        members.device(name)
    else:
        if member.size > work.purse.bytes_left:  # sparse: terabytes may stand in a header
            work.purse.spend_bytes(member.size)
        content = work.pull(_pieces(tar, member))
        members.file(content, name)
        if len(content) < member.size:
            raise Damaged("it breaks off")


def _pieces(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    stream = tar.extractfile(member)
    if stream is None:
        return
    try:
        while piece := stream.read(_STEP):
            yield piece
    except tarfile.ReadError as error:
        raise Damaged("it breaks off") from error
