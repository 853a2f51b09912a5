"""Tesseract by its C interface: text in pictures. Debian's libtesseract5 and a language's data, both optional.

For the sandbox: `load` reads files and takes 0.1 s, so the template process calls it; `read` needs no file. Picture
decoding is not here: it takes grey pixels.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_LIBRARY: Final = "libtesseract.so.5"
_BLOCK_OF_TEXT: Final = 3  # PSM_AUTO: pages, cards and screens alike
# name -> (result, arguments), of tesseract/capi.h
_SIGNATURES: Final[dict[str, tuple[object, list[object]]]] = {
    "TessBaseAPICreate": (ctypes.c_void_p, []),
    "TessBaseAPIInit3": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]),
    "TessBaseAPISetPageSegMode": (None, [ctypes.c_void_p, ctypes.c_int]),
    "TessBaseAPISetVariable": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]),
    "TessBaseAPISetImage": (None, [ctypes.c_void_p, ctypes.c_char_p, *[ctypes.c_int] * 4]),
    "TessBaseAPISetSourceResolution": (None, [ctypes.c_void_p, ctypes.c_int]),
    "TessBaseAPIRecognize": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
    "TessBaseAPIGetUTF8Text": (ctypes.c_void_p, [ctypes.c_void_p]),
    "TessBaseAPIClear": (None, [ctypes.c_void_p]),
    "TessDeleteText": (None, [ctypes.c_void_p]),
    "TessMonitorCreate": (ctypes.c_void_p, []),
    "TessMonitorDelete": (None, [ctypes.c_void_p]),
    "TessMonitorSetDeadlineMSecs": (None, [ctypes.c_void_p, ctypes.c_int]),
}


class TesseractMissing(RuntimeError):
    """The library or the language's data are not installed."""


class Reader:
    """One engine with its language loaded. Not for several threads at once."""

    def __init__(self, language: str = "eng") -> None:
        """Raises: TesseractMissing."""
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # a sandbox starts no threads
        try:
            self._library = ctypes.CDLL(_LIBRARY)
        except OSError as error:
            raise TesseractMissing("Debian's libtesseract5 is not installed") from error
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._handle = self._library.TessBaseAPICreate()
        if self._library.TessBaseAPIInit3(self._handle, None, language.encode("ascii")) != 0:
            raise TesseractMissing(f"Debian's tesseract-ocr-{language} is not installed")
        self._library.TessBaseAPISetPageSegMode(self._handle, _BLOCK_OF_TEXT)
        self._library.TessBaseAPISetVariable(self._handle, b"debug_file", b"/dev/null")

    def read(self, grey: bytes, width: int, height: int, seconds: float) -> str:
        """Text of a picture; "" when there is none.

        Args: grey: a byte a pixel, width * height of them; seconds: what is read until then is given.
        Raises: ValueError when the sizes do not fit.
        """
        if width <= 0 or height <= 0 or len(grey) != width * height:
            raise ValueError(f"{len(grey)} bytes are no picture of {width} by {height}")
        library = self._library
        library.TessBaseAPISetImage(self._handle, grey, width, height, 1, width)
        library.TessBaseAPISetSourceResolution(self._handle, 96)
        monitor = library.TessMonitorCreate()
        try:
            library.TessMonitorSetDeadlineMSecs(monitor, max(1, int(seconds * 1000)))
            library.TessBaseAPIRecognize(self._handle, monitor)
            text = library.TessBaseAPIGetUTF8Text(self._handle)
            if not text:
                return ""
            try:
                return ctypes.string_at(text).decode("utf-8", "replace")
            finally:
                library.TessDeleteText(text)
        finally:
            library.TessMonitorDelete(monitor)
            library.TessBaseAPIClear(self._handle)
