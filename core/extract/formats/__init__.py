"""Which true types can hold something, and what opens them: one table a family. Data only, cheap to import."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats import container, document, image, program
from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (*container.FORMATS, *document.FORMATS, *image.FORMATS, *program.FORMATS)
OPENABLE: Final[frozenset[str]] = frozenset(kind for entry in FORMATS for kind in entry.types)
