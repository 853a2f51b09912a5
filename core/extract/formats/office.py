"""Formats of the family "document": Office in all its formats, RTF, OpenDocument."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats.format import Format

_OPEN: Final = "application/vnd.openxmlformats-officedocument"
_ODF: Final = "application/vnd.oasis.opendocument"
_XML: Final = "document.ooxml:open_ooxml"
_PARTS: Final = "own code"

FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "Word, Excel, PowerPoint, Visio since 2007 (docx, xlsx, xlsb, pptx, templates, with macros or without)",
        (
            _OPEN, f"{_OPEN}.wordprocessingml.document", "application/vnd.ms-word.document.macroenabled.12",
            f"{_OPEN}.spreadsheetml.sheet", "application/vnd.ms-excel.sheet.macroenabled.12",
            "application/vnd.ms-excel.sheet.binary.macroenabled.12", f"{_OPEN}.presentationml.presentation",
            "application/vnd.ms-powerpoint.presentation.macroenabled.12", "application/vnd.ms-visio.drawing.main+xml",
        ),
        _XML, _PARTS, "the first 8 MB of text; what a formula of xlsb gives, not the formula",
    ),
)  # fmt: skip
