"""Lists of addresses and host names with "*" and "?", as settings write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

MAX_LOOKED_UP: Final = 320  # bytes of an address (RFC 5321 4.5.3.1); longer ones are in no list
MAX_GLOBS: Final = 100_000
_WILDCARD: Final = re.compile(rb"[*?]")


class _Tails(NamedTuple):
    """Globs with a tail behind their last wildcard, by that tail."""

    tails: tuple[bytes, ...]
    globs: list[tuple[bytes, tuple[re.Pattern[bytes], ...]]]

    def has(self, text: bytes) -> bool:
        return any(glob.match(text) for tail, globs in self.globs if text.endswith(tail) for glob in globs)


class AddressList:
    """A list; any case. Immutable. Looking an address up costs little unless it begins or ends as a listed one does."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._plain: set[bytes] = set()
        by_tail: dict[bytes, dict[bytes, list[re.Pattern[bytes]]]] = {}  # last label -> what follows the last wildcard
        by_head: dict[bytes, list[re.Pattern[bytes]]] = {}  # first label
        others: list[re.Pattern[bytes]] = []
        for entry in list(dict.fromkeys(entries))[:MAX_GLOBS]:
            text = entry.lower().encode("utf-8", "replace")
            if b"*" not in text and b"?" not in text:
                self._plain.add(text)
                continue
            head, *_, tail = _WILDCARD.split(text)
            if b"." in tail:
                by_tail.setdefault(tail.rpartition(b".")[2], {}).setdefault(tail, []).append(compile_glob(text))
            elif b"." in head:
                by_head.setdefault(head.partition(b".")[0], []).append(compile_glob(text))
            else:
                others.append(compile_glob(text))
        self._by_tail = {
            label: _Tails(tuple(tails), [(tail, tuple(globs)) for tail, globs in tails.items()])
            for label, tails in by_tail.items()
        }
        self._by_head = {label: tuple(globs) for label, globs in by_head.items()}
        self._others = tuple(others)

    def __bool__(self) -> bool:
        return bool(self._plain or self._by_tail or self._by_head or self._others)

    def has(self, address: bytes) -> bool:
        """Whether an address is listed."""
        text = address.lower()
        if text in self._plain:
            return True
        if len(text) > MAX_LOOKED_UP:
            return False
        known = self._by_tail.get(text[text.rfind(b".") + 1 :])
        if known is not None and text.endswith(known.tails) and known.has(text):
            return True
        if self._by_head and any(glob.match(text) for glob in self._by_head.get(text.partition(b".")[0], ())):
            return True
        return bool(self._others) and any(glob.match(text) for glob in self._others)


def compile_glob(text: bytes) -> re.Pattern[bytes]:
    """A pattern for the whole of an address. Runs of "*" are one."""
    pieces = re.split(rb"(\*+|\?)", text)
    source = b"".join(
        b"[^\n]*" if piece.startswith(b"*") else b"[^\n]" if piece == b"?" else re.escape(piece) for piece in pieces
    )
    return re.compile(source + rb"\Z")
