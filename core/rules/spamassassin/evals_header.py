"""Eval tests of header fields: what is in them, how many there are (plug-in HeaderEval, first part)."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.domains import is_known, registered_domain
from mxward.core.rules.spamassassin.evals_mime import CASELESS
from mxward.core.rules.spamassassin.evaltools import (
    NEVER,
    NOT_ZERO,
    Bound,
    Eval,
    alone,
    evals,
    from_below,
    from_to,
    hinted,
    is_border,
    keep,
    measured,
    number,
    people,
    stands_in,
)
from mxward.core.rules.spamassassin.headers import field_key
from mxward.pyx.sacount import count_illegal
from mxward.pyx.sahint import CALLED, CAPITALS, ILLEGAL, IN_SENDER, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mxward.core.rules.spamassassin.texts import TextSet

_CONTROLS: Final = bytes((*range(9), 11, 12, *range(14, 32)))
_EXEMPT: Final = b"\xa2\xa3\xae"  # one cent, pound or registered sign is let pass in a Subject
_PREFIXES: Final = re.compile(rb"(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\s*)+", re.I)
_SPACE: Final = re.compile(rb"\s")
_BEFORE_NAME: Final = re.compile(rb"(?:(?:re|fw):\s*(?:\w+\s+)?)?")
_BEHIND_NAME: Final = re.compile(rb"\s*[,:;!?-](?:$|\s)")
_COMMA: Final = re.compile(rb",\s*")
_MARKS: Final = (b",", b":", b";", b"!", b"?", b"-")
_MSN_GROUPS: Final = re.compile(rb"from groups\.msn\.com \(\S+\.msn\.com ")
_EZMLM: Final = re.compile(rb"^contact \S{1,320}@\S{1,255}; run by ezmlm$", re.M)
_MAILING_LIST: Final = re.compile(rb"^mailing list \S+@\S+", re.M)
_QUOTED_BEFORE: Final = re.compile(rb'"[^"]+"\Z')
_WORD_CHARSET: Final = re.compile(rb"=\?" + CASELESS.pattern + rb"\?", re.I)
_TEMPLATE: Final = re.compile(rb"%[A-Z][A-Z_-]")
_MAY_HAVE_TEMPLATE: Final = re.compile(
    rb"(?:X-VMS-To|X-UIDL|X-Face|To|Cc|From|Subject|References|In-Reply-To|(?:X-|Resent-|X-Original-)?Message-Id):",
    re.I,
)
_RATWARE_ID: Final = re.compile(rb"<[A-Z]{28}\.([^>]+?)>")
_SRS: Final = re.compile(rb"SRS\d[=+-]", re.I)
_QMAIL: Final = re.compile(rb"qmail \d+ invoked (?:from network|by .{3,20})\); \d+ ... \d+")
SORTED: Final = 7  # recipients in alphabetical order that stand out
SIMILAR: Final = 5  # recipients that are compared with each other
MAX_RECIPIENTS: Final = 256


def check_illegal_chars(name: str, ratio: str, low: str) -> Bound:
    """Whether a raw field has so many characters that should have been encoded."""
    raw = name if name.endswith(":raw") else f"{name}:raw"
    least, fewest = number(ratio), number(low)
    is_written = raw == "ALL:raw" or bool(field_key(name.partition(":")[0]))  # and not made of decoded fields
    needs = _IS_ILLEGAL if is_written and (least > 0 or fewest > 0) else None
    return Bound(_illegal, (raw, least, fewest), NOT_ZERO, needs)


def _illegal(
    texts: TextSet, keys: Iterable[tuple[str, float, float]]
) -> Iterable[tuple[tuple[str, float, float], float]]:
    return [(key, 1) for key in keys if _is_illegal(texts, *key)]


def _is_illegal(texts: TextSet, name: str, ratio: float, low: float) -> bool:
    value = texts.pristine_header.removesuffix(b"\n\n") if name == "ALL:raw" else texts.headers.first(name)
    illegal = count_illegal(value)
    if not illegal:
        return ratio <= 0 and low <= 0 and bool(value.strip())
    if not value.strip():
        return False
    if not value.isascii() and _is_utf8(value) and value.translate(None, _CONTROLS) == value:
        return False
    if name.lower() == "subject:raw" and len(value) - len(value.translate(None, _EXEMPT)) == 1:
        illegal -= 1
    return illegal / len(value) >= ratio and illegal >= low


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def check_for_matching_env_and_hdr_from(texts: TextSet) -> bool:
    """Whether author and envelope sender are the same."""
    author, sender, _ = people(texts)
    return author == sender


def sorted_recipients(texts: TextSet) -> bool:
    """Whether many recipients stand in alphabetical order."""
    return keep(texts, "recipient_facts", _recipient_facts)[0]


def similar_recipients(low: str, high: str) -> Bound:
    """Whether so large a share of pairs of recipients begin alike."""
    least = -inf if low == "undef" else number(low)
    return Bound(_SIMILAR_SHARE, "", from_to(least, inf) if high == "undef" else from_below(least, number(high)))


def _recipient_facts(texts: TextSet) -> tuple[bool, float]:
    fields = texts.nodes[0].fields
    if sum(value.count(b"@") for name in (b"to", b"cc", b"bcc") for value in fields.raw(name)) < SIMILAR:
        return False, 0.0  # each address has one
    listed: list[bytes] = []
    for name in ("ToCc:addr", "Bcc:addr"):
        listed += texts.headers.values(name)
        if len(listed) >= SIMILAR:
            break
    kept: list[bytes] = []
    for address in listed:
        if not address or len(kept) == MAX_RECIPIENTS:
            break
        if not kept or kept[-1].lower() != address.lower():
            kept.append(address)
    is_sorted = len(kept) >= SORTED and kept == sorted(kept)
    if len(kept) < SIMILAR:
        return is_sorted, 0.0
    hosts = [address.partition(b"@")[2] for address in kept]
    hits = 0
    for i, address in enumerate(kept):
        for j in range(i + 1, len(kept)):
            hits += address[:2] == kept[j][:2]
            hits += hosts[i][:2] == hosts[j][:2] and hosts[i] != hosts[j]
    return is_sorted, hits / (len(kept) * (len(kept) - 1) / 2)


def check_for_missing_to_header(texts: TextSet) -> bool:
    """Whether there is no To."""
    return not (texts.headers.first("To") or texts.headers.first("Apparently-To"))


def subject_is_all_caps(texts: TextSet) -> bool:
    """Whether a Subject of several words has capitals only."""
    subject = texts.headers.first("Subject").strip()
    colon = subject.rfind(b":") + 1
    if subject[colon:] != subject[colon:].upper():  # a small letter that no prefix has
        return False
    if colon:
        subject = _PREFIXES.sub(b"", subject, count=1)
    if not subject.isupper():  # no letter, or a small one
        return False
    if len(subject) < 10 or not _SPACE.search(subject):
        return False
    return _WORD_CHARSET.search(texts.headers.first("Subject:raw")) is None


def check_for_to_in_subject(texts: TextSet, what: str) -> bool:
    """Whether the recipient's address ("address") or its local part ("user") stands in the Subject."""
    address, subject = people(texts).recipient, texts.headers.first("Subject")
    lower = subject.lower()
    if not address or address.partition(b"@")[0] not in lower:
        return False
    if what == "address":
        return stands_in(address, lower)
    return what == "user" and _is_called(texts.headers.first("To:addr").partition(b"@")[0], subject, lower)


