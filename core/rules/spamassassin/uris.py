"""Every address of a message: those of HTML and those in its text, each in the forms it may be meant as.

Finding addresses in text is pyx/satext, the forms are canonical.py.

Source: behaviour of SpamAssassin 4.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.addresses import is_host
from mxward.core.rules.spamassassin.canonical import MAX_URI, canonical, url_decoded
from mxward.core.rules.spamassassin.domains import domain_of, is_known, registered_domain
from mxward.pyx.saline import find_uris, plain_host

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.markup import Markup
    from mxward.core.rules.spamassassin.site import Site

MAX_URIS: Final = 4000  # addresses kept of one message
_AFTER: Final = b"-~!@#^&*()_+=:;'?,."
_BRACKET: Final = re.compile(rb"([^(]*)\).*", re.S)
_EMPTY: Final = re.compile(rb"\w+:/{0,2}\Z")
_SCHEMES: Final = (b"http:", b"https:", b"ftp:", b"mailto:")
_FTP: Final = re.compile(rb"ftp\.", re.I)
_WWW: Final = re.compile(rb"www\d{0,2}\.", re.I)
_PATH_BEFORE_AT: Final = re.compile(rb"/.+@")
_DOT_AFTER_AT: Final = re.compile(rb"@.+?\.")
_MISREAD: Final = re.compile(rb"(?:skype|e?-?mail)?:+", re.I)
_HEX: Final = re.compile(rb"%[0-9a-f]{2}", re.I)
_MAIL_HOST: Final = re.compile(rb"@([^?&>]*)")
MAX_FOUND: Final = 20_000  # addresses looked at in the text
_H: Final = ord("h")
_MAIL: Final = 1  # kind of what find_uris gives
_PARSED: Final = frozenset((b"parsed",))


@dataclass(slots=True)
class Uri:
    """What is known of one address. `types`: elements it stands in, or parsed, unlinked, schemeless for text."""

    types: set[bytes] = field(default_factory=set)
    cleaned: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)  # words of the links to it
    domains: set[bytes] = field(default_factory=set)
    hosts: dict[bytes, bytes] = field(default_factory=dict)  # host -> its domain


class UriList:
    """The addresses of a message."""

    def __init__(self, body: tuple[bytes, list[int]], html: Sequence[Markup], site: Site) -> None:
        self._site = site
        self.detail: dict[bytes, Uri] = {}
        self.is_truncated = any(markup.uri_truncated for markup in html)
        in_text = list(_text_uris(body, site))
        links = [link for markup in html for link in markup.uris.items()]
        self._may_redirect = site.may_redirect_any(
            [address for address, _ in in_text] + [address for address, _ in links]
        )
        for address, types in in_text:
            self._add(address, types, needs_domain=True)
        for address, known in links:
            if self._add(address, known.types or _PARSED, needs_domain=False) and known.texts:
                self.detail[address].texts += dict.fromkeys(known.texts)

    @property
    def cleaned(self) -> list[bytes]:
        """Every form of every address, each once."""
        return list(dict.fromkeys(form for uri in self.detail.values() for form in uri.cleaned))

    def _add(self, address: bytes, types: Iterable[bytes], *, needs_domain: bool) -> bool:
        if len(self.detail) >= MAX_URIS:
            self.is_truncated = True
            return False
        forms, domains = self._meanings(address)
        if not forms or (needs_domain and not domains):
            return False
        uri = self.detail.get(address)
        if uri is None:
            self.detail[address] = Uri(set(types), forms, [], set(domains.values()), domains)
            return True
        uri.cleaned = list(dict.fromkeys(uri.cleaned + forms))
        uri.domains.update(domains.values())
        uri.hosts.update(domains)
        uri.types.update(types)
        return True

    def _meanings(self, address: bytes) -> tuple[list[bytes], dict[bytes, bytes]]:
        """The forms that an address may be meant as, each once, and their hosts with the domains of these."""
        site = self._site
        host = plain_host(address, site.top_levels)
        if host is not None and not (self._may_redirect and address[0] == _H and site.may_redirect(address)):
            return [address], {host: registered_domain(host, site)}
        forms: dict[bytes, None] = {}
        domains: dict[bytes, bytes] = {}
        for form in canonical(address, site):
            if len(form) > MAX_URI:
                self.is_truncated, form = True, form[:MAX_URI]
            forms[form] = None
            if found := domain_of(form, site):
                domains[found[1]] = found[0]
        return list(forms), domains


def _text_uris(body: tuple[bytes, list[int]], site: Site) -> Iterable[tuple[bytes, set[bytes]]]:
    seen: set[bytes] = set()
    for kind, found, host in find_uris(*body, site.top_levels, MAX_FOUND):
        raw = (_BRACKET.sub(rb"\1", found, count=1) if b")" in found else found).rstrip(_AFTER)
        if raw in seen:
            continue
        seen.add(raw)
        if (kind == _MAIL and b"@" not in raw) or (host is not None and not is_host(host)):
            continue
        if raw[:4].lower() in (b"cid:", b"mid:") or (raw[-1:] == b"/" and _EMPTY.match(raw)):
            continue
        if meant := _meant(raw, site):
            yield meant


def _meant(raw: bytes, site: Site) -> tuple[bytes, set[bytes]] | None:
    """The address with a scheme, and what it is; None when mail clients would not make a link of it."""
    types = {b"parsed"}
    address = raw
    if not raw.lower().startswith(_SCHEMES):
        types.add(b"schemeless")
        if _FTP.match(raw):
            address = b"ftp://" + raw
        elif _WWW.match(raw) or _PATH_BEFORE_AT.search(raw):
            address = b"http://" + raw
        elif b"@" in raw:
            if not _DOT_AFTER_AT.search(raw) or b"&nbsp;" in raw:
                return None
            address = b"mailto:" + _MISREAD.sub(b"", raw, count=1) if _MISREAD.match(raw) else b"mailto:" + raw
        else:
            if b"." not in raw:
                return None
            address = b"http://" + raw
            types.add(b"unlinked")
    if address[:7].lower() == b"mailto:":
        if _HEX.search(address):
            address = url_decoded(address)
        host = _MAIL_HOST.search(address)
        if host is None or not is_known(re.sub(rb"(?:%20)+\Z", b"", host[1]), site):
            return None
    return address, types
