"""Eval tests of images: each function over a message in which it matches and one in which it does not; file formats."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.saevals import Case, check, mail, multipart, part, untested
from mxward.core.rules.spamassassin import evals_image
from mxward.core.rules.spamassassin.evals_image import gif_size, jpeg_size, png_size

GIF = b"GIF89a" + struct.pack("<HH", 300, 200)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480)
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 120, 160)


def image(kind: str, data: bytes, name: str = "") -> str:
    coding = "Content-Transfer-Encoding: base64"
    return part(f"Content-Type: image/{kind}; name={name or kind}", coding, body=base64.encodebytes(data).decode())


TEXT = part("Content-Type: text/plain", body="a few words")
ONE = multipart("mixed", TEXT, image("gif", GIF, "llama.gif"))
TWO = multipart("mixed", TEXT, image("gif", GIF), image("png", PNG))
JPG = multipart("mixed", TEXT, image("jpg", JPEG))
NONE = mail("Content-Type: text/plain", body="a few words")

CASES = [
    Case("image_count(gif; 1; 1)", ONE, True),
    Case("image_count(gif; 2)", ONE, False),
    Case("image_count(all; 2)", TWO, True),
    Case("image_count(jpeg; 1)", JPG, True),
    Case("image_count(all; 0; 0)", NONE, True),
    Case("image_count(all; 0; 0)", ONE, False),
    Case("image_count(bmp; 0)", NONE, False),
    Case("pixel_coverage(gif; 60000; 60000)", ONE, True),
    Case("pixel_coverage(png; 60000)", ONE, False),
    Case("pixel_coverage(all; 367200)", TWO, True),
    Case("pixel_coverage(all; 0)", NONE, False),
    Case("image_size_exact(gif; 200; 300)", ONE, True),
    Case("image_size_exact(gif; 300; 200)", ONE, False),
    Case("image_size_range(jpeg; 100; 100; 200; 200)", JPG, True),
    Case("image_size_range(jpeg; 100; 100; 200; 150)", JPG, False),
    Case("image_size_range(all; 480; 640)", TWO, True),
    Case("image_named(llama.gif)", ONE, True),
    Case("image_named(alpaca.gif)", ONE, False),
    Case("image_name_regex(/^llama/)", ONE, True),
    Case("image_name_regex(^alpaca)", ONE, False),
    Case("image_to_text_ratio(all; 0.000; 0.015)", ONE, True),
    Case("image_to_text_ratio(all; 0.000; 0.0001)", ONE, False),
    Case("image_to_text_ratio(all; 0.000; 0.015; rawbody)", ONE, True),
    Case("image_to_text_ratio(png; 0.000; 0.015)", ONE, False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_image.TABLE, CASES) == set()


def test_sizes_are_those_of_the_files() -> None:
    assert (gif_size(GIF), png_size(PNG), jpeg_size(JPEG)) == ((200, 300), (480, 640), (120, 160))


@given(st.sampled_from([GIF, PNG, JPEG]), st.integers(0, 40), st.binary(max_size=30))
def test_damaged_files_have_some_size_or_none(data: bytes, cut: int, tail: bytes) -> None:
    for size in (gif_size, png_size, jpeg_size):
        height, width = size(data[:cut] + tail)
        assert height >= 0
        assert width >= 0
