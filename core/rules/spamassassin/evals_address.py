"""Eval tests of authors and recipients against lists (plug-ins WLBLEval and WelcomeListSubject), and whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.addresses import is_host
from mxward.core.rules.spamassassin.domains import registered_domain
from mxward.core.rules.spamassassin.evaltools import NOT_ZERO, Bound, Eval, evals, keep, measured, people

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet
    from mxward.pyx.sahops import Relay

_AUTHORS: Final = tuple(
    (f"{name}:addr", name.lower().encode())
    for name in ("From", "Envelope-Sender", "Resent-Sender", "X-Envelope-From", "EnvelopeFrom")
)
_RECIPIENTS: Final = tuple(
    (f"{name}:addr", name.lower().encode())
    for name in (
        "To", "Apparently-To", "Delivered-To", "Envelope-Recipients", "Apparently-Resent-To", "X-Envelope-To",
        "Envelope-To", "X-Delivered-To", "X-Original-To", "X-Rcpt-To", "X-Real-To", "Cc",
    )
)  # fmt: skip
_ENVELOPE: Final = b"envelopefrom"  # no field of its own
_FOR: Final = re.compile(rb" for <?(\S{1,320}@(\S{1,255}?))>?;")  # lengths: RFC 5321 4.5.3.1
_DOTS: Final = re.compile(rb"\.\.+")
_LITERAL: Final = re.compile(rb"\[(.*)\](/\d{1,3})?", re.S)


def authors(texts: TextSet) -> list[bytes]:
    """Every address that may be the author's, each once."""
    return keep(texts, "authors", _authors)


def _authors(texts: TextSet) -> list[bytes]:
    names, values = texts.nodes[0].fields.names, texts.headers.values
    resent = values("Resent-From:first:addr") if b"resent-from" in names else []
    if resent:
        return list(dict.fromkeys(resent))
    found = [
        _DOTS.sub(b".", address) if b".." in address else address
        for name, key in _AUTHORS
        if key in names or key == _ENVELOPE
        for address in values(name)
        if address
    ]
    return list(dict.fromkeys(found))


def recipients(texts: TextSet) -> list[bytes]:
    """Every address that may be a recipient's, each once."""
    return keep(texts, "recipients", _recipients)


def _recipients(texts: TextSet) -> list[bytes]:
    names, values = texts.nodes[0].fields.names, texts.headers.values
    resent = [
        address
        for name, key in (("Resent-To:first:addr", b"resent-to"), ("Resent-Cc:first:addr", b"resent-cc"))
        if key in names
        for address in values(name)
    ]
    if resent:
        return list(dict.fromkeys(resent))
    handed = [match for line in values("Received")[:3] if (match := _FOR.search(line)) and is_host(match[2])]
    found = [match[1] for match in handed]
    found += [address for name, key in _RECIPIENTS if key in names for address in values(name)]
    return list(dict.fromkeys(found))


def _are_empty(*keys: str) -> Callable[[Site], bool]:
    return lambda site: not site.listed(*keys)


def _from_in(*keys: str) -> Eval:
    def run(texts: TextSet) -> bool:
        known = texts.site.listed(*keys)
        return any(known.has(address) for address in authors(texts))

    return Eval(run, is_idle=_are_empty(*keys))


def _to_in(*keys: str) -> Eval:
    def run(texts: TextSet) -> bool:
        known = texts.site.listed(*keys)
        return any(known.has(address) for address in recipients(texts))

    return Eval(run, is_idle=_are_empty(*keys))


def _subject_in(*keys: str) -> Eval:
    def run(texts: TextSet) -> bool:
        return texts.site.listed(*keys).has(texts.headers.first("Subject").strip(b"\n"))

    return Eval(run, is_idle=_are_empty(*keys))


def check_from_in_list(name: str) -> Bound:
    """Whether an author is in a named list."""
    return Bound(_lists_of_authors, name, NOT_ZERO)


def _lists_of_authors(texts: TextSet, names: Collection[str]) -> Iterable[tuple[str, float]]:
    site = texts.site
    addresses = [address for address in authors(texts) if site.in_a_named_list.has(address)]
    if not addresses:
        return ()
    lists = site.named_lists
    return [(name, 1) for name in names if name in lists for address in addresses if lists[name].has(address)]


def check_to_in_list(texts: TextSet, name: str) -> bool:
    """Whether a recipient is in a named list."""
    known = texts.site.named_lists.get(name)
    return known is not None and any(known.has(address) for address in recipients(texts))


