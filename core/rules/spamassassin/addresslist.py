"""Lists of addresses and host names with "*" and "?", as settings write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_LOOKED_UP: Final = 320  # bytes of an address (RFC 5321 4.5.3.1); longer ones are in no list
MAX_GLOBS: Final = 100_000


class AddressList:
    """A list; any case. Immutable. Looking an address up costs little unless its ending is that of a listed one."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._plain: set[bytes] = set()
        self._globs: dict[bytes, list[re.Pattern[bytes]]] = {}  # by what follows the last wildcard
        for entry in list(dict.fromkeys(entries))[:MAX_GLOBS]:
            text = entry.lower().encode("utf-8", "replace")
            if b"*" in text or b"?" in text:
                tail = re.split(rb"[*?]", text)[-1]
                self._globs.setdefault(tail, []).append(glob(text))
            else:
                self._plain.add(text)
        self._tails = tuple(self._globs)

    def __bool__(self) -> bool:
        return bool(self._plain or self._globs)

    def has(self, address: bytes) -> bool:
        """Whether an address is listed."""
        text = address.lower()
        if text in self._plain:
            return True
        if len(text) > MAX_LOOKED_UP or not text.endswith(self._tails):
            return False
        return any(
            pattern.match(text) for tail, known in self._globs.items() if text.endswith(tail) for pattern in known
        )


def glob(text: bytes) -> re.Pattern[bytes]:
    """A pattern for the whole of an address. Runs of "*" are one."""
    pieces = re.split(rb"(\*+|\?)", text)
    source = b"".join(
        b"[^\n]*" if piece.startswith(b"*") else b"[^\n]" if piece == b"?" else re.escape(piece) for piece in pieces
    )
    return re.compile(source + rb"\Z")