def _is_called(user: bytes, subject: bytes, lower: bytes) -> bool:
    """Whether a Subject is a name alone, or has it where one is called by it."""
    if subject.startswith(user) and _BEHIND_NAME.match(subject, len(user)):
        return True
    name = user.lower()
    for whole in {lower, lower.removesuffix(b"\n")}:
        if whole.endswith(name) and _BEFORE_NAME.fullmatch(whole, 0, len(whole) - len(name)):
            return True
        called = whole[:-1] if whole[-1:] in _MARKS else b""
        if called.endswith(name) and _COMMA.fullmatch(called, 0, len(called) - len(name)):
            return True
    return False


def check_messageid_not_usable(texts: TextSet) -> bool:
    """Whether software on the way is known to change Message-IDs."""
    first = texts.headers.first
    if re.search(rb"<mailto:(?:leave-\S+|\S+-unsubscribe)@\S+>$", first("List-Unsubscribe")[:4096], re.I):
        return True
    received = first("Received")
    return has_lost_received(texts) or b"/CWT/DCE)" in received or b"iPlanet Messaging Server" in received


def has_lost_received(texts: TextSet) -> bool:
    """Whether a list server took Received fields off, or there are none."""
    first = texts.headers.first
    received = first("Received")
    if not received:
        return True
    if b"from groups.msn.com (" in received and _MSN_GROUPS.search(received):
        return True
    return (
        b"mailing-list" in texts.nodes[0].fields.names
        and _EZMLM.search(first("Mailing-List")) is not None
        and _MAILING_LIST.search(first("Delivered-To")) is not None
        and _QMAIL.search(received) is not None
    )


