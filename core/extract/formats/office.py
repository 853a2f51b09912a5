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
    Format(
        "Word, Excel, PowerPoint 97 to 2003 and other OLE files (doc, xls, ppt, vsd, pub, vbaProject.bin)",
        (
            "application/x-ole-storage", "application/msword", "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint", "application/vnd.visio", "application/x-mspublisher",
        ),
        "document.ole:open_ole", "olefile, msoffcrypto; macros and text: own code",
        "text of Visio and Publisher; values of Excel 4.0 macros are not computed",
    ),
    Format("encrypted Office (agile, standard, RC4, XOR)", ("application/encrypted",), "document.ole:open_ole",
           "msoffcrypto", "100 passwords; rights management is recognised only"),
    Format("Office in one XML file (Word 2003, Excel 2003, flat packages)", ("text/xml",),
           "document.flat_xml:open_flat_xml", _PARTS),
)  # fmt: skip
