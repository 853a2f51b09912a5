"""Formats of the family "document": PDF."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "PDF", ("application/pdf",), "document.pdf:open_pdf", "pikepdf, pypdfium2, zxing-cpp",
        "500 pages and 100,000 objects; codes are looked for on the first 4 pages that show pictures",
    ),
)  # fmt: skip
