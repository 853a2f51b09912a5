"""Pictures: codes that cameras read, words in their metadata, other data behind their end.

Pillow decodes; sizes are judged from the header before it does.
"""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import ExifTags, Image, PngImagePlugin

from mxward.core.unpack.image.barcode import MIN_SIDE, read_codes, tell_codes
from mxward.core.unpack.image.trailer import end_of
from mxward.core.unpack.work import Damaged, Item, Work
from mxward.pyx.filetype import identify

MAX_PIXELS: Final = 20_000_000  # decoded: twice 80 MB of the 256 MB that a worker has
MAX_JPEG_PIXELS: Final = 100_000_000  # JPEG is decoded smaller than it is; twice that is a bomb to Pillow
MAX_FRAMES: Final = 3  # of an animation
MAX_WORDS: Final = 20_000  # characters of metadata
_READ_SIDE: Final = 1600  # larger pictures are read smaller: a code for people fills more of it
_MIN_REST: Final = 16
_FORMATS: Final = {
    "image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP",
    "image/tiff": "TIFF", "image/vnd.microsoft.icon": "ICO",
}  # fmt: skip
_WORDS: Final = (
    ExifTags.Base.ImageDescription, ExifTags.Base.Artist, ExifTags.Base.Copyright, ExifTags.Base.Software,
    ExifTags.Base.DocumentName, ExifTags.Base.XPTitle, ExifTags.Base.XPComment, ExifTags.Base.XPAuthor,
    ExifTags.Base.XPKeywords, ExifTags.Base.XPSubject, ExifTags.Base.HostComputer,
)  # fmt: skip
Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
PngImagePlugin.MAX_TEXT_CHUNK = 1 << 20
PngImagePlugin.MAX_TEXT_MEMORY = 4 << 20


def open_picture(item: Item, work: Work) -> None:
    """Tell codes, metadata and appended data. Raises: Damaged, OverBudget."""
    _tell_rest(item, work)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(item.data), formats=(_FORMATS[item.true_type],)) as picture:
                _tell_picture(item, work, picture)
    except Image.DecompressionBombError:
        work.find(item, "IMAGE_BOMB")
        work.unseen(item, "limit:memory", "a picture that is too large")
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Damaged("no picture that can be read") from error


def _tell_picture(item: Item, work: Work, picture: Image.Image) -> None:
    wide, high = picture.size
    if wide * high > (MAX_JPEG_PIXELS if item.true_type == "image/jpeg" else MAX_PIXELS):
        work.unseen(item, "limit:memory", f"a picture of {wide} x {high} pixels")
        return
    _tell_words(item, work, picture)
    if min(wide, high) < MIN_SIDE:
        return
    for frame in range(min(MAX_FRAMES, getattr(picture, "n_frames", 1))):
        work.purse.check_time()
        if frame:
            picture.seek(frame)
            if picture.width * picture.height > MAX_PIXELS:
                break
        if tell_codes(item, work, read_codes(_grey(picture))):
            break


def _grey(picture: Image.Image) -> Image.Image:
    """Small enough to be read quickly, grey, what is transparent as white: so it is shown."""
    picture.draft("L", (_READ_SIDE, _READ_SIDE))
    is_transparent = picture.has_transparency_data
    shown = picture.convert("RGBA" if is_transparent else "L")
    if max(shown.size) > _READ_SIDE:
        shown.thumbnail((_READ_SIDE, _READ_SIDE), Image.Resampling.BOX)
    if not is_transparent:
        return shown
    paper = Image.new("RGBA", shown.size, "white")
    paper.alpha_composite(shown)
    return paper.convert("L")


def _tell_words(item: Item, work: Work, picture: Image.Image) -> None:
    said = [value for key, value in picture.info.items() if isinstance(value, str) and key != "dpi"]
    comment = picture.info.get("comment")
    if isinstance(comment, bytes):
        said.append(comment.decode("utf-8", "replace"))
    exif = picture.getexif()
    for tag in _WORDS:
        value = exif.get(tag)
        if isinstance(value, bytes):
            value = value.decode("utf-16-le" if tag >= ExifTags.Base.XPTitle else "utf-8", "replace")
        if isinstance(value, str):
            said.append(value)
    text = "\n".join(word.strip("\0 ") for word in said if word.strip("\0 "))
    if text:
        work.text(item, text[:MAX_WORDS] + "\n")


def _tell_rest(item: Item, work: Work) -> None:
    end = end_of(item.data, item.true_type)
    rest = item.data[end:]
    if len(rest.strip(b"\0\xff\t\n\r ")) < _MIN_REST:
        return
    kind = identify(rest)
    if kind != item.true_type:  # cameras append previews of the same format
        work.find(item, "IMAGE_APPENDED")
    work.child(item, rest, "after the picture")
