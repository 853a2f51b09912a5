"""What is done once before workers are forked: load every reader, and all that it would load when first used.

A worker has no files and starts no threads, so what is not in memory by then cannot be had. Libraries that read
something when first used are used once here, on content of our own.
"""

from __future__ import annotations

import codecs
import ctypes
import encodings
import io
import pkgutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from typing import Final

from mxward.core.unpack import registry

_NOT_TEXT: Final = ("mbcs", "oem")  # codecs of another system
_WORD: Final = "x"  # locks files of our own
_KEPT: Final[list[object]] = []
# modules that libraries import when they meet what they are for
_LATER: Final = (
    "Cryptodome.Cipher._mode_cbc", "PIL.ImageOps", "cryptography.hazmat.backends.openssl.backend", "glob",
    "msoffcrypto.format.doc97", "msoffcrypto.format.ooxml", "msoffcrypto.format.ppt97", "msoffcrypto.format.xls97",
    "psutil", "resource", "xml.dom.expatbuilder", "xml.dom.minidom",
)  # fmt: skip


def warm() -> None:
    """Make this process one that can open everything without another look at a disk. It is not to do anything else."""
    registry.load_all()
    _keep_temporary_files_in_memory()
    _load_codecs()
    for name in _LATER:
        import_module(name)
    for use in (_pictures, _seven_zip, _pdf, _callbacks):
        use()


def _load_codecs() -> None:
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _NOT_TEXT:
            import_module(f"encodings.{module.name}")
            try:
                codecs.lookup(module.name)
            except LookupError:
                pass  # a helper module of the package


def _keep_temporary_files_in_memory() -> None:
    """msoffcrypto writes old Excel and Word files to temporary ones."""
    in_memory: Callable[..., io.BytesIO] = lambda *_, **__: io.BytesIO()  # noqa: E731 - a name for its type
    tempfile.TemporaryFile = in_memory  # type: ignore[assignment]  # only what is common to both is used


def _pictures() -> None:
    from PIL import Image

    Image.init()  # every plug-in


def _seven_zip() -> None:
    import py7zr

    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w", password=_WORD, header_encryption=True) as made:
        made.writestr(b"x", "x")
    packed.seek(0)
    with py7zr.SevenZipFile(packed, "r", password=_WORD) as read:
        read.getnames()


def _pdf() -> None:
    import pikepdf
    import pypdfium2  # type: ignore[import-untyped]  # it ships no types

    plain, locked = io.BytesIO(), io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.save(plain)
        made.save(locked, encryption=pikepdf.Encryption(owner=_WORD, user=_WORD))
    locked.seek(0)
    pikepdf.open(locked, password=_WORD).close()  # qpdf opens the random device for it, once
    document = pypdfium2.PdfDocument(plain.getvalue())
    document[0].get_textpage().get_text_bounded()
    document.close()


def _callbacks() -> None:
    """A closure of ctypes needs a page of code, which no worker may map."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    _KEPT.append(kind(lambda _: 0))
