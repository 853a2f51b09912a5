"""What commands print: JSON that parses, text that cannot take over a terminal, tables that align.

Everything that may come from a message goes through `safe` or `to_json`. Colour only on a terminal, and never when
NO_COLOR is set.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def safe(value: object) -> str:
    r"""Text for a terminal: what could move the cursor, hide or reorder text is shown as \x1b or \u202e.

    That is every character that is neither printable nor a space: controls, format and direction marks, lone
    surrogates, line separators, private and unassigned ones.
    """
    text = str(value)
    return text if text.isprintable() else "".join(c if _may_show(c) else _escape(c) for c in text)


def _may_show(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    code = ord(char)
    return _SHORT.get(char) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def to_json(value: Any) -> str:
    """One line of JSON in UTF-8; characters that `safe` would escape are \\u escapes, so that it parses the same."""
    try:
        text = orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:  # lone surrogates, integers beyond 64 bits
        return json.dumps(value, default=str)
    return text if text.isprintable() else "".join(c if _may_show(c) else json.dumps(c)[1:-1] for c in text)


def emit(value: Any) -> None:
    """Print one JSON line."""
    line(to_json(value))


def line(text: str = "") -> None:
    """Print one line; what the terminal's encoding cannot show is replaced."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def complain(text: str) -> None:
    """One plain sentence on standard error."""
    sys.stderr.write(f"mxward: {safe(text)}\n")


def bold(text: str) -> str:
    """Bold on a terminal, as it is elsewhere."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        return f"\x1b[1m{text}\x1b[0m"
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, right: frozenset[int] = frozenset()) -> None:
    """Print aligned columns; `right` are the numbers of right-aligned ones. Cells are made safe here."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max([width_of(h), *(width_of(row[i]) for row in cells)]) for i, h in enumerate(head)]

    def put(row: Sequence[str]) -> str:
        out = []
        for i, cell in enumerate(row):
            fill = " " * (widths[i] - width_of(cell))
            out.append(fill + cell if i in right else cell + fill)
        return "  ".join(out).rstrip()

    line(bold(put(head)))
    for row in cells:
        line(put(row))


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
