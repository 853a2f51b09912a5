"""Links that deceive: words that show one address and lead to another, hosts and schemes honest mail does not use.

Reputation of hosts is not here: nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mxward.core.extract import views
from mxward.core.extract.fold import fold_bytes, skeleton
from mxward.core.extract.urls import organisation, shown_host, unwrap
from mxward.core.extract.views import Link
from mxward.core.message import Message
from mxward.core.verdict import Evidence, Hit
from mxward.pyx import urls

_SHOWN: Final = re.compile(r"^(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})(?:[/:?#].*)?$", re.I)
_REMOTE: Final = frozenset(("a", "form", "text"))
# name -> weight, and what it says; each is reported once a message
_FAULTS: Final[dict[str, tuple[float, str]]] = {
    "LINK_DATA": (3.0, "has a link that carries a page inside itself"),
    "LINK_SCRIPT": (2.0, "has a link that runs a script"),
    "LINK_BROKEN": (0.5, "has a link that no browser can read"),
    "LINK_BARE_ADDRESS": (1.5, "has a link to a bare network address"),
    "LINK_ODD_NUMBER": (1.5, "has a link to a network address in a form that hides it"),
    "LINK_USER_PART": (2.5, "has a link that hides its host behind an @ sign"),
    "LINK_PUNYCODE": (0.5, "has a link to an internationalised host name"),
    "LINK_LOOKALIKE_HOST": (3.0, "has a link to a host name in letters that only look Latin"),
    "LINK_ESCAPED_HOST": (1.5, "has a link whose host name is written in escapes"),
    "LINK_DEEP_HOST": (1.0, "has a link to an unusually long host name"),
    "LINK_ADDRESS_IN_FRAGMENT": (3.5, "has a link that carries an address behind a # sign, as log-in traps do"),
    "LINK_SHOWS_OTHER": (1.5, "has a link that shows one address and leads to another"),
}
_OF_HOST: Final = (
    (urls.NUMBER, "LINK_BARE_ADDRESS"), (urls.ODD_NUMBER, "LINK_ODD_NUMBER"), (urls.USER, "LINK_USER_PART"),
    (urls.PUNYCODE, "LINK_PUNYCODE"), (urls.ESCAPED, "LINK_ESCAPED_HOST"), (urls.DEEP, "LINK_DEEP_HOST"),
)  # fmt: skip
# letters of Cyrillic, Greek and Armenian that look exactly like a Latin one
_TWINS: Final = frozenset(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u0501\u04bb\u04cf\u051b\u051d\u03bf\u03bd\u03c1\u03b1"
    "\u0585\u057d\u0570\u0578"
)
_HOST_TRAITS: Final = sum(bit for bit, _ in _OF_HOST)


class LinkDetector:
    """Judges every link of a message. Immutable."""

    name = "link"
    packs: tuple[str, ...] = ()

    def detect(self, message: Message) -> Iterable[Hit]:
        """At most one hit of each kind."""
        found: dict[str, Hit] = {}
        for link in views.links(message):
            for name in _faults(link):
                if name not in found:
                    found[name] = _hit(name, *_FAULTS[name], link.part)
        counts = views.markup(message)
        if counts.passwords:
            found["HTML_PASSWORD_FIELD"] = _hit("HTML_PASSWORD_FIELD", 4.0, "asks for a password inside the mail", 0)
        elif counts.forms:
            found["HTML_FORM"] = _hit("HTML_FORM", 1.0, "holds an entry form", 0)
        return found.values()


@lru_cache(maxsize=1024)
def _hit(name: str, weight: float, detail: str, part: int) -> Hit:
    return Hit(name, "phish", weight, "link", detail=detail, evidence=(Evidence(part, "links", 0, 0),))


def _faults(link: Link) -> list[str]:
    """Names of what is wrong with one link; nearly always none."""
    parts = urls.split(link.url.encode("utf-8", "replace"))
    if parts is None:
        return _of_scheme(link)
    host, traits, _ = parts
    faults: list[str] = []
    if traits:
        if traits & urls.BROKEN:
            return ["LINK_BROKEN"]
        if link.kind in _REMOTE and traits & _HOST_TRAITS:
            faults += [name for bit, name in _OF_HOST if traits & bit]
        if traits & (urls.PUNYCODE | urls.FOREIGN) and link.kind in _REMOTE and looks_latin(host):
            faults.append("LINK_LOOKALIKE_HOST")
        if traits & urls.FRAGMENT:
            faults.append("LINK_ADDRESS_IN_FRAGMENT")
    if link.kind == "a" and "." in link.words and len(link.words) < 300 and _shows_other(link, host):
        faults.append("LINK_SHOWS_OTHER")
    return faults


def _of_scheme(link: Link) -> list[str]:
    lowered = link.url[:16].lower()
    if lowered.startswith("data:") and link.kind in ("a", "frame", "form"):
        return ["LINK_DATA"]
    if lowered.startswith(("javascript:", "vbscript:")) and link.kind == "a" and len(link.url) > 40:
        return ["LINK_SCRIPT"]
    return []


def _shows_other(link: Link, host: str) -> bool:
    """Do the words name a host of another organisation? A service that wraps links is not who they lead to."""
    shown = _SHOWN.match(link.words)
    if not shown or not host or organisation(shown[1].lower()) == organisation(host):
        return False
    inner = unwrap(link.url)
    target = urls.split(inner.encode("utf-8", "replace")) if inner else None
    return target is None or organisation(shown[1].lower()) != organisation(target[0])


def looks_latin(host: str) -> bool:
    """Is the host, in the letters that clients show, one that reads as ASCII and is not?"""
    for label in shown_host(host).split("."):
        folded = fold_bytes(label.encode("utf-8", "replace"))
        if not folded.isascii() and _is_foreign(label) and skeleton(folded)[0].isascii():
            return True
    return False


def _is_foreign(label: str) -> bool:
    """Foreign letters beside Latin ones, or only such as nobody can tell from Latin? Other words are honest names."""
    foreign = {c for c in label.lower() if ord(c) > 0x24F}  # below: Latin with accents, which honest names have too
    return bool(foreign) and (any("a" <= c <= "z" for c in label.lower()) or foreign <= _TWINS)
