"""Codes drawn by rectangles and paths of a drawing: rendered as far as codes need it, nothing else of SVG is.

Only what has straight edges along the axes is drawn; that is how programs write codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageDraw

from mxward.core.unpack.image.barcode import read_codes

MIN_SHAPES: Final = 60  # fewer draw no code
MAX_SHAPES: Final = 40_000
_SIDE: Final = 800  # pixels of the picture
_RECT: Final = re.compile(r"(?i)<rect\b([^>]{1,400})>")
_PATH: Final = re.compile(r"(?i)<path\b([^>]*?\bd\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^>]*)>")
_ATTRIBUTE: Final = re.compile(r"\b(x|y|width|height)\s*=\s*[\"']\s*(-?[\d.]{1,12})")
_FILL: Final = re.compile(r"(?i)\bfill\s*[=:]\s*[\"']?\s*([^\"';\s>]{1,30})")
_STEP: Final = re.compile(r"([MmLlHhVvZz])|(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?)")
_LIGHT: Final = re.compile(r"(?i)#?f{3}(?:f{3})?$|white$|none$|transparent$")
_Shape = list[tuple[float, float]]


def codes_of_drawing(drawing: str) -> list[str]:
    """What the codes of an SVG say."""
    shapes = list(_shapes(drawing))
    n_corners = sum(len(shape) for shape in shapes)
    if len(shapes) < MIN_SHAPES and n_corners < 4 * MIN_SHAPES:
        return []
    left, top = min(x for shape in shapes for x, _ in shape), min(y for shape in shapes for _, y in shape)
    right, bottom = max(x for shape in shapes for x, _ in shape), max(y for shape in shapes for _, y in shape)
    largest = max(right - left, bottom - top)
    if not 0 < largest < 1e7:
        return []
    scale, edge = _SIDE / largest, 60
    picture = Image.new("L", (_SIDE + 2 * edge, _SIDE + 2 * edge), 255)
    pen = ImageDraw.Draw(picture)
    for shape in shapes:
        corners = [(round((x - left) * scale) + edge, round((y - top) * scale) + edge) for x, y in shape]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        if len(corners) == 4:
            pen.rectangle((min(xs), min(ys), max(xs) - 1, max(ys) - 1) if max(xs) > min(xs) and max(ys) > min(ys)
                          else (min(xs), min(ys), max(xs), max(ys)), fill=0)  # fmt: skip
        else:
            pen.polygon(corners, fill=0)
    return read_codes(picture)


def _shapes(drawing: str) -> Iterator[_Shape]:
    n = 0
    for found in _RECT.finditer(drawing):
        sides = {key.lower(): float(value) for key, value in _ATTRIBUTE.findall(found[1]) if value.count(".") < 2}
        wide, high = sides.get("width", 0.0), sides.get("height", 0.0)
        if wide > 0 and high > 0 and not _is_light(found[1]):
            x, y = sides.get("x", 0.0), sides.get("y", 0.0)
            yield [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
            n += 1
        if n > MAX_SHAPES:
            return
    for found in _PATH.finditer(drawing):
        if _is_light(found[1]):
            continue
        for shape in _outlines(found[2] or found[3] or ""):
            yield shape
            n += 1
            if n > MAX_SHAPES:
                return


def _is_light(attributes: str) -> bool:
    fill = _FILL.search(attributes)
    return bool(fill and _LIGHT.match(fill[1]))


def _outlines(path: str) -> Iterator[_Shape]:
    """The closed outlines of a path of moves and straight lines (SVG 1.1, 8.3)."""
    shape: _Shape = []
    x = y = 0.0
    command = ""
    numbers: list[float] = []
    for found in _STEP.finditer(path):
        if found[1]:
            command, numbers = found[1], []
            if command in "Zz":
                if len(shape) >= 4:
                    yield shape
                x, y = shape[0] if shape else (x, y)
                shape = []
            continue
        numbers.append(float(found[2]))
        if len(numbers) < (1 if command in "HhVv" else 2):
            continue
        is_relative = command.islower()
        if command in "Hh":
            x = numbers[0] + (x if is_relative else 0.0)
        elif command in "Vv":
            y = numbers[0] + (y if is_relative else 0.0)
        else:
            x, y = numbers[0] + (x if is_relative else 0.0), numbers[1] + (y if is_relative else 0.0)
        if command in "Mm":
            if len(shape) >= 4:
                yield shape
            shape, command = [], "l" if is_relative else "L"
        shape.append((x, y))
        numbers = []
    if len(shape) >= 4:
        yield shape
