"""What the template does before it forks workers: loads the readers, and what reads text in pictures if wanted."""

from __future__ import annotations

from mxward.core.unpack.warm import warm

__all__ = ["switch_ocr_on", "warm"]


def switch_ocr_on(languages: str) -> bool:
    """Have text in pictures read; False when that was asked for and cannot be. Args: languages: "": not asked for."""
    if not languages:
        return True
    from mxward.bindings.tesseract import TesseractMissing
    from mxward.core.unpack.image import ocr  # large, and for few sites

    try:
        ocr.switch_on(languages)
    except TesseractMissing:
        return False
    return True
