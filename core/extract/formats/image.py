"""Formats of the family "image"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "pictures",
        ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/vnd.microsoft.icon"),
        "image.picture:open_picture", "Pillow, zxing-cpp",
        "codes of two dimensions, metadata, what stands behind the end; 20 million pixels, JPEG 100 million; "
        "3 frames of an animation; writing in the picture is not read",
    ),
)  # fmt: skip
