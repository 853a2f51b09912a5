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
    authors         [Mailbox]: who the From field names
    text_cut        True when text_bytes holds only the first MAX_TEXT_BYTES of what there is
    names           [(part index, name)]: every file name some client would show, then names inside containers
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from mxward.core.extract.address import Mailbox, mailboxes
from mxward.core.extract.charset import decode_utf8
from mxward.core.extract.fold import fold_bytes
from mxward.core.extract.fold import skeleton as look_alike
from mxward.core.extract.parts import is_html, is_text
from mxward.core.limits import MAX_TEXT_BYTES
from mxward.core.message import Message, Part
from mxward.pyx.htmltext import read
from mxward.pyx.urls import find

OPENED: Final = "opened"  # stands among the views when containers were opened, not just listed
MAX_LINKS: Final = 4000  # of one message


class Link(NamedTuple):
    """An address: where it stands, of what kind ("a", "img", "form", ..., "text"), the words of an <a>."""

    part: int
    kind: str
    url: str
    words: str
    shown: bool = True  # are its words, or is the picture, shown by a browser?


class Markup(NamedTuple):
    """What the HTML parts hold, added up."""

    forms: int
    passwords: int
    scripts: int


class Hiding(NamedTuple):
    """Bytes of words that HTML parts do not show, by reason (pyx/htmltext.pyi); one word may have several."""

    none: int
    visibility: int
    opacity: int
    tiny: int
    clipped: int
    offscreen: int
    colour: int
    mso: int
    aside: int


Bytes = list[tuple[int, bytes]]
Text = list[tuple[int, str]]


def text_bytes(message: Message) -> Bytes:
    """Readable text of every text part that is not empty, in part order, as UTF-8."""
    found: Bytes | None = message.views.get("text_bytes")
    if found is None:
        found = _read(message)
    return found


def hiding(message: Message) -> Hiding:
    """How many bytes of words the HTML parts hide, by how they do it."""
    text_bytes(message)
    found: Hiding = message.views["hiding"]
    return found


def texts(message: Message) -> Text:
    """`text_bytes` as str."""
    return _as_text(message, "texts", text_bytes)


def visible_bytes(message: Message) -> Bytes:
    """What a browser shows of `text_bytes`; the same list when nothing is hidden."""
    text_bytes(message)
    found: Bytes = message.views["visible_bytes"]
    return found


def visible(message: Message) -> Text:
    """`visible_bytes` as str."""
    return _as_text(message, "visible", visible_bytes)


def hidden_bytes(message: Message) -> Bytes:
    """What a browser does not show of `text_bytes`; parts that hide nothing are left out."""
    text_bytes(message)
    found: Bytes = message.views["hidden_bytes"]
    return found


def hidden(message: Message) -> Text:
    """`hidden_bytes` as str."""
    return _as_text(message, "hidden", hidden_bytes)


def folded_bytes(message: Message) -> Bytes:
    """`text_bytes`, folded."""
    found: Bytes | None = message.views.get("folded_bytes")
    if found is None:
        found = message.views["folded_bytes"] = [(part, fold_bytes(text)) for part, text in text_bytes(message)]
    return found


def folded(message: Message) -> Text:
    """`folded_bytes` as str."""
    return _as_text(message, "folded", folded_bytes)


def skeleton_bytes(message: Message) -> Bytes:
    """`folded_bytes` with look-alikes read as Latin letters, of those parts where that makes a difference."""
    found: Bytes | None = message.views.get("skeleton_bytes")
    if found is None:
        found, mixed = [], 0
        # ASCII looks like nothing else: most mail need not be folded for this
        for part, text in () if is_ascii(message) else folded_bytes(message):
            looks, words = look_alike(text)
            mixed += words
            if looks is not text:
                found.append((part, looks))
        message.views["skeleton_bytes"], message.views["mixed_words"] = found, mixed
    return found