def check_header_count_range(texts: TextSet, name: str, low: str, high: str) -> bool:
    """Whether there are so many fields of a name with different values."""
    count = len(set(texts.nodes[0].fields.values(name.lower().encode())))
    return number(low) <= count <= number(high)


def check_unresolved_template(texts: TextSet) -> bool:
    """Whether a field still has a placeholder of a mailing program."""
    everything = texts.headers.first("ALL")
    if b"%" not in everything or not _TEMPLATE.search(everything):
        return False
    return any(_TEMPLATE.search(line) and not _MAY_HAVE_TEMPLATE.match(line) for line in everything.split(b"\n"))


def check_ratware_name_id(texts: TextSet) -> bool:
    """Whether a Message-ID of a certain form ends in the author's address."""
    found = _RATWARE_ID.search(texts.headers.first("MESSAGEID"))
    if found is None:
        return False
    author, address = texts.headers.first("From"), b"<%b>" % found[1]
    at = author.find(address)
    while at >= 0:
        if _QUOTED_BEFORE.search(author[:at].rstrip()):
            return True
        at = author.find(address, at + 1)
    return False


def check_ratware_envelope_from(texts: TextSet) -> bool:
    """Whether the envelope sender holds the recipient's domain and local part."""
    _, sender, recipient = people(texts)
    user, sign, domain = recipient.partition(b"@")
    if not sender or not user or not sign or not domain or user + b"@" not in sender or _SRS.match(sender):
        return False
    domain = registered_domain(domain, texts.site)
    if not is_known(domain, texts.site):
        return False
    at_domain = sender.find(domain)
    while at_domain >= 0:
        end = at_domain + len(domain)
        if (
            sender.startswith(user + b"@", end + 1)
            and sender[end : end + 1] != b"\n"
            and all(is_border(sender, at) for at in (at_domain, end, end + 1 + len(user)))
        ):
            return True
        at_domain = sender.find(domain, at_domain + 1)
    return False


def check_equal_from_domains(texts: TextSet) -> bool:
    """Whether author and envelope sender are of different second-level domains."""
    author, sender, _ = people(texts)
    if not author or not sender:
        return False
    author, sender = _second_level(author), _second_level(sender)
    return bool(author and sender) and author != sender


def _second_level(address: bytes) -> bytes:
    _, at, host = address.rpartition(b"@")
    if not at:
        return b""
    labels = host.rsplit(b".", 2)
    return b".".join(labels[1:]) if len(labels) == 3 and all(labels) else host


_SIMILAR_SHARE: Final = alone(lambda texts: keep(texts, "recipient_facts", _recipient_facts)[1])
_IS_ILLEGAL: Final = hinted(ILLEGAL)
TABLE: Final = (
    measured(similar_recipients, check_illegal_chars)
    | evals(
        check_for_matching_env_and_hdr_from, sorted_recipients, check_for_missing_to_header,
        check_messageid_not_usable, check_header_count_range, check_ratware_name_id, check_equal_from_domains,
    )
    | evals(subject_is_all_caps, needs=hinted(CAPITALS))
    | evals(check_for_to_in_subject, needs=hinted(CALLED))
    | evals(check_unresolved_template, needs=hinted(TEMPLATE))
    | evals(check_ratware_envelope_from, needs=hinted(IN_SENDER))
    | {
        "gated_through_received_hdr_remover": Eval(has_lost_received),
        "check_for_faraway_charset_in_headers": NEVER, "check_for_unique_subject_id": NEVER,
    }
)  # fmt: skip
