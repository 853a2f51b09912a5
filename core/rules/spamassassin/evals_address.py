"""Eval tests of authors and recipients against lists (plug-ins WLBLEval and WelcomeListSubject), and whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.addresses import is_host
from mxward.core.rules.spamassassin.domains import registered_domain
from mxward.core.rules.spamassassin.evaltools import Eval, keep

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.received import Relay
    from mxward.core.rules.spamassassin.texts import TextSet

_AUTHORS: Final = (
    "From:addr",
    "Envelope-Sender:addr",
    "Resent-Sender:addr",
    "X-Envelope-From:addr",
    "EnvelopeFrom:addr",
)
_RECIPIENTS: Final = (
    "To:addr", "Apparently-To:addr", "Delivered-To:addr", "Envelope-Recipients:addr", "Apparently-Resent-To:addr",
    "X-Envelope-To:addr", "Envelope-To:addr", "X-Delivered-To:addr", "X-Original-To:addr", "X-Rcpt-To:addr",
    "X-Real-To:addr", "Cc:addr",
)  # fmt: skip
_FOR: Final = re.compile(rb" for <?(\S+@(\S+?))>?;")
_DOTS: Final = re.compile(rb"\.\.+")
_DOMAIN: Final = re.compile(rb"@([^@]+\.[^@]+)\Z")
_LITERAL: Final = re.compile(rb"\[(.*)\](/\d{1,3})?", re.S)


def authors(texts: TextSet) -> list[bytes]:
    """Every address that may be the author's, each once."""
    return keep(texts, "authors", _authors)


def _authors(texts: TextSet) -> list[bytes]:
    values = texts.headers.values
    resent = values("Resent-From:first:addr")
    if resent:
        return list(dict.fromkeys(resent))
    found = [_DOTS.sub(b".", address) for name in _AUTHORS for address in values(name) if address]
    return list(dict.fromkeys(found))


def recipients(texts: TextSet) -> list[bytes]:
    """Every address that may be a recipient's, each once."""
    return keep(texts, "recipients", _recipients)


def _recipients(texts: TextSet) -> list[bytes]:
    values = texts.headers.values
    resent = [*values("Resent-To:first:addr"), *values("Resent-Cc:first:addr")]
    if resent:
        return list(dict.fromkeys(resent))
    handed = [match for line in values("Received")[:3] if (match := _FOR.search(line)) and is_host(match[2])]
    found = [match[1] for match in handed]
    found += [address for name in _RECIPIENTS for address in values(name)]
    return list(dict.fromkeys(found))


def _from_in(*keys: str) -> Callable[[TextSet], bool]:
    def run(texts: TextSet) -> bool:
        known = texts.site.listed(*keys)
        return bool(known) and any(known.has(address) for address in authors(texts))

    return run


def _to_in(*keys: str) -> Callable[[TextSet], bool]:
    def run(texts: TextSet) -> bool:
        known = texts.site.listed(*keys)
        return bool(known) and any(known.has(address) for address in recipients(texts))

    return run


def _subject_in(*keys: str) -> Callable[[TextSet], bool]:
    def run(texts: TextSet) -> bool:
        known = texts.site.listed(*keys)
        return bool(known) and known.has(texts.headers.first("Subject").strip(b"\n"))

    return run


def check_from_in_list(texts: TextSet, name: str) -> bool:
    """Whether an author is in a named list."""
    known = texts.site.named_lists.get(name)
    return known is not None and any(known.has(address) for address in authors(texts))


def check_to_in_list(texts: TextSet, name: str) -> bool:
    """Whether a recipient is in a named list."""
    known = texts.site.named_lists.get(name)
    return known is not None and any(known.has(address) for address in recipients(texts))


def check_replyto_in_list(texts: TextSet, name: str) -> bool:
    """Whether the address of Reply-To is in a named list."""
    known, address = texts.site.named_lists.get(name), texts.headers.first("Reply-To:addr")
    return known is not None and bool(address) and known.has(address)


def check_from_in_welcomelist(texts: TextSet) -> bool:
    """Whether an author is welcome, by address or by address and relay."""
    known = texts.site.listed("welcomelist_from", "whitelist_from")
    if known and any(known.has(address) for address in authors(texts)):
        return True
    return _is_relayed(texts, "welcomelist_from_rcvd")


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
    sender = _DOMAIN.search(texts.headers.first("EnvelopeFrom:addr"))
    if sender is None:
        return False
    domain = registered_domain(sender[1], texts.site)
    return any(relay.rdns and registered_domain(relay.rdns, texts.site) == domain for relay in _last_relays(texts))


TABLE: Final = {
    run.__name__: Eval(run)
    for run in (
        check_from_in_list, check_to_in_list, check_replyto_in_list, check_from_in_welcomelist,
        check_from_in_default_welcomelist, check_mailfrom_matches_rcvd,
    )
} | {
    "check_from_in_whitelist": Eval(check_from_in_welcomelist),
    "check_from_in_default_whitelist": Eval(check_from_in_default_welcomelist),
    **dict.fromkeys(
        ("check_from_in_blocklist", "check_from_in_blacklist"), Eval(_from_in("blocklist_from", "blacklist_from"))
    ),
    **dict.fromkeys(("check_to_in_blocklist", "check_to_in_blacklist"), Eval(_to_in("blocklist_to", "blacklist_to"))),
    **dict.fromkeys(
        ("check_to_in_welcomelist", "check_to_in_whitelist"), Eval(_to_in("welcomelist_to", "whitelist_to"))
    ),
    "check_to_in_more_spam": Eval(_to_in("more_spam_to")),
    "check_to_in_all_spam": Eval(_to_in("all_spam_to")),
    **dict.fromkeys(
        ("check_subject_in_welcomelist", "check_subject_in_whitelist"),
        Eval(_subject_in("welcomelist_subject", "whitelist_subject")),
    ),
    **dict.fromkeys(
        ("check_subject_in_blocklist", "check_subject_in_blacklist"),
        Eval(_subject_in("blocklist_subject", "blacklist_subject")),
    ),
}  # fmt: skip
