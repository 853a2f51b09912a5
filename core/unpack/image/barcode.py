"""QR codes and other bar codes in pictures: what they say, and the links in it.

Pictures come as grey bytes with width and height, or as Pillow images; who made them is not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import zxingcpp

from mxward.core.unpack.work import Item, Work

MIN_SIDE: Final = 60  # pixels; the smallest code has 21 modules a side, and nobody's camera reads one pixel each
MAX_CODES: Final = 50  # told of one item
# codes of two dimensions: those with lines only carry numbers of goods and letters
_FORMATS: Final = zxingcpp.barcode_formats_from_str("QRCode,MicroQRCode,RMQRCode,DataMatrix,Aztec,PDF417")
_LINK: Final = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,30}:[^\s\"'<>]+|www\.[^\s\"'<>]+)")
_BARE: Final = re.compile(r"(?i)(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?:[/?#][^\s]*)?")


def read_codes(picture: Any) -> list[str]:
    """What the codes of a picture say, each once. Args: picture: what zxingcpp takes: grey pixels or a Pillow image."""
    found = zxingcpp.read_barcodes(picture, formats=_FORMATS)
    return list(dict.fromkeys(code.text for code in found[:MAX_CODES] if code.text))


def tell_codes(item: Item, work: Work, codes: Iterable[str]) -> bool:
    """Tell of codes as text and addresses of `item`. Returns: whether there were any."""
    told = False
    for said in codes:
        told = True
        work.text(item, said + "\n")
        for link in links_of(said):
            work.address(item, "qr", link)
    if told:
        work.find(item, "IMAGE_CODE")
    return told


def links_of(said: str) -> list[str]:
    """The links in what a code says; a code that is nothing but a host name is one too: telephones open it."""
    if _BARE.fullmatch(said.strip()):
        return ["http://" + said.strip()]
    return _LINK.findall(said)
