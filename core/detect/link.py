"""Links that deceive: words that show one address and lead to another, hosts and schemes honest mail does not use.

Reputation of hosts is not here: nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from mxward.core.extract import views
from mxward.core.extract.views import Link
from mxward.core.message import Message
from mxward.core.verdict import Evidence, Hit

_SHOWN: Final = re.compile(r"^(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})(?:[/:?#].*)?$", re.I)
_ADDRESS: Final = re.compile(r"^(?:\d{1,3}\.){3}\d{1,3}$|^\d{7,10}$|^0x[0-9a-f]{6,8}$", re.I)
_MAILBOX: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w")
# two-label suffixes under which organisations register; enough to compare two names of one message
_SECOND_LEVEL: Final = frozenset(("co", "com", "org", "net", "ac", "gov", "nhs", "ltd", "plc", "sch", "police", "edu"))


class LinkDetector:
    """Judges every link of a message. Immutable."""

    name = "link"
    packs: tuple[str, ...] = ()

    def detect(self, message: Message) -> Iterable[Hit]:
        """At most one hit of each kind."""
        found: dict[str, Hit] = {}
        links = views.links(message)
        for link in links:
            for name, weight, detail in _faults(link):
                found.setdefault(name, _hit(name, weight, detail, link.part))
        counts = views.markup(message)
        if counts.passwords:
            found["HTML_PASSWORD_FIELD"] = _hit("HTML_PASSWORD_FIELD", 4.0, "asks for a password inside the mail", 0)
        elif counts.forms:
            found["HTML_FORM"] = _hit("HTML_FORM", 1.0, "holds an entry form", 0)
        return found.values()


def _hit(name: str, weight: float, detail: str, part: int) -> Hit:
    return Hit(name, "phish", weight, "link", detail=detail, evidence=(Evidence(part, "links", 0, 0),))


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _faults(link: Link) -> Iterator[tuple[str, float, str]]:
    url = link.url
    lowered = url[:16].lower()
    if lowered.startswith("data:") and link.kind in ("a", "frame", "form"):
        yield "LINK_DATA", 3.0, "has a link that carries a page inside itself"
    if lowered.startswith(("javascript:", "vbscript:")) and link.kind == "a" and len(url) > 40:
        yield "LINK_SCRIPT", 2.0, "has a link that runs a script"
    if not lowered.startswith(("http:", "https:", "http&#", "//", "www.")):
        return
    split = _split(url)
    if split is None:
        yield "LINK_BROKEN", 0.5, "has a link that no browser can read"
        return
    host = _host(split)
    if link.kind in ("a", "form", "text"):
        yield from _host_faults(host, split)
    if "@" in split.fragment and _MAILBOX.search(split.fragment):
        yield "LINK_ADDRESS_IN_FRAGMENT", 3.5, "has a link that carries an address behind a # sign, as log-in traps do"
    if link.kind == "a" and link.words and len(link.words) < 300:
        shown = _SHOWN.match(link.words)
        if shown and host and organisation(shown[1].lower()) != organisation(host):
            yield "LINK_SHOWS_OTHER", 1.5, "has a link that shows one address and leads to another"


def _host(split: SplitResult) -> str:
    return split.netloc.rpartition("@")[2].partition(":")[0].lower().rstrip(".")


def _host_faults(host: str, split: SplitResult) -> Iterator[tuple[str, float, str]]:
    if _ADDRESS.match(host):
        yield "LINK_BARE_ADDRESS", 1.5, "has a link to a bare network address"
    if "@" in split.netloc:
        yield "LINK_USER_PART", 2.5, "has a link that hides its host behind an @ sign"
    if "xn--" in host:
        yield "LINK_PUNYCODE", 0.5, "has a link to an internationalised host name"
    if host.count(".") >= 5 and len(host) > 50:
        yield "LINK_DEEP_HOST", 1.0, "has a link to an unusually long host name"


def organisation(host: str) -> str:
    """The registered name of a host, near enough to compare two hosts: its last two labels, or three."""
    labels = host.split(".")
    take = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-take:])
