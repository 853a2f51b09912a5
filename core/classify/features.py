"""Which words and facts of a message the classifier counts, and in which segment.

Each segment is scored by itself and its sum divided by the root of its size, so that a thousand good words in the
text do not drown a bad subject or a bad link. Everything is bounded: bytes looked at, links, features. Weights and
probabilities are not here (model.py).
"""

from __future__ import annotations

from typing import Final

from mxward.core.classify import facts
from mxward.core.detect.header import FREE_MAIL
from mxward.core.extract import views
from mxward.core.extract.address import Mailbox, mailboxes
from mxward.core.extract.fold import fold, fold_bytes
from mxward.core.message import Message
from mxward.pyx.tokens import LINES, PAIRS, WORDS, Features

FORMAT: Final = 1  # of the features: raised by every change that makes other features of the same message
BITS: Final = 18
FACT, SUBJECT, AUTHOR, TEXT, LINK, NAME, HIDDEN, SITE = range(8)  # SITE: only what a site itself learns weighs
SEGMENT_NAMES: Final = ("fact", "subject", "author", "text", "link", "file name", "hidden text", "sender")
MAX_FEATURES: Final = 4096  # of a segment
HEAD_BYTES: Final = 49_152  # of a text part that are looked at: its begin
TAIL_BYTES: Final = 16_384  # and its end, where stuffed mail has its point as often
MAX_TEXT: Final = 262_144  # of all text parts
MAX_LINKS: Final = 100
MAX_NAMES: Final = 50

Piece = tuple[int, int, bytes]


def features_of(message: Message) -> Features:
    """The features of a parsed message. Never raises on content."""
    return Features(pieces(message), BITS, MAX_FEATURES)


def pieces(message: Message) -> list[Piece]:
    """(segment, mode, UTF-8) in order of segments."""
    mime = message.mime
    assert mime is not None, "parse comes before features"
    authors = views.authors(message)
    author = authors[0] if authors else Mailbox("", "")
    title = views.subject(message)
    found_links = views.links(message)
    link_facts, owners = facts.links(found_links, author.domain)
    reply_to = mime.field("reply-to")
    told = (
        facts.structure(message, mime) + link_facts + facts.subject(title) + facts.addressing(mime)
        + facts.author(author, mailboxes(reply_to) if reply_to else [], FREE_MAIL)
    )  # fmt: skip
    shown, hidden = _texts(message)
    if hidden:
        told.append(f"hidden {facts.step(sum(map(len, hidden)))}")
    out = [(FACT, LINES, _utf8("\n".join(told)))]
    out.append((SUBJECT, PAIRS, _folded(title[:2000])))
    out.append((AUTHOR, PAIRS, _folded(author.display[:500])))
    out += [(TEXT, PAIRS, text) for text in shown]
    out += _link_pieces(found_links)
    out += [(NAME, WORDS, _folded(name[:200])) for _, name in views.names(message)[:MAX_NAMES]]
    out += [(HIDDEN, WORDS, text) for text in hidden]
    out += _site_pieces(author, owners)
    return out


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _folded(text: str) -> bytes:
    return fold_bytes(text.encode()) if text.isascii() else _utf8(fold(text))


def _texts(message: Message) -> tuple[list[bytes], list[bytes]]:
    """Folded text that a reader sees, and what is hidden from him; look-alike letters as what they look like."""
    hidden = [_cut(fold_bytes(text)) for _, text in views.hidden_bytes(message)]
    if hidden:
        return _bounded([fold_bytes(text) for _, text in views.visible_bytes(message)]), hidden[:4]
    alike = dict(views.skeleton_bytes(message))
    return _bounded([alike.get(part, text) for part, text in views.folded_bytes(message)]), []


def _bounded(texts: list[bytes]) -> list[bytes]:
    out, left = [], MAX_TEXT
    for text in texts:
        piece = _cut(text)
        if len(piece) > left:
            break
        left -= len(piece)
        out.append(piece)
    return out


def _cut(text: bytes) -> bytes:
    if len(text) <= HEAD_BYTES + TAIL_BYTES:
        return text
    return text[:HEAD_BYTES] + b" \n " + text[-TAIL_BYTES:]


def _link_pieces(found: list[views.Link]) -> list[Piece]:
    """The words behind the host of links (each address once) and what is written on them."""
    words: dict[str, None] = {}
    urls: dict[str, None] = {}
    for link in found[:MAX_LINKS]:
        if link.words:
            words[link.words[:200]] = None
        if link.kind != "img":
            path = link.url.partition("//")[2].partition("/")[2][:200]
            if path:
                urls[path] = None
    return [(LINK, PAIRS, _folded(text)) for text in words] + [(LINK, WORDS, _utf8(text)) for text in urls]


def _site_pieces(author: Mailbox, owners: set[str]) -> list[Piece]:
    # a line end in an address would make a second feature of it, which harms nobody
    found = [f"from {author.address.lower()[:200]}", f"domain {facts.organisation(author.domain)[:200]}"]
    found += [f"host {name[:200]}" for name in sorted(owners)[:MAX_LINKS]]
    return [(SITE, LINES, _utf8("\n".join(found)))]
