"""Opens TNEF ("winmail.dat"): attachments, bodies and messages in it. Source: MS-OXTNEF."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.container import mapi
from mxward.core.unpack.container.members import Members, readable
from mxward.core.unpack.work import Damaged, Item, Work

_HEAD: Final = struct.Struct("<BII")
_MAX_ATTRIBUTES: Final = 50_000
_SUBJECT, _BODY, _MESSAGE_PROPERTIES = 0x8004, 0x800C, 0x9003
_ATTACHMENT, _DATA, _TITLE, _PROPERTIES = 0x9002, 0x800F, 0x8010, 0x9005
_NESTED: Final = b"\x78\x9f\x3e\x22"
_REST: Final = -1  # what follows the last attribute
_GUID: Final = 16  # before an object's bytes


def open_tnef(item: Item, work: Work) -> None:
    """Tell what stands in a TNEF stream."""
    members = Members(item, work)
    attachment = _Attachment()
    try:
        for number, value in _attributes(item.data):
            if number == _ATTACHMENT:
                attachment.tell(members, work)
                attachment = _Attachment()
            elif number == _DATA:
                attachment.data = value
            elif number == _TITLE:
                attachment.names.append(readable(value.rstrip(b"\0"), "cp1252"))
            elif number == _PROPERTIES:
                attachment.learn(value)
            elif number == _SUBJECT:
                work.text(item, readable(value.rstrip(b"\0"), "cp1252"))
            elif number == _BODY:
                members.file(value.rstrip(b"\0"), "body.txt", content_type="text/plain")
            elif number == _REST and value.strip(b"\0\r\n"):
                work.find(item, "CONTAINER_APPENDED")
                work.child(item, value, "data after the container")
            elif number == _MESSAGE_PROPERTIES:
                tell_bodies(mapi.properties(value), members, work, item)
    finally:
        attachment.tell(members, work)


class _Attachment:
    """One attachment being gathered: its attributes come one after the other."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.data = b""
        self.content_type = ""

    def learn(self, value: bytes) -> None:
        """Take the better names, and the object in the place of data."""
        for found in mapi.properties(value):
            if found.number in (mapi.LONG_NAME, mapi.SHORT_NAME, mapi.NAME):
                self.names.insert(0 if found.number == mapi.LONG_NAME else len(self.names), found.text)
            elif found.number == mapi.MIME_TYPE:
                self.content_type = found.text.lower()
            elif found.number == mapi.DATA and found.kind in (mapi.OBJECT, mapi.BINARY):
                content = found.value[_GUID:] if found.kind == mapi.OBJECT else found.value
                if content.startswith(_NESTED) or not self.data:
                    self.data = content

    def tell(self, members: Members, work: Work) -> None:
        """Tell it, when there is one."""
        if self.data or self.names:
            members.file(self.data, *(name for name in self.names if name), content_type=self.content_type)
        self.names, self.data = [], b""


def tell_bodies(found: Iterator[mapi.Property], members: Members, work: Work, item: Item) -> None:
    """Tell the texts among the properties of a message as parts. Raises: Damaged, OverBudget."""
    for value in found:
        if value.number == mapi.BODY and value.kind in (mapi.STRING8, mapi.UNICODE):
            members.file(value.text.encode(), "body.txt", content_type="text/plain", charset="utf-8")
        elif value.number == mapi.HTML:
            members.file(value.text.encode() if value.kind == mapi.UNICODE else value.value.rstrip(b"\0"),
                         "body.html", content_type="text/html")  # fmt: skip
        elif value.number == mapi.RTF:
            members.file(mapi.rtf(value.value, work.purse.bytes_left), "body.rtf", content_type="application/rtf")
        elif value.number == mapi.SUBJECT:
            work.text(item, value.text)
        elif value.number == mapi.SENDER:
            work.fact(item, "from", value.text)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each attribute. Raises: Damaged where they break off."""
    at = 6
    for _ in range(_MAX_ATTRIBUTES):
        level, number, size = _HEAD.unpack_from(data, at) if at + _HEAD.size <= len(data) else (0, 0, 0)
        if level not in (1, 2):
            yield _REST, data[at:]
            return
        at += _HEAD.size
        yield number & 0xFFFF, data[at : at + size]
        if at + size + 2 > len(data):
            raise Damaged("it breaks off")
        at += size + 2
