"""Received fields to relays: who handed the message over to whom, and which of them are trusted.

Nothing is looked up. The formats of the fields themselves are received_formats.py; where nothing is configured, trust
ends at the first relay with a public address that did not authenticate, as in SpamAssassin.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, cast

from mxward.core.rules.spamassassin.ip import is_private
from mxward.core.rules.spamassassin.received_hops import hops
from mxward.core.rules.spamassassin.received_line import Found, read
from mxward.core.rules.spamassassin.site import Site
from mxward.pyx.sahops import ASK, FETCHED, SKIPPED, UNREAD, Relay

Networks = tuple[tuple[bool, ipaddress.IPv4Network | ipaddress.IPv6Network], ...]
MAX_RELAYS: Final = 200  # Received fields looked at; SMTP refuses a message with many fewer
_UNSAFE: Final = re.compile(rb"[\s\0#\[\]()<>|]")
_UNKNOWN: Final = re.compile(rb"unknown\n?\Z", re.I)
_SCOPE: Final = re.compile(rb"%[A-Z0-9._~-]*\Z", re.I)
_MAPPED: Final = re.compile(rb"0*:0*:(?:0*:)*ffff:(\d+\.\d+\.\d+\.\d+)\Z", re.I)


@dataclass(slots=True)
class Relays:
    """All relays of a message, the most recent first."""

    trusted: list[Relay] = field(default_factory=list)
    untrusted: list[Relay] = field(default_factory=list)
    internal: list[Relay] = field(default_factory=list)
    external: list[Relay] = field(default_factory=list)
    n_unparseable: int = 0
    last_trusted: int = -1  # number of the last Received field that a trusted relay wrote
    last_internal: int = -1
    _texts: dict[str, bytes] = field(default_factory=dict)

    def text(self, which: str) -> bytes | None:
        """The relays of one list as header rules see them; None for an unknown list."""
        if which not in ("trusted", "untrusted", "internal", "external"):
            return None
        if which == "external" and self.external == self.untrusted:
            which = "untrusted"
        found = self._texts.get(which)
        if found is None:
            found = self._texts[which] = b" ".join([relay.text for relay in getattr(self, which)])
        return found


class _Trust:
    """Where trust ends, by configured networks or by what can be inferred."""

    def __init__(self, site: Site) -> None:
        self._is_configured, self._trusted, self._internal, self._msa = _settings(site)
        self.is_trusted = self.is_internal = True
        self._found_msa = False

    def pass_on(self, relay: Relay) -> None:
        """Look at the next relay, further from us."""
        if not self.is_trusted or self._found_msa:
            return
        if not self._is_configured:
            self.is_trusted = self.is_internal = relay.is_private or bool(relay.auth)
        elif not relay.auth and not _is_in(relay.ip, self._trusted):
            self.is_trusted = self.is_internal = False
        else:
            if self.is_internal and not relay.auth and not _is_in(relay.ip, self._internal):
                self.is_internal = False
            if _is_in(relay.ip, self._msa):
                self._found_msa = relay.is_msa = True


def relays(values: Sequence[bytes], originating: Sequence[bytes], site: Site) -> Relays:
    """The relays of a message.

    Args: values: decoded Received fields, top first; originating: addresses of X-Originating-IP and the like.
    Cost: linear in the fields, at most MAX_RELAYS of them.
    """
    found = Relays()
    trust = _Trust(site)
    sender: bytes | None = None  # qmail-scanner tells the envelope sender in a field of its own
    may_fetch = True
    parse = hops().read
    lines = [*values[:MAX_RELAYS], *(b"from X-Originating-IP: " + address for address in originating)]
    for line in lines:
        came = parse(line)
        handed, sender = sender, None
        if not isinstance(came, Relay) and came == ASK:
            came, sender = _asked(line)
        if isinstance(came, Relay):
            if handed:
                came.envelope_from = handed
            trust.pass_on(came)
            may_fetch = is_trusted = trust.is_trusted
            came.is_internal = is_internal = trust.is_internal
            (found.trusted if is_trusted else found.untrusted).append(came)
            (found.internal if is_internal else found.external).append(came)
        elif came == UNREAD:
            found.n_unparseable += 1
        elif came == FETCHED and may_fetch:
            found.trusted, found.internal, found.external = [], [], []
        found.last_trusted += trust.is_trusted
        found.last_internal += trust.is_internal
    return found


def _asked(line: bytes) -> tuple[Relay | int, bytes | None]:
    """What a field of a rare form says, and the envelope sender of the field below when it tells that."""
    parsed = read(line)
    if parsed is None:
        return UNREAD, None
    if parsed.is_scanner and parsed.envelope_from is not None:
        return SKIPPED, _safe_sender(parsed.envelope_from)
    if parsed.is_skipped:
        return FETCHED if parsed.is_fetched else SKIPPED, None
    return relay_of(parsed), None


def relay_of(parsed: Found) -> Relay:
    """What a field says as relays are kept."""
    rdns = parsed.rdns.rstrip(b".")
    if _UNKNOWN.match(rdns) or rdns.startswith(b"["):
        rdns = b""
    ip = _plain_ip(parsed.ip)
    sender = None if parsed.envelope_from is None else _safe_sender(parsed.envelope_from)
    return Relay(
        ip, _safe(rdns), _safe(parsed.helo), _safe(parsed.by.removesuffix(b";")), _safe(parsed.ident), sender,
        parsed.id, parsed.auth, has_no_rdns=not rdns and parsed.looked_up, is_private=is_private(ip),
    )  # fmt: skip


def _plain_ip(ip: bytes) -> bytes:
    """Without what may stand around an address, and as IPv4 when it is one mapped to IPv6."""
    if ip[:5].lower() == b"ipv6:":
        ip = ip[5:]
    ip = _SCOPE.sub(b"", ip.removeprefix(b"[").removesuffix(b"]"))
    return _UNSAFE.sub(b"!", _MAPPED.sub(rb"\1", ip))


def _safe(text: bytes) -> bytes:
    return _UNSAFE.sub(b"!", text) if text else text


def _safe_sender(text: bytes) -> bytes:
    return _UNSAFE.sub(b"!", text.strip().lstrip(b"<").rstrip(b">").rstrip())


def _settings(site: Site) -> tuple[bool, Networks, Networks, Networks]:
    """Whether any networks are configured, and the trusted, internal and submission ones."""
    kept = site.memo.get("networks")
    if kept is None:
        trusted, internal = networks(site, "trusted_networks"), networks(site, "internal_networks")
        is_configured = trusted is not None or internal is not None
        msa = networks(site, "msa_networks") or ()
        kept = site.memo["networks"] = (is_configured, trusted or internal or (), internal or trusted or (), msa)
    return cast(tuple[bool, Networks, Networks, Networks], kept)


def networks(site: Site, key: str) -> Networks | None:
    """The networks of a setting as (is included, network), the loopback first; None when it is not set."""
    words = tuple(site.words(key))
    return _networks(words) if words else None


@lru_cache(maxsize=32)
def _networks(words: tuple[str, ...]) -> Networks:
    found = [(True, ipaddress.ip_network("127.0.0.0/8")), (True, ipaddress.ip_network("::1/128"))]
    for word in words:
        text = word.removeprefix("!").strip("[]")
        if ":" not in text and text.partition("/")[0].rstrip(".").count(".") < 3:  # the first octets of a network
            written, _, bits = text.partition("/")
            octets = [octet for octet in written.split(".") if octet]
            text = ".".join(octets + ["0"] * (4 - len(octets))) + f"/{bits or 8 * len(octets)}"
        try:
            found.append((not word.startswith("!"), ipaddress.ip_network(text, strict=False)))
        except ValueError:
            continue
    return tuple(found)


def _is_in(ip: bytes, known: Networks) -> bool:
    """By the narrowest network that holds the address."""
    try:
        address = ipaddress.ip_address(ip.decode("latin-1"))
    except ValueError:
        return False
    matching = [(network.prefixlen, included) for included, network in known if address in network]
    return bool(matching) and max(matching)[1]
