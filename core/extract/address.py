"""Mailboxes of an address field as clients show them: display name and address. Lenient, linear, never raises.

This is for judging what a reader sees, not for routing mail: quoting and comments are followed, groups are
flattened, route addresses keep their last mailbox (RFC 5322 section 3.4, 4.4).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mxward.core.limits import MAX_ADDRESSES
from mxward.pyx.mime import decode_words

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|<[^<>]*>?|[,;:]|[^",;:<]+|[">]')
_COMMENT: Final = re.compile(r"\([^()]*\)")
# one mailbox as nearly all are: a name, quoted or not, and an address; the general reading gives the same. What is
# taken is not given back: a field of blanks alone would be gone through as often as it is long
_ONE: Final = re.compile(r'\s*+(?:"([^"\\]*)"\s*+|([^"\\<>,;:]*+))<([^<>]*)>\s*+')
# looked for from its "@" on: a run of letters without one would be gone through from each of them
_SHOWN: Final = re.compile(r"(?<=[^\s<>\"@,;:()])@([^\s<>\"@,;:()]+)")


class Mailbox(NamedTuple):
    """One mailbox: decoded display name ("" when there is none) and address as written."""

    display: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower().rstrip(".")


def mailboxes(value: bytes) -> list[Mailbox]:
    """Mailboxes of a raw field value, at most MAX_ADDRESSES. A value without any address gives its text."""
    found: list[Mailbox] = []
    words: list[str] = []
    angle: str | None = None
    text = value.decode("utf-8", "replace") if not value.isascii() else value.decode("ascii")
    if "(" not in text and (one := _ONE.fullmatch(text)):
        return [Mailbox(_decoded(one[2].strip() if one[1] is None else one[1]), one[3].strip(" "))]
    for piece in _TOKEN.findall(_COMMENT.sub(" ", text) if "(" in text else text):
        if piece in ",;":
            _close(found, words, angle)
            words, angle = [], None
            if len(found) >= MAX_ADDRESSES:
                return found
        elif piece == ":":
            words = []  # the name of a group
        elif piece[0] == "<":
            angle = piece.strip("<> ")
        else:
            words.append(piece)
    _close(found, words, angle)
    return found


def shown_domain(text: str) -> str:
    """The domain of the first address in a text, in lower case; "" when there is none. Linear."""
    found = _SHOWN.search(text) if "@" in text else None
    return found[1].lower().strip(".'\"") if found else ""


def _close(found: list[Mailbox], words: list[str], angle: str | None) -> None:
    text = " ".join(word.strip() for word in words).strip()
    if angle is not None:
        found.append(Mailbox(_shown(text), angle))
    elif text:
        is_address = "@" in text and " " not in text
        found.append(Mailbox("" if is_address else _shown(text), text if is_address else ""))


def _shown(text: str) -> str:
    if text.startswith('"') and text.endswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return _decoded(text)


def _decoded(text: str) -> str:
    return decode_words(text.encode("utf-8", "replace")).strip() if "=?" in text else text
