"""Shared forms of a message, each computed once and only when a detector asks: readable text, links, names.

A view is kept in message.views under its own name; detectors treat it as read-only. Texts are made as UTF-8 bytes,
which the engines take as they are; the forms as str are decoded from them for those who ask. Rule authors read
docs/views.md.

    text_bytes      [(part index, bytes)]: readable text of every text part, HTML without its markup; `texts` as str
    visible_bytes   the same without what a browser would not show; `visible` as str
    hidden_bytes    only what a browser would not show, parts without any left out; `hidden` as str
    folded_bytes    `text_bytes`, folded for comparison (fold.py); `folded` as str
    skeleton_bytes  `folded_bytes` with look-alike letters read as the Latin ones, only where that differs; `skeleton`
    links           [Link]: addresses in HTML and in plain text, at most MAX_LINKS
    subject         the decoded Subject
    text_cut        True when text_bytes holds only the first MAX_TEXT_BYTES of what there is
    names           [(part index, name)]: every file name some client would show, then names inside containers
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from mxward.core.extract.charset import decode_utf8
from mxward.core.extract.fold import fold
from mxward.core.extract.parts import is_html, is_text
from mxward.core.limits import MAX_TEXT_BYTES
from mxward.core.message import Message, Part
from mxward.pyx.htmltext import to_text

MAX_LINKS: Final = 4000  # of one message
MAX_URL: Final = 4096  # characters kept of one address
_PLAIN_URL: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"'\\)\]}]{3,4096}", re.I)


class Link(NamedTuple):
    """An address: where it stands, of what kind ("a", "img", "form", ..., "text"), and the words of an <a>."""

    part: int
    kind: str
    url: str
    words: str


class Markup(NamedTuple):
    """What the HTML parts hold, added up."""

    forms: int
    passwords: int
    scripts: int


Bytes = list[tuple[int, bytes]]
Text = list[tuple[int, str]]


def text_bytes(message: Message) -> Bytes:
    """Readable text of every text part that is not empty, in part order, as UTF-8."""
    found: Bytes | None = message.views.get("text_bytes")
    if found is None:
        found = _read(message)
    return found


def texts(message: Message) -> Text:
    """`text_bytes` as str."""
    return _as_text(message, "texts", text_bytes)


def visible_bytes(message: Message) -> Bytes:
    """What a browser shows of `text_bytes`."""
    return text_bytes(message)


def visible(message: Message) -> Text:
    """`visible_bytes` as str."""
    return _as_text(message, "visible", visible_bytes)


def hidden_bytes(message: Message) -> Bytes:
    """What a browser does not show of `text_bytes`; parts that hide nothing are left out."""
    return []


def hidden(message: Message) -> Text:
    """`hidden_bytes` as str."""
    return _as_text(message, "hidden", hidden_bytes)


def folded_bytes(message: Message) -> Bytes:
    """`text_bytes`, folded."""
    found: Bytes | None = message.views.get("folded_bytes")
    if found is None:
        made = [(part, fold(text).encode("utf-8", "replace")) for part, text in texts(message)]
        found = message.views["folded_bytes"] = made
    return found


def folded(message: Message) -> Text:
    """`folded_bytes` as str."""
    return _as_text(message, "folded", folded_bytes)


def skeleton_bytes(message: Message) -> Bytes:
    """`folded_bytes` with look-alikes read as Latin letters, of those parts where that makes a difference."""
    return []


def skeleton(message: Message) -> Text:
    """`skeleton_bytes` as str."""
    return _as_text(message, "skeleton", skeleton_bytes)


def _as_text(message: Message, name: str, made: Callable[[Message], Bytes]) -> Text:
    found: Text | None = message.views.get(name)
    if found is None:
        found = message.views[name] = [(part, data.decode("utf-8", "replace")) for part, data in made(message)]
    return found


def links(message: Message) -> list[Link]:
    """All links: those of HTML in document order, then addresses in plain text."""
    found: list[Link] | None = message.views.get("links")
    if found is None:
        listed = texts(message)  # fills html_links
        found = list(message.views["html_links"])
        for part, text in listed:
            if "://" in text or "www." in text:
                found += [Link(part, "text", m[0].rstrip(".,;:!?"), "") for m in _PLAIN_URL.finditer(text)]
        message.views["links"] = found = found[:MAX_LINKS]
    return found


def markup(message: Message) -> Markup:
    """Counts of forms, password fields and scripts in HTML parts."""
    texts(message)
    found: Markup = message.views["markup"]
    return found


def subject(message: Message) -> str:
    """The decoded Subject, "" when absent."""
    found: str | None = message.views.get("subject")
    if found is None:
        assert message.mime is not None, "parse comes before views"
        found = message.views["subject"] = message.mime.text("subject")
    return found


def names(message: Message) -> list[tuple[int, str]]:
    """Every file name some client would show, and the names inside containers that can be listed."""
    found: list[tuple[int, str]] | None = message.views.get("names")
    if found is None:
        found = [(part.index, name) for part in message.parts for name in part.names]
        for index, inside in message.views.get("inside", {}).items():
            found += [(index, name) for name in inside]
        message.views["names"] = found
    return found


def _read(message: Message) -> Bytes:
    found: Bytes = []
    html_links: list[Link] = []
    counts, left = [0, 0, 0], MAX_TEXT_BYTES
    for part in message.parts:
        if not part.data or not is_text(part):
            continue
        if part.size > left:
            message.views["text_cut"] = True
        text = decode_utf8(bytes(part.data[:left]), part.charset, is_html=is_html(part))
        left -= min(left, part.size)
        if is_html(part):
            text = _from_html(part, text, html_links, counts)
        found.append((part.index, text))
    message.views["html_links"] = html_links
    message.views["markup"] = Markup(*counts)
    message.views["text_bytes"] = found
    return found


def _from_html(part: Part, source: bytes, html_links: list[Link], counts: list[int]) -> bytes:
    text, spans, numbers = to_text(source)
    for position, number in enumerate(numbers):
        counts[position] += number
    for kind, url, words in spans[: max(0, MAX_LINKS - len(html_links))]:
        html_links.append(Link(part.index, kind, _address(url), words.decode("utf-8", "replace").strip()))
    return text


def _address(url: bytes) -> str:
    """An address as a browser takes it: references resolved, tabs and line ends removed."""
    text = url[:MAX_URL].decode("utf-8", "replace").strip()
    if "&" in text:
        text = html.unescape(text)
    return text.translate(_DROPPED)


_DROPPED: Final[dict[int, Any]] = {9: None, 10: None, 13: None}
