"""Eval tests of mail that claims to come from one of the large providers (plug-in HeaderEval, second part)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.evals_header import has_lost_received
from mxward.core.rules.spamassassin.evaltools import evals, flat, hinted, is_border, keep, people
from mxward.core.rules.spamassassin.ip import ADDRESS
from mxward.pyx.sahint import GROUPS, HOTMAIL, RELAY

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

_PROVIDERS: Final = (b"hotmail.com", b"eudoramail.com", b"yahoo.com", b"juno.com", b"gmail.com")
_IP: Final = ADDRESS.pattern
_RELAY: Final = re.compile(rb" rly-[a-z][a-z]\d\d\.", re.I)
MAX_RECEIVED: Final = 30_000  # bytes of all Received fields together that are looked at
GOOGLE_LENGTH: Final = 60  # bytes of Google's own marks


def _raw_received(texts: TextSet) -> bytes:
    return keep(texts, "received", lambda texts: texts.headers.first("Received")[:MAX_RECEIVED])


def _received(texts: TextSet) -> bytes:
    """All Received fields as one line."""
    return keep(texts, "received_line", lambda texts: flat(_raw_received(texts)))


def _is_from(texts: TextSet, domain: bytes) -> bool:
    """Whether the author's address ends in a domain, given in lower case, where a word begins."""
    author = people(texts).author
    return author.endswith(domain) and is_border(author, len(author) - len(domain))


def _has_ip(texts: TextSet, name: str) -> bool:
    return ADDRESS.search(texts.headers.first(name)) is not None


def check_for_fake_aol_relay_in_rcvd(texts: TextSet) -> bool:
    """Whether a name of an AOL relay stands in Received without what such relays write."""
    if b"rly-" not in _raw_received(texts).lower():
        return False
    received = _received(texts)
    if not _RELAY.search(received):
        return False
    return not (
        re.search(rb"/AOL-\d+\.\d+\.\d+\)", received) or re.search(rb"ESMTP id (?:RELAY|MAILRELAY|MAILIN)", received)
    )


_HOTMAIL_ADDRESS: Final = tuple(
    re.compile(source, re.A)
    for source in (
        rb"from (?:\S*\.)?hotmail.com \(\S+\.hotmail(?:\.msn)?\.com[ )]",
        rb"from \S*\.hotmail.com \(\[" + _IP + rb"\][ ):]",
        rb"from \S+ by \S+\.hotmail(?:\.msn)?\.com with HTTP;",
        rb"from \[66\.218.\S+\] by \S+\.yahoo\.com",
    )
)
_HOTMAIL_ORIGIN: Final = (
    re.compile(rb"from \S*\.outbound\.protection\.outlook\.com \(\S+\.outbound\.protection\.outlook\.com[ )]"),
    re.compile(rb"from \S*\.(?:eur|nam)prd\d+\.prod\.outlook\.com \((?i:" + _IP + rb")\)"),
)
_SAYS_HOTMAIL: Final = re.compile(rb"(?:from |HELO |helo=)\S*hotmail\.com\b")


def _hotmail(texts: TextSet) -> tuple[bool, bool]:
    """(a relay called itself Hotmail and is not, the author claims to be there and no relay does)."""
    if b"hotmail.com" not in _raw_received(texts) and not _is_from(texts, b"hotmail.com"):
        return False, False
    received = _received(texts)
    if b"from mail pickup service by hotmail.com with Microsoft SMTPSVC;" in received:
        return False, False
    if check_for_msn_groups_headers(texts) or has_lost_received(texts):
        return False, False
    first = texts.headers.first
    if _has_ip(texts, "X-Originating-Ip") and any(known.search(received) for known in _HOTMAIL_ADDRESS):
        return False, False
    origin = re.search(rb"hotmail\.com|msonline-outlook", first("X-OriginatorOrg"))
    if origin and any(known.search(received) for known in _HOTMAIL_ORIGIN):
        return False, False
    if _SAYS_HOTMAIL.search(received):
        return True, False
    return False, _is_from(texts, b"hotmail.com")


def check_for_forged_hotmail_received_headers(texts: TextSet) -> bool:
    """Whether a relay called itself Hotmail and is not."""
    return keep(texts, "hotmail", _hotmail)[0]


def check_for_no_hotmail_received_headers(texts: TextSet) -> bool:
    """Whether the author claims to be at Hotmail and no relay does."""
    return keep(texts, "hotmail", _hotmail)[1]


def check_for_msn_groups_headers(texts: TextSet) -> bool:
    """Whether this came through MSN Groups."""
    first = texts.headers.first
    if b"groups.msn.com" not in first("Received"):
        return False
    group = re.search(rb"<(\S+)@groups\.msn\.com>", first("To")[:4096], re.I)
    server = re.search(rb"from mail pickup service by ((?:p\d\d\.)groups\.msn\.com)\b", first("Received"))
    if group is None or server is None:
        return False
    if group[1] == b"notifications":
        return re.match(rb"<\S+@" + re.escape(server[1]) + rb">", first("Message-Id")) is not None
    name = re.escape(group[1])
    return bool(
        re.match(rb"<" + name + rb"-\S+@groups\.msn\.com>", first("Message-Id"))
        and re.search(name + rb"-bounce@groups\.msn\.com", first("EnvelopeFrom:addr"))
    )


