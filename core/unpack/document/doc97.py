"""Text and fields of Word before 2007, by its table of pieces. Source: [MS-DOC] 2.4.1, 2.5, 2.8.35, 2.9.73, 2.9.177."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Final

from mxward.core.unpack.document.fields import tell_fields
from mxward.core.unpack.work import MAX_TEXT, Damaged, Item, Work

_WORD_97, _WORD_6 = 0xA5EC, 0xA5DC
_ENCRYPTED, _TABLE_1 = 0x100, 0x200
_MAX_PIECES: Final = 200_000
_FIELD: Final = re.compile("\x13([^\x13\x14\x15]{1,4000})")
_CLEAN: Final = {0x07: "\t", 0x0B: "\n", 0x0C: "\n", 0x0D: "\n", 0x13: " ", 0x14: " ", 0x15: " ", 0x1E: "-", 0x1F: "",
                 1: "", 2: "", 3: "", 4: "", 5: "", 8: "", 0: ""}  # fmt: skip


def is_encrypted(stream: bytes) -> bool:
    """Whether a WordDocument stream says so."""
    return len(stream) > 12 and bool(struct.unpack_from("<H", stream, 10)[0] & _ENCRYPTED)


def tell_doc(item: Item, work: Work, stream: bytes, around: Mapping[str, bytes]) -> None:
    """Tell the text of all stories. Args: around: streams beside it by lower-case name. Raises: Damaged."""
    if len(stream) < 0x20:
        raise Damaged("its text breaks off")
    kind, flags = struct.unpack_from("<H", stream, 0)[0], struct.unpack_from("<H", stream, 10)[0]
    text = ""
    if kind == _WORD_97 and len(stream) >= 0x1AA:
        table = around.get("1table" if flags & _TABLE_1 else "0table", b"")
        start, size = struct.unpack_from("<II", stream, 0x1A2)
        text = _pieces(stream, table[start : start + size])
    if not text:
        start, end = struct.unpack_from("<II", stream, 0x18)
        text = stream[start : min(end, start + MAX_TEXT)].decode("cp1252", "replace")
    tell_fields(item, work, "\n".join(_FIELD.findall(text)))
    work.text(item, text.translate(_CLEAN)[:MAX_TEXT])


def _pieces(stream: bytes, clx: bytes) -> str:
    """The pieces in order of the text; "" when there is no table of them."""
    at = 0
    while at + 3 <= len(clx) and clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at + 5 > len(clx) or clx[at] != 2:
        return ""
    plc = clx[at + 5 : at + 5 + struct.unpack_from("<I", clx, at + 1)[0]]
    n = min(_MAX_PIECES, (len(plc) - 4) // 12)
    if n <= 0:
        return ""
    places = struct.unpack_from(f"<{n + 1}I", plc)
    out, left = [], MAX_TEXT
    for i in range(n):
        size = min(left, max(0, places[i + 1] - places[i]))
        fc = struct.unpack_from("<I", plc, 4 * (n + 1) + 8 * i + 2)[0]
        if fc & 0x40000000:
            start = (fc & 0x3FFFFFFF) // 2
            out.append(stream[start : start + size].decode("cp1252", "replace"))
        else:
            start = fc & 0x3FFFFFFF
            out.append(stream[start : start + 2 * size].decode("utf-16-le", "replace"))
        left -= size
        if left <= 0:
            break
    return "".join(out)
