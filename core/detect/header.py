"""The header section: fields that are missing or doubled, and senders that are not who they show.

Malformed syntax is not here (anomaly.py), nor is authentication by SPF, DKIM and DMARC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from mxward.core.detect.brand import borrowed
from mxward.core.extract import views
from mxward.core.extract.address import Mailbox, mailboxes, shown_domain
from mxward.core.extract.fold import INVISIBLE, fold
from mxward.core.message import INBOUND, Message
from mxward.core.verdict import Hit
from mxward.pyx.mime import Mime

FREE_MAIL: Final = frozenset((
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "live.co.uk", "yahoo.com",
    "yahoo.co.uk", "aol.com", "icloud.com", "me.com", "mail.com", "gmx.com", "gmx.net", "gmx.de", "protonmail.com",
    "proton.me", "yandex.com", "yandex.ru", "mail.ru", "zoho.com", "qq.com", "163.com", "btinternet.com", "sky.com",
))  # fmt: skip
# offices whose names are put before foreign addresses; matched as whole words of the folded display name
_OFFICES: Final = re.compile(
    r"\b(?:it (?:help ?desk|support|service desk)|help ?desk|service desk|mail(?:box)? admin(?:istrator)?|"
    r"system admin(?:istrator)?|payroll|human resources|hr department|security team|postmaster|email admin)\b"
)
_BULK: Final = frozenset((b"bulk", b"list", b"junk"))
_COUNTED: Final = (
    b"from", b"date", b"message-id", b"to", b"cc", b"bcc", b"subject", b"sender", b"reply-to", b"list-unsubscribe",
    b"precedence",
)  # fmt: skip


class _Counts(NamedTuple):
    """How often fields occur, in the order of _COUNTED."""

    author: int
    date: int
    message_id: int
    to: int
    cc: int
    bcc: int
    subject: int
    sender: int
    reply_to: int
    list_unsubscribe: int
    precedence: int


class HeaderDetector:
    """Judges the header section. Immutable."""

    name = "header"
    packs: tuple[str, ...] = ()

    def __init__(self, local_domains: Sequence[str] = ()) -> None:
        """Args: local_domains: our own; outside senders that show them are spoofing or a known service."""
        self._local = tuple(domain.lower().rstrip(".") for domain in local_domains)

    def detect(self, message: Message) -> Iterable[Hit]:
        """Hits of the message's own header section; nested messages are not looked at."""
        mime = message.mime
        if mime is None:
            return
        counts = _Counts(*mime.field_counts(_COUNTED))
        yield from _presence(counts)
        authors = views.authors(message)
        if authors:
            yield from self._author(authors[0], message)
            if counts.reply_to:
                yield from _reply_to(authors[0], mime)
        if len(authors) > 1 and not counts.sender:
            yield _hit("HDR_MANY_AUTHORS", "anomaly", 1.5, "names several authors and no sender")
        yield from _subject(message)
        if counts.list_unsubscribe or (
            counts.precedence and (mime.field("precedence") or b"").strip().lower() in _BULK
        ):
            yield _hit("HDR_BULK", "bulk", 0.0, "is marked as list or bulk mail")

    def _is_local(self, domain: str) -> bool:
        return any(domain == local or domain.endswith(f".{local}") for local in self._local)

    def _author(self, author: Mailbox, message: Message) -> Iterator[Hit]:
        inbound = message.envelope.direction == INBOUND
        if inbound and self._is_local(author.domain):
            yield _hit("HDR_OWN_DOMAIN_OUTSIDE", "auth", 2.5, "comes from outside but shows an author of our domain")
        if not author.display:
            return
        shown = shown_domain(author.display)
        if shown and _far_apart(shown, author.domain):
            yield _hit("HDR_DISPLAY_ADDRESS", "phish", 2.5, "shows another address as the author's name")
        if not author.display.isascii() and INVISIBLE.search(author.display):
            yield _hit("HDR_HIDDEN_CHARACTERS", "phish", 2.0, "has invisible characters in the author's name")
        if inbound and not self._is_local(author.domain):
            folded = fold(author.display)
            if any(local in folded for local in self._local) and not shown:
                yield _hit("HDR_OWN_DOMAIN_NAME", "phish", 2.5, "shows our domain as the author's name")
            # bounces by Exchange are signed "Microsoft Outlook" at the bouncing domain; they have no sender
            if message.envelope.sender and borrowed(folded, author.domain):
                yield _hit("HDR_BRAND_NAME", "phish", 3.5, "shows a well-known name but comes from another domain")
            if author.domain in FREE_MAIL and _OFFICES.search(folded):
                yield _hit("HDR_OFFICE_FREE_MAIL", "phish", 2.5, "claims to be an office but uses a free mail address")


@cache
def _hit(name: str, category: str, weight: float, detail: str) -> Hit:
    """A hit is frozen, and this detector's say nothing of the message: each is made once."""
    return Hit(name, category, weight, "header", detail=detail)


def _presence(counts: _Counts) -> Iterator[Hit]:
    if not counts.author:
        yield _hit("HDR_NO_FROM", "anomaly", 2.0, "names no author")
    elif counts.author > 1:
        yield _hit("HDR_DOUBLE_FROM", "anomaly", 3.0, "has more than one From field")
    if not counts.date:
        yield _hit("HDR_NO_DATE", "anomaly", 0.5, "has no Date field")
    if not counts.message_id:
        yield _hit("HDR_NO_MESSAGE_ID", "anomaly", 0.5, "has no Message-ID field")
    if not (counts.to or counts.cc or counts.bcc):
        yield _hit("HDR_NO_TO", "anomaly", 0.5, "names no recipient")
    if counts.subject > 1:
        yield _hit("HDR_DOUBLE_SUBJECT", "anomaly", 1.0, "has more than one Subject field")


def _reply_to(author: Mailbox, mime: Mime) -> Iterator[Hit]:
    for mailbox in mailboxes(mime.field("reply-to") or b""):
        domain = mailbox.domain
        if domain not in FREE_MAIL or not author.domain:
            continue
        if author.domain not in FREE_MAIL:
            yield _hit("HDR_REPLY_FREE_MAIL", "phish", 2.0, "wants answers at a free mail address, unlike the author's")
            return
        if domain == author.domain and mailbox.address.lower() != author.address.lower():
            yield _hit("HDR_REPLY_ELSEWHERE", "phish", 1.5, "wants answers at another free mail address")
            return


def _subject(message: Message) -> Iterator[Hit]:
    text = views.subject(message)
    if not text.isascii() and INVISIBLE.search(text):
        yield _hit("HDR_HIDDEN_SUBJECT", "spam", 1.0, "has invisible characters in its subject")
    if len(text) >= 12 and text.isupper() and sum(c.isalpha() for c in text) * 2 > len(text):
        yield _hit("HDR_SUBJECT_CAPITALS", "spam", 1.5, "has a subject in capitals")


def _far_apart(one: str, other: str) -> bool:
    """Are these different organisations? Domains that share their last two labels count as one."""
    return bool(one) and one.split(".")[-2:] != other.split(".")[-2:]
