"""Eval tests of images: how many, how large (plug-in ImageInfo). Sizes are read from the first bytes of the image."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.evaltools import Bound, evals, from_to, has_image, keep, matches, measured, number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mxward.core.rules.spamassassin.texts import TextSet

_KIND: Final = re.compile(r"image/(gif|png|jpe?g)")
MAX_SEGMENTS: Final = 1000  # of a JPEG file before its frame header


@dataclass(slots=True)
class _Images:
    count: dict[str, int] = field(default_factory=dict)
    area: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, set[tuple[int, int]]] = field(default_factory=dict)  # (height, width)
    names: set[bytes] = field(default_factory=set)


def gif_size(data: bytes | memoryview) -> tuple[int, int]:
    """(height, width) of a GIF, (0, 0) when it is none."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 10:
        return 0, 0
    width, height = struct.unpack_from("<HH", data, 6)
    return height, width


def png_size(data: bytes | memoryview) -> tuple[int, int]:
    """(height, width) of a PNG, (0, 0) when it is none."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 24:
        return 0, 0
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def jpeg_size(data: bytes | memoryview) -> tuple[int, int]:
    """(height, width) of a JPEG, (0, 0) when it is none (ITU-T T.81 B.2.2: the frame header)."""
    at = 2
    if data[:2] != b"\xff\xd8":
        return 0, 0
    for _ in range(MAX_SEGMENTS):
        if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] in (0xDA, 0xD9):
            break
        mark = data[at + 1]
        (size,) = struct.unpack_from(">H", data, at + 2)
        if size < 2:
            break
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            if len(data) < at + 9:
                break
            height, width = struct.unpack_from(">HH", data, at + 5)
            return height, width
        at += 2 + size
    return 0, 0


_SIZE: Final = {"gif": gif_size, "png": png_size, "jpeg": jpeg_size}
_KINDS: Final = ("all", *_SIZE)


def _look(texts: TextSet) -> _Images:
    found = _Images(dict.fromkeys(_KINDS, 0), dict.fromkeys(_KINDS, 0))
    for node in texts.leaves:
        kind_of = _KIND.fullmatch(node.type)
        if kind_of is None or node.encoding != "base64":
            continue
        kind = "jpeg" if kind_of[1] == "jpg" else kind_of[1]
        height, width = _SIZE[kind](node.content)
        for key in (kind, "all"):
            found.count[key] += 1
            if height and width:
                found.area[key] += height * width
                found.sizes.setdefault(key, set()).add((height, width))
        if height and width and node.name:
            found.names.add(node.name)
    return found


def _images(texts: TextSet) -> _Images:
    return keep(texts, "images", _look)


def _is_between(value: float | None, low: str, high: str | None) -> bool:
    return value is not None and number(low) <= value <= number(high, inf)


def _counts(texts: TextSet, kinds: Collection[str]) -> Iterable[tuple[str, float]]:
    if not has_image(texts):
        return [(kind, 0) for kind in kinds if kind in _KINDS]
    count = _images(texts).count
    return [(kind, count[kind]) for kind in kinds if kind in count]


def _areas(texts: TextSet, kinds: Collection[str]) -> Iterable[tuple[str, float]]:
    area = _images(texts).area
    return [(kind, area[kind]) for kind in kinds if kind in area]


def image_count(kind: str, low: str, high: str | None = None) -> Bound:
    """Whether there are so many images of a kind ("all", "gif", "png", "jpeg")."""
    least = number(low)
    return Bound(_counts, kind, from_to(least, number(high, inf)), has_image if least > 0 else None)


def pixel_coverage(kind: str, low: str, high: str | None = None) -> Bound:
    """Whether the images have so many pixels together."""
    return Bound(_areas, kind, from_to(number(low), number(high, inf)), has_image)


def image_size_exact(texts: TextSet, kind: str, height: str, width: str) -> bool:
    """Whether there is an image of that size."""
    return (int(number(height)), int(number(width))) in _images(texts).sizes.get(kind, ())


def image_size_range(
    texts: TextSet, kind: str, low_height: str, low_width: str, high_height: str | None = None,
    high_width: str | None = None,
) -> bool:  # fmt: skip
    """Whether there is an image of a size in that range."""
    return any(
        _is_between(height, low_height, high_height) and _is_between(width, low_width, high_width)
        for height, width in _images(texts).sizes.get(kind, ())
    )


def image_named(texts: TextSet, name: str) -> bool:
    """Whether there is an image of that name."""
    return name.encode() in _images(texts).names


def image_name_regex(texts: TextSet, source: str) -> bool:
    """Whether a pattern matches the name of an image."""
    source = source[1:].rpartition("/")[0] if source.startswith("/") else source
    return any(matches(source, name) for name in _images(texts).names)


def image_to_text_ratio(texts: TextSet, kind: str, low: str, high: str, place: str = "body") -> bool:
    """Whether there are so many letters a pixel. `place`: whether letters of the body or of the raw body count."""
    area = _images(texts).area.get(kind, 0)
    n_letters = len((texts.rawbody if place == "rawbody" else texts.body)[0])
    if not area or not n_letters:
        return False
    return number(low) <= n_letters / area < number(high)


TABLE: Final = measured(image_count, pixel_coverage) | evals(
    image_size_exact, image_size_range, image_named, image_name_regex, image_to_text_ratio, needs=has_image
)
