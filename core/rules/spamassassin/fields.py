"""The header fields of one part as SpamAssassin keeps them: raw, and unfolded with encoded words decoded.

How rules name them (modifiers, pseudo-headers) is headers.py.

Source: RFC 5322 2.2.3, RFC 2047; behaviour of SpamAssassin 4.0.1.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, KeysView
from functools import cached_property
from typing import Final

from mxward.core.rules.spamassassin.charset import to_utf8

MAX_NAME: Final = 256  # bytes kept of a name
MAX_VALUE: Final = 8192  # bytes kept of a value
MAX_ALL: Final = 65536  # bytes of all fields together
_LOGICAL: Final = re.compile(rb"([^\n]+(?:\n[ \t][^\n]*)*)\n?")
_FOLD: Final = re.compile(rb"\n[ \t]+")
_NEVER_DECODED: Final = re.compile(
    rb"(?:received|(?:resent-)?(?:message-id|date)|mime-version|references|in-reply-to|list-.*)\Z", re.I | re.S
)
_WORD: Final = rb"=\?[A-Za-z0-9*_-]+\?[bqBQ]\?[^?]*\?="
_BETWEEN: Final = re.compile(rb"(" + _WORD + rb")\s+(?=" + _WORD + rb")")
_PIECES: Final = re.compile(rb"=\?([A-Za-z0-9*_-]+)\?([bqBQ])\?([^?]*)\?=|([^=]+|.)", re.S)
_ESCAPE: Final = re.compile(rb"=([0-9a-fA-F]{2})")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")


class Fields:
    """The header of one part. Immutable; what is decoded is kept.

    Args: written: (name, value behind the colon without its last line end), in order.
    """

    def __init__(self, written: Iterable[tuple[bytes, bytes]]) -> None:
        self._decoded: dict[bytes, list[bytes]] = {}
        self.order: list[bytes] = []
        self._raw: dict[bytes, list[bytes]] = {}
        self.is_truncated = False
        for name, value in written:
            if len(name) > MAX_NAME or len(value) > MAX_VALUE:
                name, value, self.is_truncated = name[:MAX_NAME], value[:MAX_VALUE], True
            self.order.append(name)
            self._raw.setdefault(name.lower(), []).append(value)

    @property
    def names(self) -> KeysView[bytes]:
        """The names that there are, in lower case."""
        return self._raw.keys()

    def raw(self, name: bytes) -> list[bytes]:
        """Values as they stand, with their line ends as LF and one at the end. Name in lower case."""
        found = self._raw.get(name)
        if found is None:
            return []
        return [value.replace(b"\r\n", b"\n") + b"\n" for value in found]

    def values(self, name: bytes) -> list[bytes]:
        """Values unfolded, decoded, without a line end. Name in lower case."""
        found = self._decoded.get(name)
        if found is None:
            kept = self._raw.get(name)
            if kept is None:
                return []
            found = self._decoded[name] = [decode(value, name) for value in kept]
        return found

    def last(self, name: str) -> bytes:
        """The last value, b"" when there is none; SpamAssassin takes the last where one is wanted."""
        found = self.values(name.encode())
        return found[-1] if found else b""

    @cached_property
    def all(self) -> list[bytes]:
        """All fields, unfolded and decoded, as lines; those beyond MAX_ALL bytes are left out."""
        at: dict[bytes, int] = {}
        lines: list[bytes] = []
        size = 0
        for name in self.order:
            key = name.lower()
            number = at.get(key, 0)
            at[key] = number + 1
            line = name + b": " + self.values(key)[number] + b"\n"
            size += len(line)
            if size > MAX_ALL:
                self.is_truncated = True
                break
            lines.append(line)
        return lines


def top_fields(section: bytes) -> Iterable[tuple[bytes, bytes]]:
    """Fields of a message's own header as SpamAssassin reads it: spaces before a value are kept, lines without a colon
    and what an earlier run added (X-Spam-...) are left out. Args: section: LF line ends."""
    for line in _LOGICAL.findall(section):
        name, colon, value = line.partition(b":")
        if colon and name[:7].lower() != b"x-spam-":
            yield name.rstrip(b" \t"), value


def decode(value: bytes, name: bytes) -> bytes:
    """A raw value unfolded, stripped and with its encoded words decoded to UTF-8."""
    if b"\n" in value:
        value = _FOLD.sub(b" ", value.replace(b"\r\n", b"\n")).replace(b"\n", b"")
    return decode_words(value.strip(b" \t\n\r\f\v"), name)


def decode_words(value: bytes, name: bytes = b"") -> bytes:
    """Encoded words to UTF-8, bytes outside ASCII to UTF-8. Fields whose syntax has no encoded words stay."""
    if not value.isascii():
        value = to_utf8(value, "UTF-8")[0]
    if b"=?" not in value or _NEVER_DECODED.match(name):
        return value
    value = _BETWEEN.sub(rb"\1", value)
    runs: list[tuple[str, list[bytes]]] = []  # adjacent words of one charset: characters may be cut between words
    for charset, kind, text, other in _PIECES.findall(value):
        label = charset.decode("latin-1").lower()
        piece = _word(kind, text) if charset else other
        if runs and runs[-1][0] == label:
            runs[-1][1].append(piece)
        else:
            runs.append((label, [piece]))
    return b"".join(
        to_utf8(b"".join(pieces), label.partition("*")[0], is_word=True)[0] if label else b"".join(pieces)
        for label, pieces in runs
    )


def _word(kind: bytes, text: bytes) -> bytes:
    if kind in b"qQ":
        return _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()), text.replace(b"_", b" "))
    text = _NOT_BASE64.sub(b"", text)
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return b64decode(text + b"=" * (-len(text) % 4))
    except Error:
        return b""