def is_ascii(message: Message) -> bool:
    """Are all texts ASCII, as those of most mail in English are?"""
    return all(text.isascii() for _, text in text_bytes(message))


def mixed_words(message: Message) -> int:
    """How many words of the texts have letters of several scripts that look alike."""
    skeleton_bytes(message)
    found: int = message.views["mixed_words"]
    return found


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
        listed = text_bytes(message)  # fills html_links
        found = list(message.views["html_links"])
        for part, text in listed:
            if b"://" in text or b"www." in text or b"WWW." in text:
                found += [
                    Link(part, "text", text[start:end].decode("utf-8", "replace"), "")
                    for start, end, kind in find(text, MAX_LINKS)
                    if kind in ("plain", "www")
                ]
        found += [Link(part, kind, url, "") for part, kind, url in message.views.get("inner_links", ())]
        del found[MAX_LINKS:]
        message.views["links"] = found
    return found


def markup(message: Message) -> Markup:
    """Counts of forms, password fields and scripts in HTML parts."""
    text_bytes(message)
    found: Markup = message.views["markup"]
    return found


def authors(message: Message) -> list[Mailbox]:
    """The mailboxes of the first From field, [] when there is none."""
    found: list[Mailbox] | None = message.views.get("authors")
    if found is None:
        assert message.mime is not None, "parse comes before views"
        found = message.views["authors"] = mailboxes(message.mime.field("from") or b"")
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


_NO_MARKUP: Final = Markup(0, 0, 0)
_NO_HIDING: Final = Hiding(0, 0, 0, 0, 0, 0, 0, 0, 0)


def _read(message: Message) -> Bytes:
    found: Bytes = []
    views, left = message.views, MAX_TEXT_BYTES
    views["markup"], views["hiding"], views["html_links"], views["hidden_bytes"] = _NO_MARKUP, _NO_HIDING, [], []
    for part in message.parts:
        if not part.data or not is_text(part):
            if part.text and left > 0:  # of a document (children.py)
                left -= _add_document(views, found, part, left)
            continue
        if part.size > left:
            views["text_cut"] = True
        as_html = is_html(part)
        text = decode_utf8(bytes(part.data[:left]), part.charset, is_html=as_html)
        left -= min(left, part.size)
        if as_html:
            text = _read_html(views, found, part.index, text)
        elif "visible_bytes" in views:
            views["visible_bytes"].append((part.index, text))
        found.append((part.index, text))
    views.setdefault("visible_bytes", found)
    views["text_bytes"] = found
    return found


def _add_document(views: dict[str, Any], found: Bytes, part: Part, left: int) -> int:
    """Text that was read from a document, as it is. Returns: how many bytes were taken."""
    text = part.text[:left]
    if len(text) < len(part.text):
        views["text_cut"] = True
    found.append((part.index, text))
    if "visible_bytes" in views:
        views["visible_bytes"].append((part.index, text))
    return len(text)


def _read_html(views: dict[str, Any], before: Bytes, index: int, source: bytes) -> bytes:
    """Text of an HTML part; what is shown of it, hidden in it, linked and counted goes into the views."""
    text, shown, hidden, links, counts, reasons = read(source)
    if any(counts):
        views["markup"] = Markup(*(a + b for a, b in zip(views["markup"], counts, strict=True)))
    if hidden and "visible_bytes" not in views:
        views["visible_bytes"] = list(before)  # from here on another list than that of the whole text
    if "visible_bytes" in views:
        views["visible_bytes"].append((index, shown))
    if hidden:
        views["hidden_bytes"].append((index, hidden))
        views["hiding"] = Hiding(*(a + b for a, b in zip(views["hiding"], reasons, strict=True)))
    listed: list[Link] = views["html_links"]
    for kind, url, words, is_shown in links[: max(0, MAX_LINKS - len(listed))]:
        address = url.decode("utf-8", "replace")
        listed.append(Link(index, kind, address, words.decode("utf-8", "replace").strip() if words else "", is_shown))
    return text
