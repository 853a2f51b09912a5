"""Pictures made here: codes in every format, metadata, appended data, sizes that nobody has, damage."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from mxtest.unpackkit import unpack
from mxward.core.unpack.image.barcode import links_of
from mxward.core.unpack.image.trailer import end_of
from mxward.pyx.filetype import identify

URL = "https://evil.example/login?id=1"
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO")


def code(said: str = URL, scale: int = 4) -> Image.Image:
    barcode = zxingcpp.create_barcode(said, zxingcpp.BarcodeFormat.QRCode)
    grey = memoryview(zxingcpp.write_barcode_to_image(barcode, scale=scale))  # type: ignore[arg-type] # it is a buffer
    high, wide = grey.shape or (0, 0)
    return Image.frombytes("L", (wide, high), grey.tobytes())


def saved(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_a_code_is_an_address_in_every_format(form: str) -> None:
    tree = unpack(saved(code(), form))
    assert tree.addresses == [(0, "qr", URL)]
    assert tree.findings == {"IMAGE_CODE"}
    assert URL in tree.text


def test_a_code_in_a_photograph_of_a_page() -> None:
    page = Image.new("RGB", (1240, 1754), "white")
    page.paste(code(scale=5).convert("RGB").rotate(7, fillcolor="white"), (300, 900))
    ImageDraw.Draw(page).text((100, 100), "Scan to keep your mailbox", fill="black")
    assert (0, "qr", URL) in unpack(saved(page, "JPEG", quality=60)).addresses


def test_a_code_in_colours_and_light_on_dark() -> None:
    dark = Image.eval(code(), lambda value: 255 - value)
    assert (0, "qr", URL) in unpack(saved(dark)).addresses
    blue = Image.merge("RGB", (code(), code(), Image.new("L", code().size, 255)))
    assert (0, "qr", URL) in unpack(saved(blue)).addresses


def test_a_code_that_is_transparent_where_it_is_light() -> None:
    mask = Image.eval(code(), lambda value: 255 - value)
    picture = Image.new("RGBA", mask.size, (0, 0, 0, 0))
    picture.putalpha(mask)
    assert (0, "qr", URL) in unpack(saved(picture)).addresses


def test_a_code_in_the_second_frame_of_an_animation() -> None:
    blank = Image.new("L", code().size, 255)
    assert (0, "qr", URL) in unpack(saved(blank, "GIF", save_all=True, append_images=[code()])).addresses


@pytest.mark.parametrize(
    ("said", "links"),
    [
        ("https://a.example/x", ["https://a.example/x"]), ("call 123", []), ("evil.example/login", None),
        ("WIFI:T:WPA;S:net;P:pw;;", ["WIFI:T:WPA;S:net;P:pw;;"]), ("go to www.a.example now", ["www.a.example"]),
        ("BEGIN:VCARD", ["BEGIN:VCARD"]),
    ],
)  # fmt: skip
def test_links_in_what_codes_say(said: str, links: list[str] | None) -> None:
    assert links_of(said) == (["http://" + said] if links is None else links)


def test_small_pictures_are_not_read_for_codes() -> None:
    small = code(scale=1)
    assert min(small.size) < 60
    assert unpack(saved(small)).addresses == []


def test_words_in_metadata_are_text() -> None:
    info = PngInfo()
    info.add_text("Comment", "canary-png")
    info.add_itxt("Description", "canary-itxt", zip=True)
    assert "canary-png" in unpack(saved(code(), pnginfo=info)).text
    assert "canary-itxt" in unpack(saved(code(), pnginfo=info)).text
    exif = Image.Exif()
    exif[0x010E], exif[0x9C9C] = "canary-exif", "canary-xp".encode("utf-16-le")
    said = unpack(saved(code(), "JPEG", exif=exif, comment=b"canary-com")).text
    assert "canary-exif" in said
    assert "canary-xp" in said
    assert "canary-com" in said


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_the_end_of_a_picture_is_known(form: str) -> None:
    data = saved(code(), form)
    assert end_of(data, identify(data)) == len(data)
    tree = unpack(data + b"MZ" + b"canary behind the picture")
    assert "IMAGE_APPENDED" in tree.findings
    assert tree.top[0].data == b"MZcanary behind the picture"
    assert unpack(data + bytes(100)).findings == {"IMAGE_CODE"}


def png_of_size(wide: int, high: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [6_000, 65_000])
def test_pictures_that_are_too_large_are_not_decoded(side: int) -> None:
    tree = unpack(png_of_size(side, side))
    assert tree.reasons & {"limit:memory", "damaged"}


def test_a_bomb_is_named() -> None:
    assert "IMAGE_BOMB" in unpack(png_of_size(20_000, 20_000)).findings


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.integers(0, 5000), st.binary(min_size=1, max_size=12), st.booleans())
def test_damaged_bytes_never_raise(form: str, at: int, junk: bytes, is_cut: bool) -> None:
    data = SAVED[form]
    at %= len(data)
    changed = data[:at] if is_cut else data[:at] + junk + data[at + len(junk) :]
    assert unpack(changed, true_type=identify(data)).ended


SAVED = {form: saved(code(), form) for form in FORMATS}
