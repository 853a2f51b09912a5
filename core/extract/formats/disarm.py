"""Which true types can be made harmless, and what does it: a path under core/unpack such as "disarm.pdf:disarm_pdf"."""

from __future__ import annotations

from typing import Final

_OOXML: Final = "application/vnd.openxmlformats-officedocument"
_MACRO: Final = "macroenabled.12"

DISARM: Final[dict[str, str]] = {
    "application/pdf": "disarm.pdf:disarm_pdf",
    **dict.fromkeys(
        (
            f"{_OOXML}.wordprocessingml.document", f"application/vnd.ms-word.document.{_MACRO}",
            f"{_OOXML}.spreadsheetml.sheet", f"application/vnd.ms-excel.sheet.{_MACRO}",
            f"{_OOXML}.presentationml.presentation", f"application/vnd.ms-powerpoint.presentation.{_MACRO}",
        ),
        "disarm.ooxml:disarm_ooxml",
    ),
    **dict.fromkeys(
        (
            "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument",
        ),
        "disarm.odf:disarm_odf",
    ),
}  # fmt: skip
# other documents that can act, yet cannot be made harmless here: they are removed for a notice
REMOVED: Final[frozenset[str]] = frozenset((
    "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/x-ole-storage",
    f"application/vnd.ms-excel.sheet.binary.{_MACRO}", "application/rtf", "application/encrypted",
    "application/onenote", _OOXML, "application/vnd.ms-visio.drawing.main+xml", "application/vnd.visio",
    "application/x-mspublisher",
))  # fmt: skip
# what a file must be called once its macros are gone: Office opens no .docm without them
RENAMED: Final[dict[str, str]] = {
    ".docm": ".docx", ".dotm": ".dotx", ".xlsm": ".xlsx", ".xltm": ".xltx", ".pptm": ".pptx", ".ppsm": ".ppsx",
    ".potm": ".potx",
}  # fmt: skip
