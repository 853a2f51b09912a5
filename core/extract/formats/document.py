"""Formats of the family "document"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats import office, pdf, web
from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (*pdf.FORMATS, *office.FORMATS, *web.FORMATS)
