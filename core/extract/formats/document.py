"""Formats of the family "document"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats import pdf
from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (*pdf.FORMATS,)
