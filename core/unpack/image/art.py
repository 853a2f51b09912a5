"""Codes that are no pictures: tables of coloured cells in HTML, and block characters or letters in plain text.

Cells and characters become pixels of a small picture, which is read as any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from PIL import Image

from mxward.core.unpack.image.barcode import read_codes

MIN_SIDE: Final = 21  # modules of the smallest QR code; micro codes are too small for a link
MAX_SIDE: Final = 400
MAX_BLOCKS: Final = 20  # tried of one text
_SCALE: Final = 4  # pixels a module
_QUIET: Final = 4  # modules of white around it
_TABLE: Final = re.compile(r"(?i)<table\b([\s\S]*?)(?=<table\b|</table|\Z)")
_ROW: Final = re.compile(r"(?i)<tr\b([\s\S]*?)(?=<tr\b|</tr|\Z)")
_CELL: Final = re.compile(r"(?i)<t[dh]\b([^>]*)>")
_SPAN: Final = re.compile(r"(?i)\bcolspan\s*=\s*[\"']?(\d{1,3})")
_ROWSPAN: Final = re.compile(r"(?i)\browspan\s*=\s*[\"']?(\d{1,3})")
_STYLE_RULE: Final = re.compile(r"(?i)\.([\w-]{1,40})\s*\{[^}]*?background(?:-color)?\s*:\s*([^;}]{1,60})")
_COLOUR: Final = re.compile(r"(?i)(?:bgcolor\s*=\s*[\"']?|background(?:-color)?\s*:\s*)\s*([#\w(),.% ]{3,40})")
_CLASS: Final = re.compile(r"(?i)\bclass\s*=\s*[\"']?([\w-]{1,40})")
_NUMBER: Final = re.compile(r"\d{1,3}")
_LIGHT_NAMES: Final = frozenset(("white", "transparent", "none", "inherit", "ivory", "snow", "whitesmoke", "yellow"))
# rows of half and quarter blocks: (upper left, upper right, lower left, lower right) is dark
_BLOCKS: Final = {
    "\u2588": 0b1111, "\u2580": 0b1100, "\u2584": 0b0011, "\u258c": 0b1010, "\u2590": 0b0101, "\u2596": 0b0010,
    "\u2597": 0b0001, "\u2598": 0b1000, "\u259d": 0b0100, "\u2599": 0b1011, "\u259b": 0b1110, "\u259c": 0b1101,
    "\u259f": 0b0111, "\u259a": 0b1001, "\u259e": 0b0110, "\u2593": 0b1111, "\u25a0": 0b1111, "\u2b1b": 0b1111,
}  # fmt: skip
_SPACES: Final = " \u00a0\u2003\u2002\u2591\u2007\u3000\u2b1c\u25a1"
_Rows = Sequence[Sequence[bool]]


def codes_of_table(page: str) -> list[str]:
    """What codes say that are drawn by the cells of tables."""
    if page.count("<td") + page.count("<TD") < MIN_SIDE * 4:
        return []
    classes = {name: _is_dark(colour) for name, colour in _STYLE_RULE.findall(page)}
    found: list[str] = []
    for number, table in enumerate(_TABLE.finditer(page)):
        if number > 200:
            break
        rows = _cells(table[1], classes)
        if len(rows) >= MIN_SIDE:
            found += _read(rows)
    return found


def _cells(table: str, classes: dict[str, bool]) -> list[list[bool]]:
    rows: list[list[bool]] = []
    for row in _ROW.finditer(table):
        cells: list[bool] = []
        for cell in _CELL.finditer(row[1]):
            span = _SPAN.search(cell[1])
            cells += [_is_dark_cell(cell[1], classes)] * min(int(span[1]) if span else 1, MAX_SIDE)
        if cells and len(rows) < MAX_SIDE:
            high = _ROWSPAN.search(row[1])
            rows += [cells[:MAX_SIDE]] * min(int(high[1]) if high else 1, MAX_SIDE - len(rows))
    return rows


def _is_dark_cell(attributes: str, classes: dict[str, bool]) -> bool:
    colour = _COLOUR.search(attributes)
    if colour:
        return _is_dark(colour[1])
    named = _CLASS.search(attributes)
    return bool(named and classes.get(named[1]))


def _is_dark(colour: str) -> bool:
    colour = colour.strip().lower()
    if colour.startswith("#"):
        digits = colour[1:].split()[0] if colour[1:].split() else ""
        parts = [digits[i] * 2 for i in range(3)] if len(digits) in (3, 4) else [digits[i : i + 2] for i in (0, 2, 4)]
        try:
            return sum(int(part, 16) for part in parts) < 384
        except ValueError:
            return False
    if colour.startswith("rgb"):
        return sum(int(number) for number in _NUMBER.findall(colour)[:3]) < 384
    return colour.split(" ")[0] not in _LIGHT_NAMES


def codes_of_text(text: str) -> list[str]:
    """What codes say that are drawn by block characters, or by two letters of which one is dark."""
    found: list[str] = []
    for number, block in enumerate(_drawn(text)):
        if number >= MAX_BLOCKS:
            break
        if any(character in _BLOCKS for line in block for character in line):
            found += _of_blocks(block)
        else:
            found += _of_letters(block)
    return found


def _drawn(text: str) -> Iterator[list[str]]:
    """Runs of lines that draw something: at most four characters are used, and lines are long."""
    run: list[str] = []
    for line in (*text.splitlines(), ""):
        stripped = line.rstrip("\r\n").expandtabs()
        if len(stripped) >= MIN_SIDE // 2 + 1 and len(set(stripped)) <= 5 and len(run) < MAX_SIDE:
            run.append(stripped)
        else:
            if len(run) >= MIN_SIDE // 2 + 1:
                yield run
            run = []


def _of_blocks(block: list[str]) -> list[str]:
    rows: list[list[bool]] = []
    for line in block:
        bits = [_BLOCKS.get(character, 0) for character in line]
        rows.append([bool(bit & side) for bit in bits for side in (0b1000, 0b0100)])
        rows.append([bool(bit & side) for bit in bits for side in (0b0010, 0b0001)])
    return _read(rows)


def _of_letters(block: list[str]) -> list[str]:
    letters = sorted({character for line in block for character in line} - set(_SPACES))[:2]
    wide = [[character == letters[0] for character in line] for line in block] if letters else []
    return _read(wide) or _read([row[::2] for row in wide])


def _read(rows: _Rows) -> list[str]:
    """Rows of dark cells as a picture, and what is read in it: dark on light, or the other way round."""
    wide = max((len(row) for row in rows), default=0)
    if wide < MIN_SIDE or len(rows) < MIN_SIDE:
        return []
    wide = min(wide, 2 * MAX_SIDE)
    for ground in (255, 0):
        edge = bytes([ground]) * _QUIET
        lines = [
            edge + bytes(0 if is_dark else 255 for is_dark in row[:wide]).ljust(wide, b"\xff") + edge for row in rows
        ]
        quiet = [bytes([ground]) * (wide + 2 * _QUIET)] * _QUIET
        pixels = b"".join((*quiet, *lines, *quiet))
        picture = Image.frombytes("L", (wide + 2 * _QUIET, len(rows) + 2 * _QUIET), pixels)
        for form in _stretched(picture, len(rows) / wide):
            found = read_codes(form)
            if found:
                return found
    return []


def _stretched(picture: Image.Image, ratio: float) -> Iterator[Image.Image]:
    """The picture in the proportions that make the code square."""
    wide, high = picture.size
    yield picture.resize((wide * _SCALE, high * _SCALE), Image.Resampling.NEAREST)
    if ratio < 0.75:
        yield picture.resize((wide * _SCALE, high * _SCALE * 2), Image.Resampling.NEAREST)