def check_replyto_in_list(texts: TextSet, name: str) -> bool:
    """Whether the address of Reply-To is in a named list."""
    if b"reply-to" not in texts.nodes[0].fields.names:
        return False
    known, address = texts.site.named_lists.get(name), texts.headers.first("Reply-To:addr")
    return known is not None and bool(address) and known.has(address)


def check_from_in_welcomelist(texts: TextSet) -> bool:
    """Whether an author is welcome, by address or by address and relay."""
    known = texts.site.listed("welcomelist_from", "whitelist_from")
    if known and any(known.has(address) for address in authors(texts)):
        return True
    return _is_relayed(texts, "welcomelist_from_rcvd")


def _has_no_welcome(site: Site) -> bool:
    return not (site.listed("welcomelist_from", "whitelist_from") or site.relayed.get("welcomelist_from_rcvd"))


def check_from_in_default_welcomelist(texts: TextSet) -> bool:
    """Whether an author is welcome by the rule set's own list of addresses and relays."""
    return _is_relayed(texts, "def_welcomelist_from_rcvd")


def _is_relayed(texts: TextSet, name: str) -> bool:
    entries = texts.site.relayed.get(name)
    if not entries:
        return False
    relays = _last_relays(texts)
    lower = [address.lower() for address in authors(texts)]
    return any(
        pattern.match(address) and any(_is_relay(relay, domain) for relay in relays)
        for address in lower
        for pattern, domain in entries
    )


def _is_relay(relay: Relay, domain: bytes) -> bool:
    literal = _LITERAL.fullmatch(domain)
    if literal is None:
        rdns = relay.rdns.lower()
        return rdns == domain or rdns.endswith(b"." + domain)
    if literal[2] is None and literal[1].count(b".") == 3:
        return literal[1] == relay.ip
    return literal[2] is None and relay.ip.startswith(literal[1].rstrip(b".") + b".")


def _last_relays(texts: TextSet) -> Sequence[Relay]:
    """The relay that handed the message over to us; all of ours when it came from none."""
    relays = texts.relays
    return relays.untrusted[:1] or relays.trusted


def check_mailfrom_matches_rcvd(texts: TextSet) -> bool:
    """Whether the relay that handed the message over has a name under the envelope sender's domain."""
    _, at, host = people(texts).sender.rpartition(b"@")
    if not at or b"." not in host[1:-1]:
        return False
    named = [relay.rdns for relay in _last_relays(texts) if relay.rdns]
    if not named:
        return False
    domain = registered_domain(host, texts.site)
    return any(registered_domain(name, texts.site) == domain for name in named)


def _is_unnamed(site: Site, name: str) -> bool:
    return name not in site.named_lists


_WELCOME: Final = Eval(check_from_in_welcomelist, is_idle=_has_no_welcome)
_KNOWN: Final = Eval(
    check_from_in_default_welcomelist, is_idle=lambda site: not site.relayed.get("def_welcomelist_from_rcvd")
)
TABLE: Final = measured(check_from_in_list) | evals(check_mailfrom_matches_rcvd) | {
    "check_to_in_list": Eval(check_to_in_list, is_idle=_is_unnamed),
    "check_replyto_in_list": Eval(check_replyto_in_list, is_idle=_is_unnamed),
    "check_from_in_welcomelist": _WELCOME, "check_from_in_whitelist": _WELCOME,
    "check_from_in_default_welcomelist": _KNOWN, "check_from_in_default_whitelist": _KNOWN,
    **dict.fromkeys(
        ("check_from_in_blocklist", "check_from_in_blacklist"), _from_in("blocklist_from", "blacklist_from")
    ),
    **dict.fromkeys(("check_to_in_blocklist", "check_to_in_blacklist"), _to_in("blocklist_to", "blacklist_to")),
    **dict.fromkeys(("check_to_in_welcomelist", "check_to_in_whitelist"), _to_in("welcomelist_to", "whitelist_to")),
    "check_to_in_more_spam": _to_in("more_spam_to"), "check_to_in_all_spam": _to_in("all_spam_to"),
    **dict.fromkeys(
        ("check_subject_in_welcomelist", "check_subject_in_whitelist"),
        _subject_in("welcomelist_subject", "whitelist_subject"),
    ),
    **dict.fromkeys(
        ("check_subject_in_blocklist", "check_subject_in_blacklist"),
        _subject_in("blocklist_subject", "blacklist_subject"),
    ),
}  # fmt: skip
