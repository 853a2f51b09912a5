"""Facts of a message that are not words: how it is built, where its links lead, who it says it is from.

Left out on purpose, because they tell the time or the path of a message and not its intent: dates, message ids,
Received and other trace fields, names of mail programs, what mailing lists and scanners added, character sets,
transfer encodings, line ends. docs/classifier.md says why for each.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import Final

from mxward.core.extract import views
from mxward.core.extract.address import Mailbox
from mxward.core.extract.views import Link
from mxward.core.message import Message
from mxward.pyx.mime import Mime

MAX_LINKS: Final = 200  # looked at; the number of all is a fact too
_HOST: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@\\]*(@))?\[?([^/?#\\\]:]+)(?:\]?:(\d+))?", re.I)
_NUMERIC: Final = re.compile(r"[\d.]+|0x[0-9a-f]+|.*:.*", re.I)
_SHOWN: Final = re.compile(r"(?:https?://|www\.)([a-z0-9.-]+\.[a-z]{2,})", re.I)
_REPLY: Final = re.compile(r"\s*(?:re|aw|sv|antw|res|rif|odp)\s*(?:\[\d+\])?:", re.I)
_FORWARD: Final = re.compile(r"\s*(?:fwd?|wg|enc|tr|rv)\s*:", re.I)
_CONSONANTS: Final = re.compile(r"[bcdfghjkmnpqrstvwxz]{5}")
# malformations that the transport or the age of a message explains
_UNTOLD: Final = frozenset((
    "mbox_from_line", "bare_lf", "mixed_line_ends", "long_line", "missing_close", "no_final_newline", "bare_cr",
))  # fmt: skip


def structure(message: Message, mime: Mime) -> list[str]:
    """Kinds of parts and how much of each there is."""
    kinds: dict[str, None] = {}
    found = []
    has_attachment = False
    for part in message.parts:
        if not part.reading:
            kinds[part.content_type] = None
        if part.disposition == "attachment":
            has_attachment = True
        if part.true_type in _TELLING:
            kinds[f"true {part.true_type}"] = None
    has_html, has_plain = "text/html" in kinds, "text/plain" in kinds
    found.append("shape both" if has_html and has_plain else "shape html" if has_html else "shape plain")
    found.append(f"text {step(sum([len(text) for _, text in views.text_bytes(message)]))}")
    if has_attachment:
        found.append("an attachment")
    if len(kinds) > 1 or not has_plain:
        found += [f"part {kind}" for kind in kinds if not kind.startswith(("text/", "message/"))][:8]
    if has_html:
        markup = views.markup(message)
        found += [name for name, n in zip(("forms", "passwords", "scripts"), markup, strict=True) if n]
    if mime.anomalies:
        found += [f"odd {code}" for code in sorted({a.code for a in mime.anomalies} - _UNTOLD)[:8]]
    return found


_TELLING: Final = frozenset(("text/html", "application/zip", "application/x-dosexec", "application/pdf"))


_LETTERS, _CAPITALS, _DIGITS = (kind.encode() for kind in (string.ascii_letters, string.ascii_uppercase, string.digits))


def _count(text: str, kind: bytes) -> int:
    """How many ASCII characters of a kind there are."""
    data = text.encode("ascii", "ignore")
    return len(data) - len(data.translate(None, kind))


def step(number: int) -> int:
    """A number by its size only: 0, 1, 2, 3 for up to 7, ..."""
    return number.bit_length()


def links(found: list[Link], author_domain: str) -> tuple[list[str], set[str]]:
    """Facts about links, and the organisations that they lead to."""
    n_links = n_pictures = n_bare = 0
    hosts: set[str] = set()
    facts: set[str] = set()
    owner = organisation(author_domain) if author_domain else ""
    for link in found[:MAX_LINKS]:
        kind, url, words = link.kind, link.url, link.words
        match = _HOST.match(url)
        if kind == "img":
            n_pictures += 1
            if match is not None and organisation(match[2].lower()) != owner:
                facts.add("picture from elsewhere")
            continue
        if kind == "a":
            n_links += 1
        elif kind == "text":
            n_bare += 1
        if match is None:
            facts.add(f"scheme {url.partition(':')[0].lower()}" if ":" in url[:12] else "no scheme")
            continue
        host = match[2].lower().rstrip(".")
        hosts.add(host)
        if match[1] or match[3] or "@" in url or (kind == "a" and "." in words):
            facts.update(_of_link(kind, url, words, host, match))
    owners = {organisation(host) for host in hosts}
    for host in hosts:
        facts.update(_of_host(host))
    if hosts:
        facts.add(f"hosts {step(len(hosts))}")
        facts.add("hosts foreign" if owner not in owners else "hosts own" if len(owners) == 1 else "hosts mixed")
    else:
        facts.add("no hosts")
    facts.add(f"links a {step(n_links)}")
    facts.add(f"links img {step(n_pictures)}")
    facts.add(f"links text {step(n_bare)}")
    return sorted(facts), owners


def _of_link(kind: str, url: str, words: str, host: str, match: re.Match[str]) -> list[str]:
    facts = []
    if match[1]:
        facts.append("link with a user name")
    if match[3] and match[3] not in ("80", "443"):
        facts.append("link to a port")
    if "@" in url[8:]:
        facts.append("link with an address")
    shown = _SHOWN.search(words) if kind == "a" else None
    if shown and organisation(shown[1].lower()) != organisation(host):
        facts.append("link shows another place")
    return facts


@lru_cache(maxsize=4096)
def _of_host(host: str) -> tuple[str, ...]:
    """Facts about a host's name alone."""
    facts = []
    labels = host.split(".")
    longest = max(labels, key=len)
    if _NUMERIC.fullmatch(host):
        facts.append("link to a number")
    if host.startswith("xn--") or ".xn--" in host or not host.isascii():
        facts.append("link to a foreign name")
    if len(longest) > 20:
        facts.append("host long")
    if len(labels) > 4:
        facts.append("host deep")
    if _count(host, _DIGITS) > 3:
        facts.append("host digits")
    if host.count("-") > 2:
        facts.append("host dashes")
    return tuple(facts)


