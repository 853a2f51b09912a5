"""Records of xlsb: strings, sheets, names and the functions of formulas. Source: [MS-XLSB] 2.1.4, 2.4, 2.5.97."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mxward.core.unpack.document.xls_formula import functions_of, strings_of
from mxward.core.unpack.work import Work

MAX_RECORDS: Final = 2_000_000
_CELL_STRING, _FORMULA_STRING, _SST, _NAME, _SHEET = 6, 8, 19, 39, 156
_CELL_NUMBER, _CELL_RK, _FORMULA_NUMBER, _RICH_STRING = 5, 2, 9, 62
_FORMULAS: Final = (8, 9, 10, 11)
_LINK: Final = 360  # BrtBeginSupBook; kind 1 is DDE, 2 is OLE
_STATES: Final = {0: "visible", 1: "hidden", 2: "veryHidden"}


@dataclass
class Found:
    """What one part of the workbook holds."""

    text: str = ""
    sheets: list[str] = field(default_factory=list)  # state of each
    names: list[str] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    has_dde: bool = False


def records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each record; a torn one ends it."""
    at, n = 0, len(data)
    for _ in range(MAX_RECORDS):
        if at >= n:
            return
        kind = data[at]
        at += 1
        if kind & 0x80:
            if at >= n:
                return
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        size = 0
        for shift in (0, 7, 14, 21):
            if at >= n:
                return
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        yield kind, at, min(n, at + size)
        at += size


def read(data: bytes, *, is_macro: bool, work: Work) -> Found:
    """Read a part. Args: is_macro: formulas of it are looked through for functions. Raises: OverBudget."""
    found, out = Found(), []
    for number, (kind, start, end) in enumerate(records(data)):
        if not number & 0x3FFF:
            work.purse.check_time()
        if kind == _SST:
            out.append(wide(data, start + 1, end) + "\n")
        elif kind in (_CELL_STRING, _FORMULA_STRING, _RICH_STRING):
            out.append(wide(data, start + (9 if kind == _RICH_STRING else 8), end) + "\n")
        elif kind in (_CELL_NUMBER, _FORMULA_NUMBER) and end - start >= 16:
            out.append(f"{struct.unpack_from('<d', data, start + 8)[0]:.15g}\t")
        elif kind == _CELL_RK and end - start >= 12:
            out.append(f"{rk(struct.unpack_from('<I', data, start + 8)[0]):.15g}\t")
        elif kind == _SHEET and end - start >= 12:
            found.sheets.append(_STATES.get(struct.unpack_from("<I", data, start)[0] & 3, "hidden"))
        elif kind == _NAME and end - start > 13:
            found.names.append(wide(data, start + 9, end))
        elif kind == _LINK and end - start >= 2:
            found.has_dde |= data[start] == 1
        if is_macro and kind in _FORMULAS:
            found.functions |= functions_of(data[start:end])
            out.extend(f"{text}\n" for text in strings_of(data[start:end]))
    found.text = "".join(out)
    return found


def wide(data: bytes, at: int, end: int) -> str:
    """The string at `at`: a count of UTF-16 units, then these (XLWideString)."""
    if at + 4 > end:
        return ""
    n = struct.unpack_from("<I", data, at)[0]
    return data[at + 4 : min(end, at + 4 + 2 * n)].decode("utf-16-le", "replace")


def rk(value: int) -> float:
    """A number in 30 bits ([MS-XLS] 2.5.217)."""
    if value & 2:
        whole = value >> 2
        number = float(whole - (1 << 30) if whole & 0x20000000 else whole)
    else:
        number = struct.unpack("<d", struct.pack("<Q", (value & 0xFFFFFFFC) << 32))[0]
    return number / 100 if value & 1 else number
