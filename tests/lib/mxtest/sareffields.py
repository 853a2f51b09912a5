"""Header fields as SpamAssassin keeps them, by regular expressions: the slow reference of pyx/safields."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Final

MAX_NAME: Final = 256
MAX_VALUE: Final = 8192
MAX_ALL: Final = 65536
Decode = Callable[[bytes, bytes], bytes]
_LOGICAL: Final = re.compile(rb"([^\n]+(?:\n[ \t][^\n]*)*)\n?")
_FOLD: Final = re.compile(rb"\n[ \t]+")
_LINE: Final = re.compile(rb"^[^ \t].*?\n(?![ \t])", re.S | re.M)
_ATOM: Final = rb"[^\s<>()\"\[\],:;@\\]+"
_USUAL: Final = re.compile(
    rb'\s*(?:(?:"([^"\\@]+)"(\s*)|([^"\\<>()@,;:]*))<(%b@%b)>|(%b@%b))\s*' % (_ATOM, _ATOM, _ATOM, _ATOM)
)


_WORD: Final = rb"=\?[A-Za-z0-9*_-]+\?[bqBQ]\?[^?]*\?="
_BETWEEN: Final = re.compile(rb"(" + _WORD + rb")\s+(?=" + _WORD + rb")")
_PIECES: Final = re.compile(rb"=\?([A-Za-z0-9*_-]+)\?([bqBQ])\?([^?]*)\?=|([^=]+|.)", re.S)
_ESCAPE: Final = re.compile(rb"=([0-9a-fA-F]{2})")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")


class Fields:
    """Fields of a section or of pairs, each value with its name."""

    def __init__(self, written: bytes | Iterable[tuple[bytes, bytes]], decode: Decode) -> None:
        self._decode = decode
        self.is_truncated = False
        self.pairs: list[tuple[bytes, bytes]] = []
        for name, value in top_fields(written) if isinstance(written, bytes) else written:
            if len(name) > MAX_NAME or len(value) > MAX_VALUE:
                name, value, self.is_truncated = name[:MAX_NAME], value[:MAX_VALUE], True
            self.pairs.append((name, value))

    def raw(self, name: bytes) -> list[bytes]:
        return [value.replace(b"\r\n", b"\n") + b"\n" for known, value in self.pairs if known.lower() == name]

    def values(self, name: bytes) -> list[bytes]:
        return [self._value(known, value) for known, value in self.pairs if known.lower() == name]

    def lines(self) -> list[bytes]:
        found: list[bytes] = []
        for name, value in self.pairs:
            found.append(name + b": " + self._value(name, value) + b"\n")
            if sum(map(len, found)) > MAX_ALL:
                self.is_truncated = True
                return found[:-1]
        return found

    def _value(self, name: bytes, value: bytes) -> bytes:
        if b"\n" in value:
            value = _FOLD.sub(b" ", value.replace(b"\r\n", b"\n")).replace(b"\n", b"")
        value = value.strip(b" \t\n\r\f\v")
        return self._decode(value, name.lower()) if b"=?" in value or not value.isascii() else value


def top_fields(section: bytes) -> Iterable[tuple[bytes, bytes]]:
    """Name and value of each field of a message's own header."""
    for line in _LOGICAL.findall(section):
        name, colon, value = line.partition(b":")
        if colon and name[:7].lower() != b"x-spam-":
            yield name.rstrip(b" \t"), value


def raw_lines(section: bytes) -> list[bytes]:
    return _LINE.findall(section)


def usual_mailbox(value: bytes) -> tuple[bytes | None, bytes] | None:
    usual = _USUAL.fullmatch(value)
    if usual is None:
        return None
    quoted, space, plain, address, bare = usual.groups()
    phrase = quoted + space if quoted is not None else plain
    return phrase or None, address or bare


def encoded_words(value: bytes) -> list[tuple[bytes, bytes]]:
    runs: list[tuple[bytes, list[bytes]]] = []
    for charset, kind, text, other in _PIECES.findall(_BETWEEN.sub(rb"\1", value)):
        label = charset.lower()
        piece = _decoded(kind, text) if charset else other
        if runs and runs[-1][0] == label:
            runs[-1][1].append(piece)
        else:
            runs.append((label, [piece]))
    return [(label, b"".join(pieces)) for label, pieces in runs]


def _decoded(kind: bytes, text: bytes) -> bytes:
    if kind in b"qQ":
        return _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()), text.replace(b"_", b" "))
    text = _NOT_BASE64.sub(b"", text)
    text = text[:-1] if len(text) % 4 == 1 else text
    return b64decode(text + b"=" * (-len(text) % 4))