@lru_cache(maxsize=4096)
def organisation(host: str) -> str:
    """Roughly who a host belongs to: two labels, three where the last two are a country's public ones."""
    labels = host.rstrip(".").split(".")
    n = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-n:])


def author(mailbox: Mailbox, replies: list[Mailbox], free: frozenset[str]) -> list[str]:
    """Facts about the author's name and address, and where answers go."""
    display, local, domain = mailbox.display, mailbox.address.rpartition("@")[0], mailbox.domain
    facts = ["author named" if display else "author unnamed"]
    if domain in free:
        facts.append("author free")
    if "@" in display:
        facts.append("author name an address")
    if len(display) > 3 and display.isupper():
        facts.append("author capitals")
    if not display.isascii():
        facts.append("author name foreign")
    if _count(local, _DIGITS) > 3:
        facts.append("author digits")
    if len(local) > 24 or _CONSONANTS.search(local.lower()):
        facts.append("author random")
    if display and not _is_alike(display, mailbox.address):
        facts.append("author name unlike address")
    other = next((r for r in replies if r.address and r.address.lower() != mailbox.address.lower()), None)
    if other is not None:
        same = organisation(other.domain) == organisation(domain)
        facts.append("answers near" if same else "answers free" if other.domain in free else "answers far")
    return facts


def _is_alike(display: str, address: str) -> bool:
    """Does a word of the name stand in the address?"""
    address = address.lower()
    return any(word in address for word in re.findall(r"\w{3,}", display.lower()))


def subject(text: str) -> list[str]:
    """Facts about the subject's form."""
    letters, capitals = _count(text, _LETTERS), _count(text, _CAPITALS)
    facts = [f"subject {step(len(text) // 8)}"]
    if letters > 7 and capitals * 10 > letters * 6:
        facts.append("subject capitals")
    if text and not text.isascii():
        facts.append("subject foreign")
    if _REPLY.match(text):
        facts.append("subject reply")
    elif _FORWARD.match(text):
        facts.append("subject forward")
    if _count(text, _DIGITS) > 5:
        facts.append("subject digits")
    return facts


def addressing(mime: Mime) -> list[str]:
    """To whom it is addressed, whether it answers something, whether it claims to be urgent."""
    facts = []
    to = mime.field("to")
    if to is None:
        facts.append("to nobody")
    elif b"@" not in to:
        facts.append("to hidden")
    else:
        facts.append(f"to {min(step(to.count(b'@')), 4)}")
    if mime.field("in-reply-to") is not None or mime.field("references") is not None:
        facts.append("an answer")
    if b"auto-" in (mime.field("auto-submitted") or b"").lower():
        facts.append("automatic")
    if (mime.field("x-priority") or b"")[:1] in (b"1", b"2") or b"high" in (mime.field("importance") or b"").lower():
        facts.append("urgent")
    return facts
