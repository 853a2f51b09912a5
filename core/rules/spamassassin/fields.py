"""The header fields of one part as SpamAssassin keeps them: raw, and unfolded with encoded words decoded.

Finding and unfolding them is pyx/safields, which asks for what has to be decoded here. How rules name them (modifiers,
pseudo-headers) is headers.py.

Source: RFC 5322 2.2.3, RFC 2047; behaviour of SpamAssassin 4.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mxward.core.lazy import lazy
from mxward.core.rules.spamassassin.charset import to_utf8
from mxward.pyx.safields import FieldTable
from mxward.pyx.saheader import encoded_words

_NEVER_DECODED: Final = re.compile(
    rb"(?:received|(?:resent-)?(?:message-id|date)|mime-version|references|in-reply-to|list-.*)\Z", re.I | re.S
)


class Fields:
    """The header of one part. Immutable; what is decoded is kept.

    Args: written: the header section of the message, LF line ends, or (name, value behind the colon without its last
    line end) of each field of another part, in order.
    """

    def __init__(self, written: bytes | Iterable[tuple[bytes, bytes]]) -> None:
        self.table = FieldTable(written, decode_words)
        self._decoded: dict[bytes, list[bytes]] = {}

    @property
    def names(self) -> FieldTable:
        """The names that there are, in lower case."""
        return self.table

    @property
    def order(self) -> list[bytes]:
        """The name of each field as written."""
        return self.table.order

    @property
    def is_truncated(self) -> bool:
        return self.table.is_truncated

    def raw(self, name: bytes) -> list[bytes]:
        """Values as they stand, with their line ends as LF and one at the end. Name in lower case."""
        return self.table.raw(name)

    def values(self, name: bytes) -> list[bytes]:
        """Values unfolded, decoded, without a line end. Name in lower case."""
        found = self._decoded.get(name)
        if found is None:
            found = self._decoded[name] = self.table.values(name)
        return found

    def last(self, name: str) -> bytes:
        """The last value, b"" when there is none; SpamAssassin takes the last where one is wanted."""
        found = self.values(name.encode())
        return found[-1] if found else b""

    @lazy
    def all(self) -> list[bytes]:
        """All fields, unfolded and decoded, as lines; those beyond MAX_ALL bytes are left out."""
        return self.table.lines()


def decode_words(value: bytes, name: bytes = b"") -> bytes:
    """Encoded words to UTF-8, bytes outside ASCII to UTF-8. Fields whose syntax has no encoded words stay."""
    if not value.isascii():
        value = to_utf8(value, "UTF-8")[0]
    if b"=?" not in value or _NEVER_DECODED.match(name):
        return value
    return b"".join(
        to_utf8(text, label.partition(b"*")[0].decode("latin-1"), is_word=True)[0] if label else text
        for label, text in encoded_words(value)
    )
