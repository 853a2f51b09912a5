"""Macros in Visual Basic: every module's source as a child, and what the project does and hides.

Source: [MS-OVBA]. Names that run by themselves: the event model of Word, Excel and PowerPoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mxward.core.unpack.document import vba_words
from mxward.core.unpack.document.vba_read import MAX_SOURCE, Module, NotPacked, modules_of, sources_in, unpacked
from mxward.core.unpack.work import Item, Work

TYPE: Final = "text/x-vba"
_LITERAL: Final = re.compile(rb"\xb9\x00(.)\x00(?=[\x20-\x7e])", re.S)  # LitStr and a length below 256
_MIN_LITERAL: Final = 6
_ATTRIBUTES_ONLY: Final = re.compile(r"(?im)^\s*(?:Attribute\s+VB_.*|Option\s+.*|'.*|Rem\s.*)?$")
_CACHE: Final = 0x300  # a compiled module without code takes less
_LISTED: Final = re.compile(r"(?im)^\s*(?:Module|Class|Document|BaseClass)=([^/\r\n]+)")


class _Project:
    """One project: the streams of its folder."""

    def __init__(self, item: Item, work: Work, streams: Mapping[str, bytes], listing: bytes) -> None:
        self._item, self._work, self._streams = item, work, streams
        self._listing = listing.decode("latin-1")
        self._codec = "cp1252"
        self._known: set[str] = set()
        self.has_code = False

    def tell(self) -> None:
        """Tell all modules: those of the table, then sources in streams that the table leaves out."""
        modules: list[Module] = []
        try:
            modules, self._codec = modules_of(unpacked(self._streams.get("dir", b""), 0))
        except NotPacked:
            self._work.find(self._item, "OFFICE_MACRO_UNREADABLE")
        for module in modules:
            self._work.purse.check_time()
            self._module(module)
        for name, data in self._streams.items():
            if name in self._known or name == "dir" or name.startswith(("__srp_", "_vba_project")):
                continue
            for source in sources_in(data):
                self._source(name, source)

    def _module(self, module: Module) -> None:
        key = module.stream.lower()
        data = self._streams.get(key)
        if data is None:
            self._work.find(self._item, "OFFICE_MACRO_UNREADABLE")
            return
        self._known.add(key)
        try:
            source = unpacked(memoryview(data), module.offset)
        except NotPacked:
            source = next(sources_in(data, 1), b"")
        cache = data[: module.offset]
        if self._is_stomped(cache, source):
            self._work.find(self._item, "OFFICE_VBA_STOMPED")
        elif not source and len(data) > module.offset:
            self._work.find(self._item, "OFFICE_MACRO_UNREADABLE")
        listed = {name.strip().lower() for name in _LISTED.findall(self._listing)}
        if listed and module.name.lower() not in listed and self._has_statements(source):
            self._work.find(self._item, "OFFICE_MACRO_HIDES")
        if source:
            self._source(module.name, source)

    def _source(self, name: str, source: bytes) -> None:
        text = source[:MAX_SOURCE].decode(self._codec, "replace")
        self._work.child(self._item, text.encode("utf-8", "replace"), f"{name}.bas", content_type=TYPE, charset="utf-8")
        if self._has_statements(source):
            self.has_code = True
            vba_words.tell_words(self._item, self._work, text)

    def _has_statements(self, source: bytes) -> bool:
        return bool(_ATTRIBUTES_ONLY.sub("", source.decode("latin-1")).strip())

    def _is_stomped(self, cache: bytes, source: bytes) -> bool:
        """Whether the compiled form says what the source does not: its literals are not there, or it has no source.

        Compiled code holds each literal as it is; editors write both forms at once.
        """
        literals = list(_literals(cache))
        if not self._has_statements(source):
            return len(literals) > 0 or (not source.strip(b"\0 \r\n") and len(cache) > _CACHE)
        plain = source.replace(b'""', b'"')
        missing = [literal for literal in literals if literal not in plain]
        return len(missing) * 2 > len(literals)


def _literals(cache: bytes) -> set[bytes]:
    """Texts in a compiled module, without those that could be anything."""
    found = set()
    for match in _LITERAL.finditer(cache):
        size, start = match[1][0], match.end()
        literal = cache[start : start + size]
        if size >= _MIN_LITERAL and len(literal) == size and literal.isascii() and literal.decode().isprintable():
            found.add(literal)
    return found


def tell_projects(item: Item, work: Work, streams: Mapping[str, bytes]) -> None:
    """Find the macro projects among the streams of an OLE file and tell them. Args: streams: path to content."""
    folders: dict[str, dict[str, bytes]] = {}
    for path, data in streams.items():
        folder, _, name = path.rpartition("/")
        if folder.lower().rpartition("/")[2] == "vba":
            folders.setdefault(folder, {})[name.lower()] = data
    for folder, inside in folders.items():
        root = folder.rpartition("/")[0]
        listing = streams.get(f"{root}/PROJECT" if root else "PROJECT", b"")
        project = _Project(item, work, inside, listing)
        project.tell()
        odd = any(work.has_found(item, name) for name in ("OFFICE_VBA_STOMPED", "OFFICE_MACRO_UNREADABLE"))
        if project.has_code or odd:
            work.find(item, "OFFICE_MACRO")


def carve(item: Item, work: Work) -> None:
    """Sources in a file whose tables cannot be read."""
    for number, source in enumerate(sources_in(item.data)):
        text = source.decode("cp1252", "replace")
        work.child(item, text.encode(), f"module {number + 1}.bas", content_type=TYPE, charset="utf-8")
        work.find(item, "OFFICE_MACRO")
        vba_words.tell_words(item, work, text)
