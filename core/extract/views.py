"""Shared forms of a message, each computed once and only when a detector asks: readable text, links, names.

A view is kept in message.views under its own name; detectors treat it as read-only.

    texts    [(part index, text)]: readable text of every text part, HTML without its markup
    folded   [(part index, folded text)]: the same, folded for comparison (fold.py)
    links    [Link]: addresses in HTML and in plain text, at most MAX_LINKS
    subject  the decoded Subject
    text_cut True when texts holds only the first MAX_TEXT_BYTES of what there is
    names    [(part index, name)]: every file name some client would show, then names inside containers
"""

from __future__ import annotations

import html
import re
from typing import Any, Final, NamedTuple

from mxward.core.extract.charset import decode_text
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


def texts(message: Message) -> list[tuple[int, str]]:
    """Readable text of every text part that is not empty, in part order."""
    found: list[tuple[int, str]] | None = message.views.get("texts")
    if found is None:
        found = _read(message)
    return found


def folded(message: Message) -> list[tuple[int, str]]:
    """`texts`, folded."""
    found: list[tuple[int, str]] | None = message.views.get("folded")
    if found is None:
        found = message.views["folded"] = [(part, fold(text)) for part, text in texts(message)]
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


def _read(message: Message) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    html_links: list[Link] = []
    counts, left = [0, 0, 0], MAX_TEXT_BYTES
    for part in message.parts:
        if not part.data or not is_text(part):
            continue
        if part.size > left:
            message.views["text_cut"] = True
        text = decode_text(bytes(part.data[:left]), part.charset, is_html=is_html(part))
        left -= min(left, part.size)
        if is_html(part):
            text = _from_html(part, text, html_links, counts)
        found.append((part.index, text))
    message.views["html_links"] = html_links
    message.views["markup"] = Markup(*counts)
    message.views["texts"] = found
    return found


def _from_html(part: Part, source: str, html_links: list[Link], counts: list[int]) -> str:
    text, spans, numbers = to_text(source.encode("utf-8", "replace"))
    for position, number in enumerate(numbers):
        counts[position] += number
    for kind, url, words in spans[: max(0, MAX_LINKS - len(html_links))]:
        html_links.append(Link(part.index, kind, _address(url), words.decode("utf-8", "replace").strip()))
    return text.decode("utf-8", "replace")


def _address(url: bytes) -> str:
    """An address as a browser takes it: references resolved, tabs and line ends removed."""
    text = url[:MAX_URL].decode("utf-8", "replace").strip()
    if "&" in text:
        text = html.unescape(text)
    return text.translate(_DROPPED)


_DROPPED: Final[dict[int, Any]] = {9: None, 10: None, 13: None}
