"""OLE files that are containers: Outlook's messages (.msg) with all that hangs on them, and Windows installers (.msi).

Office's own OLE documents are in the room of documents. Source: MS-OXMSG; MS-CFB by olefile; the names of streams in
installers are written in an alphabet of 64 signs, two a character.
"""

from __future__ import annotations

import io
from collections import deque
from typing import Final

import olefile

from mxward.core.unpack.container import mapi
from mxward.core.unpack.container.members import Members
from mxward.core.unpack.container.tnef import tell_bodies
from mxward.core.unpack.work import Damaged, Item, Work
from mxward.pyx.filetype import identify

_PROPERTY: Final = "__substg1.0_"
_ATTACHMENT: Final = "__attach_version1.0_#"
_INNER: Final = f"{_PROPERTY}{mapi.DATA:04X}{mapi.OBJECT:04X}"  # a message, or an OLE object, as a storage
_MAX_STREAMS: Final = 20_000
_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_Path = tuple[str, ...]


class _Streams:
    """The streams of an OLE file, by path. Raises: Damaged."""

    def __init__(self, item: Item, work: Work) -> None:
        self._work = work
        try:
            self._ole = olefile.OleFileIO(io.BytesIO(item.data))
            self.paths: list[_Path] = [tuple(path) for path in self._ole.listdir()][:_MAX_STREAMS]
        except Exception as error:  # the library raises many kinds on damaged files
            raise Damaged("its table of streams cannot be read") from error

    def read(self, path: _Path) -> bytes:
        """A stream, whole. Raises: Damaged, OverBudget."""
        self._work.purse.check_time()
        try:
            size = self._ole.get_size(list(path))
            if size <= self._work.purse.bytes_left:
                content: bytes = self._ole.openstream(list(path)).read()
                return content
        except Exception as error:  # as above
            raise Damaged("a stream of it breaks off") from error
        self._work.purse.spend_bytes(size)
        return b""


def open_msg(item: Item, work: Work) -> None:
    """Tell bodies and attachments of an Outlook message, and of the messages in it."""
    streams, members = _Streams(item, work), Members(item, work)
    below: dict[_Path, list[_Path]] = {}
    for path in streams.paths:
        for n in range(len(path)):
            below.setdefault(path[:n], []).append(path)
    todo: deque[_Path] = deque([()])
    while todo:
        place = todo.popleft()
        own = [path for path in below.get(place, ()) if len(path) == len(place) + 1 and path[-1].startswith(_PROPERTY)]
        found = [_property(path[-1], streams.read(path)) for path in own if _is_text(path[-1])]
        tell_bodies(iter(found), members, work, item)
        inside = {path[: len(place) + 1] for path in below.get(place, ()) if len(path) > len(place) + 1}
        for attachment in sorted(path for path in inside if path[-1].startswith(_ATTACHMENT)):
            inner = (*attachment, _INNER)
            if inner in below:
                work.purse.spend_item(item.depth + 1)
                todo.append(inner)
            _attachment(attachment, below, streams, members)


def _attachment(place: _Path, below: dict[_Path, list[_Path]], streams: _Streams, members: Members) -> None:
    found = {}
    for path in below.get(place, ()):
        if len(path) == len(place) + 1 and path[-1].startswith(_PROPERTY):
            value = _property(path[-1], b"")
            if value.number in (mapi.LONG_NAME, mapi.SHORT_NAME, mapi.NAME, mapi.MIME_TYPE, mapi.DATA):
                found[value.number] = _property(path[-1], streams.read(path))
    names = [found[number].text for number in (mapi.LONG_NAME, mapi.SHORT_NAME, mapi.NAME) if number in found]
    kind = found[mapi.MIME_TYPE].text.lower() if mapi.MIME_TYPE in found else ""
    if mapi.DATA in found:
        members.file(found[mapi.DATA].value, *(name for name in names if name), content_type=kind)
    elif (inner := (*place, _INNER)) in below:
        members.folder(names[0] if names else "message")
        for path in below[inner]:  # an OLE object has other streams than a message
            if not path[len(inner)].startswith(("__substg1.0_", "__attach", "__recip", "__nameid", "__properties")):
                members.file(streams.read(path), path[-1])


def _is_text(name: str) -> bool:
    number = name[len(_PROPERTY) : len(_PROPERTY) + 4].upper()
    return number in {f"{n:04X}" for n in (mapi.SUBJECT, mapi.BODY, mapi.RTF, mapi.HTML, mapi.SENDER)}


def _property(name: str, value: bytes) -> mapi.Property:
    try:
        code = int(name[len(_PROPERTY) : len(_PROPERTY) + 8], 16)
    except ValueError:
        code = 0
    return mapi.Property(code >> 16, code & 0xFFFF, value)


def open_msi(item: Item, work: Work) -> None:
    """Tell the streams of a Windows installer that hold files: cabinets, programs, scripts, pictures."""
    streams, members = _Streams(item, work), Members(item, work)
    for path in streams.paths:
        name = "/".join(installer_name(step) for step in path)
        content = streams.read(path)
        if identify(content) or not name.startswith("!"):
            members.file(content, name)
        else:
            members.folder(name)  # a table of the installer's own data base


def installer_name(name: str) -> str:
    """The name of a stream of an installer; "!" stands before those of tables."""
    out = []
    for sign in name:
        code = ord(sign)
        if 0x3800 <= code < 0x4800:
            out += [_SIGNS[code - 0x3800 & 0x3F], _SIGNS[code - 0x3800 >> 6]]
        elif 0x4800 <= code < 0x4840:
            out.append(_SIGNS[code - 0x4800])
        else:
            out.append("!" if code == 0x4840 else sign)
    return "".join(out)
