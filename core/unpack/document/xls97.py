"""Excel before 2007: texts and numbers of cells, macro sheets, names, links. Source: [MS-XLS] 2.1.4, 2.4, 2.5.293."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mxward.core.unpack.document import xlm
from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.document.xls_formula import functions_of, strings_of
from mxward.core.unpack.document.xls_strings import shared_strings, short_string
from mxward.core.unpack.document.xlsb import rk
from mxward.core.unpack.work import MAX_TEXT, Item, Work

_FILEPASS, _SHEET, _SST, _CONTINUE, _NAME, _BOF = 0x2F, 0x85, 0xFC, 0x3C, 0x18, 0x809
_LABELS: Final = (0x204, 0xD6)  # LABEL, RSTRING
_STRING, _NUMBER, _RK, _MULRK, _SUPBOOK, _EXTERN, _LINK = 0x207, 0x203, 0x27E, 0xBD, 0x1AE, 0x23, 0x1B8
_FORMULAS: Final = (0x06, 0x206, 0x406)
_MACRO_SHEET, _BIFF8 = 0x40, 0x600
_BUILT_IN: Final = {1: "Auto_Open", 2: "Auto_Close", 10: "Auto_Activate", 11: "Auto_Deactivate"}
_STATES: Final = ("visible", "hidden", "veryHidden", "hidden")
_MAX_RECORDS: Final = 2_000_000
_URL_MONIKER: Final = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")


def records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each record; a torn one ends it."""
    at, n = 0, len(data)
    for _ in range(_MAX_RECORDS):
        if at + 4 > n:
            return
        kind, size = struct.unpack_from("<HH", data, at)
        yield kind, at + 4, min(n, at + 4 + size)
        at += 4 + size


def is_encrypted(stream: bytes) -> bool:
    """Whether a Workbook stream has a record of its encryption among its first ones."""
    return any(kind == _FILEPASS for number, (kind, _, _) in enumerate(records(stream)) if number < 64)


def tell_xls(item: Item, work: Work, stream: bytes) -> None:
    """Tell texts, hidden sheets, macros, links and DDE."""
    _Book(item, work, stream).tell()


class _Book:
    def __init__(self, item: Item, work: Work, stream: bytes) -> None:
        self._item, self._work, self._data = item, work, stream
        self._out: list[str] = []
        self._size = 0
        self._wide = True  # BIFF8
        self._in_macro = False
        self._has_macro_sheet = self._is_macro_hidden = False
        self._dde_book = False

    def tell(self) -> None:
        """Go through the records once."""
        listed = records(self._data)
        shared: list[tuple[int, int]] = []
        for number, (kind, start, end) in enumerate(listed):
            if not number & 0x3FFF:
                self._work.purse.check_time()
            if kind == _SST:
                shared = [(start, end)]
            elif kind == _CONTINUE and shared:
                shared.append((start, end))
            else:
                if shared:
                    self._add("\n".join(shared_strings(self._data, shared)) + "\n")
                    shared = []
                self._record(kind, start, end)
        if shared:
            self._add("\n".join(shared_strings(self._data, shared)) + "\n")
        if self._has_macro_sheet:
            self._work.find(self._item, "OFFICE_XLM")
        if self._is_macro_hidden:
            self._work.find(self._item, "OFFICE_HIDDEN_MACRO_SHEET")
        self._work.text(self._item, "".join(self._out)[:MAX_TEXT])

    def _add(self, text: str) -> None:
        if self._size < MAX_TEXT:
            self._out.append(text)
            self._size += len(text)

    def _record(self, kind: int, start: int, end: int) -> None:
        data, size = self._data, end - start
        if kind == _BOF and size >= 4:
            version, sheet = struct.unpack_from("<HH", data, start)
            self._wide, self._in_macro = version >= _BIFF8, sheet == _MACRO_SHEET
            self._has_macro_sheet |= self._in_macro
        elif kind == _SHEET and size >= 6:
            self._sheet(data[start + 4] & 3, data[start + 5])
        elif kind == _NAME and size > 14:
            self._name(data[start:end])
        elif kind in _FORMULAS:
            if self._in_macro:
                formula = data[start + 20 : end]
                xlm.tell_functions(self._item, self._work, functions_of(formula))
                self._add("".join(f"{text}\n" for text in strings_of(formula)))
        elif kind in _LABELS and size > 8:
            self._add(short_string(data, start + 6, end, wide=self._wide) + "\n")
        elif kind == _STRING and size > 2:
            self._add(short_string(data, start, end, wide=self._wide) + "\n")
        elif kind in (_NUMBER, _RK, _MULRK):
            self._numbers(kind, start, end)
        elif kind in (_SUPBOOK, _EXTERN, _LINK):
            self._link(kind, data[start:end])

    def _sheet(self, state: int, kind: int) -> None:
        xlm.tell_sheet(self._item, self._work, _STATES[state])
        if kind == 1:
            self._has_macro_sheet = True
            self._is_macro_hidden |= state != 0

    def _name(self, record: bytes) -> None:
        flags, n = struct.unpack_from("<H", record)[0], record[3]
        text = record[14:]
        if self._wide:
            text = text[1 : 1 + 2 * n] if text[:1] == b"\1" else text[1 : 1 + n]
        if flags & 0x20 and text:
            xlm.tell_name(self._item, self._work, _BUILT_IN.get(text[0], ""))
        xlm.tell_name(self._item, self._work, text[: 2 * n].replace(b"\0", b"").decode("latin-1"))

    def _numbers(self, kind: int, start: int, end: int) -> None:
        data = self._data
        if kind == _NUMBER and end - start >= 14:
            self._add(f"{struct.unpack_from('<d', data, start + 6)[0]:.15g}\t")
        elif kind == _RK and end - start >= 10:
            self._add(f"{rk(struct.unpack_from('<I', data, start + 6)[0]):.15g}\t")
        elif kind == _MULRK:
            for at in range(start + 4, end - 7, 6):
                self._add(f"{rk(struct.unpack_from('<I', data, at + 2)[0]):.15g}\t")

    def _link(self, kind: int, record: bytes) -> None:
        """What lies elsewhere: DDE has a path of two halves with \\3 between them."""
        if kind == _SUPBOOK:
            path = short_string(record, 2, len(record), wide=True) if len(record) > 5 else ""
            self._dde_book = "\x03" in path
            if path[:1] == "\x01" and ":" in path:
                tell_target(self._item, self._work, "workbook", path.lstrip("\x01\x05"), "OFFICE_REMOTE_DATA")
        elif kind == _EXTERN:
            is_ole = len(record) >= 2 and bool(record[0] & 0x10)
            if self._dde_book and not is_ole:
                self._work.find(self._item, "OFFICE_DDE")
            elif self._dde_book:
                self._work.find(self._item, "OFFICE_LINKED_OBJECT")
        else:
            at = record.find(_URL_MONIKER)
            if at >= 0 and at + 20 <= len(record):
                n = struct.unpack_from("<I", record, at + 16)[0]
                url = record[at + 20 : at + 20 + n].decode("utf-16-le", "replace").partition("\0")[0]
                tell_target(self._item, self._work, "link", url)
