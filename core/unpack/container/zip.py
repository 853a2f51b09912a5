"""Opens zip in all dialects: tells every member under every reading, decrypted when a password is known."""

from __future__ import annotations

import stat
import zlib

from mxward.core.unpack.container import zip_crypto
from mxward.core.unpack.container.members import Members, readable
from mxward.core.unpack.container.zip_headers import ENCRYPTED, STREAMED, STRONG, Header
from mxward.core.unpack.container.zip_layout import Layout, Reading, layout
from mxward.core.unpack.container.zip_methods import Broken, Unknown, unpacked
from mxward.core.unpack.work import Damaged, Item, Work

_UNIX = 3  # "version made by", high byte


def open_zip(item: Item, work: Work) -> None:
    """Tell the members of a zip file, and what stands before, between and after them."""
    found = layout(item.data)
    for name in found.found:
        work.find(item, name)
    if not found.whole:
        work.unseen(item, "damaged", "it has no whole list of its files")
    if found.split:
        work.find(item, "CONTAINER_SPLIT")
        work.unseen(item, "unsupported", "one piece of several")
    for comment in found.comments:
        work.text(item, readable(comment))
    _Zip(item, work).tell(found)


class _Zip:
    """One zip file being told."""

    def __init__(self, item: Item, work: Work) -> None:
        self._item, self._work = item, work
        self._view = memoryview(item.data)
        self._members = Members(item, work)
        self._done: set[tuple[int, int, int, int]] = set()

    def tell(self, found: Layout) -> None:
        """Everything that was found, members first. Raises: OverBudget."""
        for reading in found.readings:
            self._member(reading)
        for name in found.missing:
            self._members.unread(name, "damaged", "its content is not there")
        data = self._item.data
        if found.before and data[: found.before].strip(b"\0"):
            self._work.find(self._item, "CONTAINER_PREPENDED")
            self._work.child(self._item, data[: found.before], "data before the container")
        for low, high in found.gaps:
            self._work.child(self._item, data[low:high], "data between members")
        if data[found.after :].strip(b"\0\r\n"):
            self._work.find(self._item, "CONTAINER_APPENDED")
            self._work.child(self._item, data[found.after :], "data after the container")

    def _member(self, reading: Reading) -> None:
        header = reading.header
        key = (header.data, header.method, header.packed, header.flags & ENCRYPTED)
        if key in self._done and len(reading.names) == 1:
            return
        self._done.add(key)
        name = reading.names[0]
        if name.endswith(("/", "\\")) and not header.size and not header.packed:
            self._members.folder(name)
            return
        try:
            self._file(reading)
        except Unknown as error:
            self._members.unread(name, "unsupported", str(error))
        except Damaged as error:
            self._members.unread(name, "damaged", str(error))

    def _file(self, reading: Reading) -> None:
        header, name = reading.header, reading.names[0]
        if header.flags & ENCRYPTED:
            content = self._decrypted(header)
            if content is None:
                self._members.locked(name)
                return
            self._told(reading, content)
            return
        end = min(len(self._view), header.data + header.packed)
        try:
            content, used = unpacked(
                self._work, header.method, self._view[header.data : end], header.size, header.flags
            )
        except Broken as error:
            content, used = self._beyond(header, error)
        self._told(reading, content)
        if reading.known_end and header.data + used < end and header.method:
            self._work.find(self._item, "CONTAINER_APPENDED")
            self._work.child(self._item, bytes(self._view[header.data + used : end]), f"data after {name}")
        if header.data + header.packed > len(self._view):
            self._work.unseen(self._item, "damaged", "it breaks off")

    def _beyond(self, header: Header, broken: Broken) -> tuple[bytes, int]:
        """Read a member that is longer than it says, as programs do that read to its own end."""
        try:
            content, used = unpacked(self._work, header.method, self._view[header.data :], header.size, header.flags)
        except Damaged:
            self._work.unseen(self._item, "damaged", str(broken))
            return broken.content, header.packed
        self._work.find(self._item, "CONTAINER_HEADERS_DISAGREE")
        return content, used

    def _told(self, reading: Reading, content: bytes) -> None:
        header = reading.header
        kind = stat.S_IFMT(header.attributes >> 16) if header.system == _UNIX else 0
        if kind == stat.S_IFLNK and len(content) < 4096:
            self._members.link(reading.names[0], readable(content))
            return
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            self._members.device(reading.names[0])
        if not content and reading.names[0].endswith("/"):
            self._members.folder(reading.names[0])
            return
        self._members.file(content, *reading.names)
        if header.flags & STREAMED and not header.size:
            return
        if 0 < header.size < len(content):
            self._work.find(self._item, "CONTAINER_HEADERS_DISAGREE")
            self._members.file(content[: header.size], *reading.names)
        elif header.size != len(content):
            self._work.find(self._item, "CONTAINER_HEADERS_DISAGREE")
        if header.method != zip_crypto.AES and zlib.crc32(content) != header.crc:
            self._work.unseen(self._item, "damaged", "a checksum is wrong")

    def _decrypted(self, header: Header) -> bytes | None:
        """The content of an encrypted member, None when no password fits. Raises: OverBudget, Damaged, Unknown."""
        if header.flags & STRONG:
            return None
        packed = self._view[header.data : header.data + header.packed]
        method = zip_crypto.packed_by(header)
        for password in self._members.passwords():
            content = self._by(password, packed, header, method)
            self._members.tried(password, content is not None)
            if content is not None:
                return content
        return None

    def _by(self, password: str, packed: memoryview, header: Header, method: int) -> bytes | None:
        inner = zip_crypto.opened(packed, header, self._item.data[header.at + 11], password)
        if inner is None:
            return None
        try:
            content, _ = unpacked(self._work, method, memoryview(inner), header.size, header.flags)
        except Damaged:
            return None
        is_right = header.method == zip_crypto.AES or zlib.crc32(content) == header.crc
        return content if is_right else None
