"""Text in pictures: read where it is switched on, within bounds, and never in the way where it is not."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageDraw, ImageFont

from mxward.bindings.tesseract import Reader, TesseractMissing
from mxward.core.extract import reply
from mxward.core.extract.opener import Budget, Request
from mxward.core.unpack.image import ocr
from mxward.core.unpack.work import Work


def picture(text: str, size: tuple[int, int] = (700, 160), form: str = "PNG") -> bytes:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).text((20, 40), text, font=ImageFont.load_default(32), fill=0)
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


@pytest.fixture
def engine() -> Iterator[None]:
    try:
        ocr.switch_on()
    except TesseractMissing as error:
        pytest.skip(str(error))
    yield
    ocr.switch_off()


def read(data: bytes) -> str:
    frames = bytearray()
    work = Work(Request("image/png", "", ("x.png",), Budget(1 << 20, 10, 2, 10.0)), data, frames.extend)
    ocr.open_text(work.todo[0], work)
    return b"".join(bytes(c) for r, c in reply.read(memoryview(bytes(frames))) if isinstance(r, reply.Text)).decode()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF"])
def test_text_of_a_picture_is_read(form: str, engine: None) -> None:
    assert "password is Winter-2026" in read(picture("The password is Winter-2026!", form=form))


def test_an_empty_picture_has_no_text(engine: None) -> None:
    assert read(picture("")) == ""


def test_a_tiny_picture_is_left_alone(engine: None) -> None:
    assert read(picture("x", (20, 20))) == ""


def test_a_large_picture_is_scaled_down(engine: None) -> None:
    image = Image.new("L", (5000, 1500), 255)
    ImageDraw.Draw(image).text((100, 400), "CONFIDENTIAL", font=ImageFont.load_default(300), fill=0)
    out = io.BytesIO()
    image.save(out, "PNG")
    assert "CONFIDENTIAL" in read(out.getvalue())


def test_nothing_is_read_where_it_is_not_switched_on() -> None:
    assert read(picture("The password is Winter-2026!")) == ""


def test_reading_ends_in_time(engine: None) -> None:
    """Noise is what takes longest."""
    import random
    import time

    noise = Image.frombytes("L", (1500, 1500), random.Random(3).randbytes(1500 * 1500))
    out = io.BytesIO()
    noise.save(out, "PNG")
    started = time.process_time()
    read(out.getvalue())
    assert time.process_time() - started < 4 * ocr.SECONDS


def test_pixels_that_do_not_fit_are_refused(engine: None) -> None:
    with pytest.raises(ValueError, match="no picture"):
        Reader().read(b"12345", 2, 2, 1.0)


def test_a_language_that_is_not_there_is_named() -> None:
    with pytest.raises(TesseractMissing, match="not installed"):
        Reader("tlh")