def check_for_forged_eudoramail_received_headers(texts: TextSet) -> bool:
    """Whether the author claims to be at Eudoramail and the fields do not say so."""
    if not _is_from(texts, b"eudoramail.com") or has_lost_received(texts):
        return False
    return not (re.search(rb"by \S*whowhere.com;", _received(texts)) and _has_ip(texts, "X-Sender-Ip"))


_YAHOO: Final = tuple(
    re.compile(source)
    for source in (
        rb"by web\S+\.mail\S*\.yahoo\.com via HTTP", rb"by sonic\S+\.consmr\.mail\S*\.yahoo\.com with HTTP",
        rb"by smtp\S+\.yahoo\.com with SMTP",
        rb"from \[(?i:" + _IP + rb")\] by \S+\.(?:groups|scd|dcn)\.yahoo\.com with NNFMP",
        rb"by \w+\.\w+\.yahoo\.com \(\d+\.\d+\.\d+/\d+\.\d+\.\d+\)(?: with ESMTP)? id \w+",
    )
)  # fmt: skip


def check_for_forged_yahoo_received_headers(texts: TextSet) -> bool:
    """Whether the author claims to be at Yahoo and the fields do not say so."""
    if not _is_from(texts, b"yahoo.com"):
        return False
    first = texts.headers.first
    received = _received(texts)
    if first("Resent-From") and first("Resent-To") and first("X-Received"):
        received = flat(first("X-Received")[:MAX_RECEIVED])
    if has_lost_received(texts):
        return False
    trusted, untrusted = texts.relays.trusted, texts.relays.untrusted[:1]
    if any(relay.rdns.endswith(b".yahoo.com") for relay in [*trusted, *untrusted]):
        return False
    if re.search(rb"\bmailer\d+\.bulk\.scd\.yahoo\.com\b", received) and _is_from(texts, b"@reply.yahoo.com"):
        return False
    return not any(known.search(received) for known in _YAHOO)


def check_for_forged_juno_received_headers(texts: TextSet) -> bool:
    """Whether the author claims to be at Juno and the fields do not say so."""
    if not _is_from(texts, b"juno.com") or has_lost_received(texts):
        return False
    first = texts.headers.first
    received, mailer = first("Received")[:MAX_RECEIVED], first("X-Mailer")
    if first("X-Originating-IP"):
        relayed = re.search(rb"from.*\b(?:juno|untd)\.com.*[\[(](?i:" + _IP + rb")[\])].*by", received)
        known = relayed or re.search(rb" cookie\.(?:juno|untd)\.com ", received)
        return not known or b"Juno " not in mailer
    if re.search(rb"from.*\bmail\.com.*\[(?i:" + _IP + rb")\].*by", received):
        return re.search(rb"\bmail\.com", mailer) is None or not _has_ip(texts, "X-Originating-IP")
    return True


def check_for_forged_gmail_received_headers(texts: TextSet) -> bool:
    """Whether the author claims to be at Gmail and the fields do not say so."""
    if not _is_from(texts, b"gmail.com"):
        return False
    first = texts.headers.first
    marks = (first("X-Gm-Message-State"), first("X-Google-Smtp-Source"))
    relayed = first("X-Received")
    return not (
        re.search(rb"by 10\.\S+ with SMTP id \S+", relayed)
        or re.search(rb"by 2002:a\d\d:\w+:\S+ with SMTP id \S+", relayed)
        or re.search(rb"by smtp\.googlemail\.com with ESMTPSA id \S+", first("Received"))
        or all(len(mark) >= GOOGLE_LENGTH for mark in marks)
    )


def check_for_forged_gw05_received_headers(texts: TextSet) -> bool:
    """Whether a Received field, not the first, has the form of a certain spam program."""
    date = rb"\S\S\S,\s+\d+\s+\S\S\S\s+\d{4}\s+\d\d:\d\d:\d\d\s+[-+]*\d{4}\n\Z"
    found = re.search(rb"\nfrom\s(\S+)\sby\s(\S+)\swith\sESMTP;\s+" + date, texts.headers.first("Received"))
    return found is not None and b"." not in found[2]


def _claims_provider(texts: TextSet) -> bool:
    """Whether the author claims to be at one of those providers, or a relay to be Hotmail's."""
    return people(texts).author.endswith(_PROVIDERS) or bool(_NAMES_HOTMAIL(texts))


_NAMES_HOTMAIL: Final = hinted(HOTMAIL)
TABLE: Final = (
    evals(check_for_forged_gw05_received_headers)
    | evals(check_for_fake_aol_relay_in_rcvd, needs=hinted(RELAY))
    | evals(check_for_msn_groups_headers, needs=hinted(GROUPS))
    | evals(
    check_for_forged_hotmail_received_headers, check_for_no_hotmail_received_headers,
    check_for_forged_eudoramail_received_headers, check_for_forged_yahoo_received_headers,
    check_for_forged_juno_received_headers, check_for_forged_gmail_received_headers, needs=_claims_provider,
))  # fmt: skip
