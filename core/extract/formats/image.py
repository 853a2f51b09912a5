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
        "3 frames of an animation",
    ),
    Format(
        "writing in pictures, where `sandbox.ocr` is on",
        ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"),
        "image.ocr:open_text", "Tesseract (Debian, optional)",
        "from 24 pixels a side to 40 million in all; 2 s a picture",
    ),
)  # fmt: skip
