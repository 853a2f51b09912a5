"""Eval tests of the relays that Received fields tell of (plug-in RelayEval)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.bounded import cache_short
from mxward.core.rules.spamassassin.evaltools import NEVER, evals
from mxward.core.rules.spamassassin.ip import V4, is_private, is_v4

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

_HOST: Final = re.compile(rb"\w[\w.-]+\.\w+\n?\Z", re.A)
_NETWORK: Final = re.compile(rb"(\d+\.\d+)\.\d+\.\d+\n?\Z")
_LETTER: Final = re.compile(rb"[a-zA-Z]")
_LONG_TOP: Final = re.compile(rb"\S{3,}|ie|fr|de")
_BIG_PROVIDER: Final = re.compile(
    rb"(?:\.|^)(?:lycos\.com|lycos\.co\.uk|hotmail\.com|localhost\.com|excite\.com|caramail\.com|cs\.com|aol\.com"
    rb"|msn\.com|yahoo\.com|drizzle\.com)\n?\Z",
    re.I,
)
_HELO: Final = re.compile(rb"\bhelo=(" + V4.pattern + rb")(?=[\0-\x20,;\[()<>]|\Z)", re.I)


def check_for_numeric_helo(texts: TextSet) -> bool:
    """Whether a relay that is not trusted called itself by a public address."""
    found = _HELO.search(texts.relays.text("untrusted") or b"")
    return found is not None and not is_private(found[1])


def helo_ip_mismatch(texts: TextSet) -> bool:
    """Whether a relay called itself by an address of another network than its own."""
    return any(
        relay.helo[:1].isdigit() and is_v4(relay.helo) and not is_private(relay.helo)
        and is_v4(relay.ip) and not relay.is_private
        and relay.helo.rpartition(b".")[0] != relay.ip.rpartition(b".")[0]
        for relay in texts.relays.untrusted
    )  # fmt: skip


def check_all_trusted(texts: TextSet) -> bool:
    """Whether the message came through trusted relays only."""
    relays = texts.relays
    return bool(relays.trusted) and not relays.untrusted and not relays.n_unparseable


def check_no_relays(texts: TextSet) -> bool:
    """Whether no relay is known of."""
    relays = texts.relays
    return not (relays.trusted or relays.untrusted or relays.n_unparseable)


def check_relays_unparseable(texts: TextSet) -> bool:
    """Whether a Received field cannot be read."""
    return texts.relays.n_unparseable > 0


def check_for_sender_no_reverse(texts: TextSet) -> bool:
    """Whether the first relay has a public address and a name."""
    relays = texts.relays.untrusted
    return bool(relays) and b"." in relays[-1].rdns and not relays[-1].is_private


def check_for_from_domain_in_received_headers(texts: TextSet, domain: str, wanted: str) -> bool:
    """Whether the author claims to be at a domain, and a relay under it handed over to another one, or not."""
    name = domain.encode()
    if not re.search(rb"\b" + re.escape(name), texts.headers.first("From:addr"), re.I):
        return False
    relays = texts.relays
    lists = (relays.text("trusted") or b"") + b"\n" + (relays.text("untrusted") or b"")
    found = re.search(rb" rdns=\S*\b" + re.escape(name) + rb" [^\]]*by=\S*\b" + re.escape(name) + rb" ", lists)
    return (found is not None) == (wanted == "true")


def check_for_no_rdns_dotcom_helo(texts: TextSet) -> bool:
    """Whether the last public relay called itself one of the large providers and has no name."""
    last = next((relay for relay in reversed(texts.relays.untrusted) if not relay.is_private), None)
    return last is not None and last.has_no_rdns and _BIG_PROVIDER.search(last.helo) is not None


def check_for_forged_received_trail(texts: TextSet) -> bool:
    """Whether two hand-overs or more do not fit together by name."""
    return len(texts.relays.untrusted) > 2 and _misfits(texts) > 1


def check_for_forged_received_ip_helo(texts: TextSet) -> bool:
    """Whether a relay called itself by an address far from its own."""
    return any(
        _is_far(relay.helo.lower(), relay.ip) and _HOST.match(_domain(relay.by.lower()))
        for relay in texts.relays.untrusted
    )


def _misfits(texts: TextSet) -> int:
    """How many relays got the message from a host of another domain than wrote the field before."""
    count = 0
    before: bytes | None = None
    for number, relay in enumerate(texts.relays.untrusted):
        by, name = _domain(relay.by.lower()), _domain(relay.rdns.lower())
        if number and before and by != before and _HOST.match(before) and _HOST.match(by):
            count += not (by == b"msn.com" and before == b"hotmail.com")
        is_itself = relay.ip == b"127.0.0.1" and name in (b"localhost", b"localhost.localdomain")
        before = None if is_itself and _HOST.match(by) else name
    return count


def _is_far(helo: bytes, ip: bytes) -> bool:
    if not helo[:1].isdigit():
        return False
    claimed, actual = _NETWORK.match(helo), _NETWORK.match(ip)
    return bool(claimed and actual and claimed[1] != actual[1] and not is_private(helo))


@cache_short(1024)
def _domain(host: bytes) -> bytes:
    """The last two labels of a name, or three when the last is a country's."""
    labels = host.rsplit(b".", 3)
    top = labels[-1]
    if len(labels) == 1 or not (top.isalpha() or _LETTER.search(host)):
        return host
    if _LONG_TOP.search(top):
        return b".".join(labels[-2:])
    return b".".join(labels[-3:])


TABLE: Final = evals(
    check_for_numeric_helo, helo_ip_mismatch, check_all_trusted, check_no_relays, check_relays_unparseable,
    check_for_sender_no_reverse, check_for_from_domain_in_received_headers, check_for_no_rdns_dotcom_helo,
    check_for_forged_received_trail, check_for_forged_received_ip_helo,
) | {"check_for_illegal_ip": NEVER}  # fmt: skip
