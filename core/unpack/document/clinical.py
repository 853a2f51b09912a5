"""Clinical data that is no XML: messages of HL7 version 2, DICOM files. Policies speak of them by their findings."""

from __future__ import annotations

import struct
from typing import Final

from mxward.core.unpack.work import Damaged, Item, Work

MAX_TEXT: Final = 4 << 20
# attributes of the patient and the study whose text is told (PS3.6): group, element -> what it is
_ATTRIBUTES: Final = {
    (0x0008, 0x0080): "institution", (0x0008, 0x1030): "study", (0x0008, 0x0060): "modality",
    (0x0010, 0x0010): "patient", (0x0010, 0x0020): "patient id", (0x0010, 0x0030): "birth date",
}  # fmt: skip
_LONG: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"))


def open_hl7(item: Item, work: Work) -> None:
    """Tell the message as text, its fields apart. Raises: OverBudget."""
    work.find(item, "CLINICAL_HL7")
    text = item.data[:MAX_TEXT].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    work.text(item, text.replace("|", " | ").replace("^", " ") + "\n")


def open_dicom(item: Item, work: Work) -> None:
    """Tell who and what a picture is of, from explicit little-endian elements (PS3.10). Raises: Damaged."""
    work.find(item, "CLINICAL_DICOM")
    data, at = item.data, 132
    found: list[str] = []
    while at + 8 <= len(data) and len(found) < len(_ATTRIBUTES):
        group, element, kind = struct.unpack_from("<HH2s", data, at)
        if group > 0x0010 or not kind.isalpha():
            break
        if kind in _LONG:
            if at + 12 > len(data):
                break
            size, at = struct.unpack_from("<I", data, at + 8)[0], at + 12
        else:
            size, at = struct.unpack_from("<H", data, at + 6)[0], at + 8
        if size == 0xFFFFFFFF:
            break  # a sequence of unknown length: what matters stands before it
        if size > len(data) - at:
            raise Damaged("an element longer than the file")
        if what := _ATTRIBUTES.get((group, element)):
            value = data[at : at + size].decode("latin-1").strip(" \0").replace("^", " ")
            found.append(f"{what}: {value}")
            work.fact(item, what, value)
        at += size
    if found:
        work.text(item, "\n".join(found) + "\n")
