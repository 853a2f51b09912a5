"""Facts of a message that are not words: how it is built, where its links lead, who it says it is from.

Left out on purpose, because they tell the time or the path of a message and not its intent: dates, message ids,
Received and other trace fields, names of mail programs, what mailing lists and scanners added, character sets,
transfer encodings, line ends. docs/classifier.md says why for each.
"""

from __future__ import annotations

import re
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
    kinds = [part.content_type for part in message.parts if not part.reading]
    n_html, n_plain = kinds.count("text/html"), kinds.count("text/plain")
    shape = "both" if n_html and n_plain else "html" if n_html else "plain" if n_plain else "neither"
    size = sum(len(text) for _, text in views.text_bytes(message))
    found = [f"shape {shape}", f"text {step(size)}"]
    others = {kind for kind in kinds if not kind.startswith(("text/", "multipart/", "message/"))}
    found += [f"part {kind}" for kind in sorted(others)[:8]]
    if "multipart/report" in kinds:
        found.append("a report")
    if any(part.disposition == "attachment" for part in message.parts):
        found.append("an attachment")
    found += [f"true {kind}" for kind in sorted({p.true_type for p in message.parts if p.true_type in _TELLING})]
    markup = views.markup(message)
    found += [name for name, n in zip(("forms", "passwords", "scripts"), markup, strict=True) if n]
    found += [f"odd {code}" for code in sorted({a.code for a in mime.anomalies})[:8] if code not in _UNTOLD]
    return found


_TELLING: Final = frozenset(("text/html", "application/zip", "application/x-dosexec", "application/pdf"))


def step(number: int) -> int:
    """A number by its size only: 0, 1, 2, 3 for up to 7, ..."""
    return number.bit_length()


def links(found: list[Link], author_domain: str) -> tuple[list[str], set[str]]:
    """Facts about links, and the hosts they lead to."""
    counts = {"a": 0, "img": 0, "text": 0}
    hosts: set[str] = set()
    facts: set[str] = set()
    for link in found[:MAX_LINKS]:
        counts[link.kind] = counts.get(link.kind, 0) + 1
        match = _HOST.match(link.url)
        if match is None:
            facts.add(f"scheme {link.url.partition(':')[0][:12].lower()}" if ":" in link.url[:12] else "no scheme")
            continue
        host = match[2].lower().rstrip(".")
        if link.kind != "img":
            hosts.add(host)
            facts.update(_of_link(link, host, match))
        elif not _is_under(host, author_domain):
            facts.add("picture from elsewhere")
    facts.update(_of_hosts(hosts, author_domain))
    facts.update(f"links {kind} {step(n)}" for kind, n in counts.items())
    return sorted(facts), hosts


def _of_link(link: Link, host: str, match: re.Match[str]) -> list[str]:
    facts = []
    if match[1]:
        facts.append("link with a user name")
    if match[3] and match[3] not in ("80", "443"):
        facts.append("link to a port")
    if _NUMERIC.fullmatch(host):
        facts.append("link to a number")
    if host.startswith("xn--") or ".xn--" in host or not host.isascii():
        facts.append("link to a foreign name")
    shown = _SHOWN.search(link.words) if link.kind == "a" and "." in link.words else None
    if shown and organisation(shown[1].lower()) != organisation(host):
        facts.append("link shows another place")
    if "@" in link.url[8:]:
        facts.append("link with an address")
    return facts


def _of_hosts(hosts: set[str], author_domain: str) -> list[str]:
    if not hosts:
        return ["no hosts"]
    own = sum(_is_under(host, author_domain) for host in hosts)
    facts = [f"hosts {step(len(hosts))}"]
    facts.append("hosts own" if own == len(hosts) else "hosts mixed" if own else "hosts foreign")
    for host in hosts:
        labels = host.split(".")
        longest = max(labels, key=len)
        if len(longest) > 20:
            facts.append("host long")
        if len(labels) > 4:
            facts.append("host deep")
        if sum(c.isdigit() for c in longest) > 3:
            facts.append("host digits")
        if longest.count("-") > 2:
            facts.append("host dashes")
    return facts


def organisation(host: str) -> str:
    """Roughly who a host belongs to: two labels, three where the last two are a country's public ones."""
    labels = host.rstrip(".").split(".")
    n = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-n:])


def _is_under(host: str, domain: str) -> bool:
    return bool(domain) and organisation(host) == organisation(domain)


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
    if sum(c.isdigit() for c in local) > 3:
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
    letters = sum(c.isalpha() for c in text)
    capitals = sum(c.isupper() for c in text)
    facts = [f"subject {step(len(text) // 8)}"]
    if letters > 7 and capitals * 10 > letters * 6:
        facts.append("subject capitals")
    if text and not text.isascii():
        facts.append("subject foreign")
    if _REPLY.match(text):
        facts.append("subject reply")
    elif _FORWARD.match(text):
        facts.append("subject forward")
    if sum(c.isdigit() for c in text) > 5:
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
