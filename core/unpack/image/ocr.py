"""Text in pictures, where the site has switched it on: for word lists and policies, and for passwords shown as one."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from mxward.bindings.tesseract import Reader
from mxward.core.unpack.work import Item, Work

MIN_SIDE: Final = 24  # pixels: below it nobody can read either
MAX_PIXELS: Final = 40_000_000  # of what is decoded
WORKED: Final = 4_000_000  # pixels that are looked at; larger pictures are scaled down to it
SECONDS: Final = 2.0  # of one picture
_ENGINE: list[Reader] = []


def switch_on(language: str = "eng") -> None:
    """Load the engine; called once, before a process is confined. Raises: TesseractMissing."""
    _ENGINE[:] = [Reader(language)]


def open_text(item: Item, work: Work) -> None:
    """Tell the text that a picture shows; nothing when reading pictures is not switched on."""
    if not _ENGINE:
        return
    with Image.open(io.BytesIO(item.data)) as picture:
        width, height = picture.size
        if min(width, height) < MIN_SIDE or width * height > MAX_PIXELS:
            return  # the opener of pictures says what is too large
        grey = picture.convert("L")
        if width * height > WORKED:
            share = (WORKED / (width * height)) ** 0.5
            grey = grey.resize((max(1, int(width * share)), max(1, int(height * share))))
    work.purse.check_time()
    text = _ENGINE[0].read(grey.tobytes(), *grey.size, SECONDS)
    if text.strip():
        work.text(item, text)


def switch_off() -> None:
    """Let the engine go."""
    _ENGINE.clear()
