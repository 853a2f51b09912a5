"""What the template does before it forks workers: load every reader, and everything they would load when first used.

A worker has no files, so what is not in memory by then cannot be had.
"""

from __future__ import annotations

import codecs
import ctypes
import encodings
import pkgutil
from importlib import import_module
from typing import Final

from mxward.core.unpack import registry

# codecs that are no character sets, or for another system
_NOT_TEXT: Final = ("mbcs", "oem")
_KEPT: Final[list[object]] = []


def warm() -> None:
    """Load all openers, character sets, and memory for callbacks from C."""
    registry.load_all()
    _load_codecs()
    # the closures of ctypes (libarchive's callbacks) need a page of code, which no worker may map
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    _KEPT.append(kind(lambda _: 0))


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


def _load_codecs() -> None:
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _NOT_TEXT:
            import_module(f"encodings.{module.name}")
            try:
                codecs.lookup(module.name)
            except LookupError:
                pass  # a helper module of the package
