"""OLE files (compound files): every stream as a child, and what Office keeps in them.

Documents inside of documents lie in folders of the same file, so each folder is looked at alike. Source: [MS-CFB];
[MS-OLEDS]; [MS-OLEPS].
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, Final

import olefile

from mxward.core.unpack.document import doc97, office_crypt, ppt97, vba, xls97
from mxward.core.unpack.document.ole_native import EQUATION, tell_class, tell_link, tell_object_1, tell_package
from mxward.core.unpack.work import Damaged, Item, Work

MAX_STREAMS: Final = 3_000
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_FACTS: Final = {
    2: "title", 3: "subject", 4: "author", 5: "keywords", 6: "comments", 7: "template", 8: "last saved by",
    18: "creator",
}  # fmt: skip
_MORE_FACTS: Final = {14: "manager", 15: "company"}
_MAIN: Final = ("worddocument", "workbook", "book", "powerpoint document")


def open_ole(item: Item, work: Work) -> None:
    """Tell streams, documents, macros, packed files and metadata. Raises: Damaged, OverBudget."""
    try:
        ole = olefile.OleFileIO(io.BytesIO(item.data))
    except (OSError, ValueError, IndexError, RecursionError, TypeError) as error:
        vba.carve(item, work)
        raise Damaged("no OLE file that can be read") from error
    with ole:
        streams = _streams(item, work, ole)
        _File(item, work, streams).tell()
        _tell_classes(item, work, ole)
        _tell_facts(item, work, ole, streams)


def _streams(item: Item, work: Work, ole: Any) -> dict[str, bytes]:
    """Content by path, in order. A stream that cannot be read is said to be damaged."""
    found: dict[str, bytes] = {}
    paths = ole.listdir(streams=True, storages=False)
    if len(paths) > MAX_STREAMS:
        work.unseen(item, "limit:parts", f"more than {MAX_STREAMS} streams")
    taken = 0
    for path in paths[:MAX_STREAMS]:
        work.purse.check_time()
        try:
            data = ole.openstream(path).read()
        except (OSError, ValueError, IndexError, TypeError):
            work.unseen(item, "damaged", "a stream that cannot be read")
            continue
        taken += len(data)
        if taken > 2 * len(item.data) + 65_536:  # streams that share their sectors
            work.unseen(item, "limit:ratio", "its streams are larger than the file")
            break
        found["/".join(path)] = data
    return found


class _File:
    """The streams of one file."""

    def __init__(self, item: Item, work: Work, streams: Mapping[str, bytes]) -> None:
        self._item, self._work, self._streams = item, work, streams
        self._folders: dict[str, dict[str, bytes]] = {}
        for path, data in streams.items():
            folder, _, name = path.rpartition("/")
            self._folders.setdefault(folder, {})[name.lower()] = data

    def tell(self) -> None:
        """Tell all that is in it. Raises: Damaged, OverBudget."""
        top = self._folders.get("", {})
        if "encryptedpackage" in top:
            self._encrypted_package(top)
            return
        if "drmcontent" in top or "\tdrmcontent" in top:
            self._work.find(self._item, "OFFICE_ENCRYPTED")
            self._work.unseen(self._item, "encrypted", "by rights management")
        for path, data in self._streams.items():
            self._stream(path, data)
        vba.tell_projects(self._item, self._work, self._streams)
        for folder, inside in self._folders.items():
            if folder:
                self._find_embedded(folder, inside)
            self._documents(folder, inside)

    def _encrypted_package(self, top: Mapping[str, bytes]) -> None:
        if any("drm" in path.lower() for path in self._streams):
            self._work.find(self._item, "OFFICE_ENCRYPTED")
            self._work.unseen(self._item, "encrypted", "by rights management")
            return
        office_crypt.open_encrypted(self._item, self._work, top.get("encryptioninfo", b""))
        for path, data in self._streams.items():  # beside what is encrypted
            if path.lower() not in ("encryptedpackage", "encryptioninfo") and "dataspaces" not in path.lower():
                self._stream(path, data)

    def _stream(self, path: str, data: bytes) -> None:
        name = path.rpartition("/")[2].lower()
        shown = _CONTROL.sub("", path)
        if name == "\x01ole10native":
            if tell_package(self._item, self._work, data) or tell_object_1(self._item, self._work, data):
                return
        elif name == "\x01ole":
            tell_link(self._item, self._work, data)
        elif name == "equation native":
            self._work.find(self._item, "OFFICE_EQUATION")
        elif name == "\x01compobj":
            for word in re.findall(rb"[A-Za-z][A-Za-z0-9.]{3,60}(?=\0)", data):
                tell_class(self._item, self._work, word.decode("ascii"))
        if data:
            self._work.child(self._item, data, shown)

    def _find_embedded(self, folder: str, inside: Mapping[str, bytes]) -> None:
        low = folder.lower()
        if "objectpool/" in low or low.startswith(("mbd", "embedding")) or "\x01ole10native" in inside:
            self._work.find(self._item, "OFFICE_EMBEDDED_OBJECT")
        if "\x03ocxname" in inside or "\x03ocxdata" in inside:
            self._work.find(self._item, "OFFICE_ACTIVEX")

    def _documents(self, folder: str, inside: Mapping[str, bytes]) -> None:
        """Text and macros of the document whose streams lie in this folder."""
        for name in _MAIN:
            stream = inside.get(name)
            if stream is None:
                continue
            try:
                if self._is_encrypted(name, stream, inside):
                    if not folder:
                        office_crypt.open_encrypted(self._item, self._work)
                    else:
                        self._work.unseen(self._item, "encrypted", "a document inside of it")
                    continue
                self._document(name, stream, inside)
            except Damaged as error:
                self._work.unseen(self._item, "damaged", str(error))

    def _is_encrypted(self, name: str, stream: bytes, inside: Mapping[str, bytes]) -> bool:
        if name == "worddocument":
            return doc97.is_encrypted(stream)
        if name == "powerpoint document":
            return ppt97.is_encrypted(inside.get("current user", b""))
        return xls97.is_encrypted(stream)

    def _document(self, name: str, stream: bytes, inside: Mapping[str, bytes]) -> None:
        if name == "worddocument":
            doc97.tell_doc(self._item, self._work, stream, inside)
        elif name == "powerpoint document":
            ppt97.tell_ppt(self._item, self._work, stream)
        else:
            xls97.tell_xls(self._item, self._work, stream)


def _tell_classes(item: Item, work: Work, ole: Any) -> None:
    """Class numbers of folders: what program an object belongs to."""
    for entry in ole.direntries:
        if entry is not None and entry.clsid and EQUATION.search(entry.clsid):
            work.find(item, "OFFICE_EQUATION")


def _tell_facts(item: Item, work: Work, ole: Any, streams: Mapping[str, bytes]) -> None:
    """Metadata of the two standard streams."""
    for path, table in (("\x05SummaryInformation", _FACTS), ("\x05DocumentSummaryInformation", _MORE_FACTS)):
        if path not in streams or len(streams[path]) > 1 << 20:
            continue
        try:
            values = ole.getproperties(path, convert_time=False)
        except (OSError, ValueError, IndexError, TypeError, KeyError):
            continue
        for number, key in table.items():
            value = values.get(number)
            if isinstance(value, bytes):
                value = value.decode("cp1252", "replace")
            if isinstance(value, str) and value.strip("\0 "):
                work.fact(item, key, value.strip("\0 "))
