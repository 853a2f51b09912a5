"""Eval tests of header fields: what is in them, how many there are (plug-in HeaderEval, first part)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.domains import is_known, registered_domain
from mxward.core.rules.spamassassin.evals_mime import CASELESS
from mxward.core.rules.spamassassin.evaltools import Eval, keep, number

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

_CONTROLS: Final = bytes((*range(9), 11, 12, *range(14, 32)))
_ILLEGAL: Final = _CONTROLS + bytes(range(0x7F, 0x100))
_EXEMPT: Final = b"\xa2\xa3\xae"  # one cent, pound or registered sign is let pass in a Subject
_PREFIXES: Final = re.compile(rb"(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\s*)+", re.I)
_NOT_LETTERS: Final = bytes(set(range(256)) - set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_WORD_CHARSET: Final = re.compile(rb"=\?" + CASELESS.pattern + rb"\?", re.I)
_TEMPLATE: Final = re.compile(rb"%[A-Z][A-Z_-]")
_MAY_HAVE_TEMPLATE: Final = re.compile(
    rb"(?:X-VMS-To|X-UIDL|X-Face|To|Cc|From|Subject|References|In-Reply-To|(?:X-|Resent-|X-Original-)?Message-Id):",
    re.I,
)
_RATWARE_ID: Final = re.compile(rb"<[A-Z]{28}\.([^>]+?)>")
_SECOND_LEVEL: Final = re.compile(rb"^.+\.([^.]+\.[^.]+)$", re.S)
_SRS: Final = re.compile(rb"SRS\d[=+-]", re.I)
_QMAIL: Final = re.compile(rb"qmail \d+ invoked (?:from network|by .{3,20})\); \d+ ... \d+")
SORTED: Final = 7  # recipients in alphabetical order that stand out
SIMILAR: Final = 5  # recipients that are compared with each other
MAX_RECIPIENTS: Final = 256


def check_illegal_chars(texts: TextSet, name: str, ratio: str, low: str) -> bool:
    """Whether a raw field has so many characters that should have been encoded."""
    name = name if name.endswith(":raw") else f"{name}:raw"
    value = texts.pristine_header.removesuffix(b"\n\n") if name == "ALL:raw" else texts.headers.first(name)
    if value.isascii() and value.translate(None, _CONTROLS) == value and b"\x7f" not in value:
        return bool(value.strip()) and number(ratio) <= 0 and number(low) <= 0
    if not value.strip():
        return False
    if not value.isascii() and _is_utf8(value) and value.translate(None, _CONTROLS) == value:
        return False
    illegal = len(value) - len(value.translate(None, _ILLEGAL))
    if illegal and name.lower() == "subject:raw" and len(value) - len(value.translate(None, _EXEMPT)) == 1:
        illegal -= 1
    return illegal / len(value) >= number(ratio) and illegal >= number(low)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def check_for_faraway_charset_in_headers(texts: TextSet) -> bool:
    """Never: which charsets belong to which languages is not known here; the default is that all are welcome."""
    return False


def check_for_unique_subject_id(texts: TextSet) -> bool:
    """Never, as in SpamAssassin 4."""
    return False


def check_for_matching_env_and_hdr_from(texts: TextSet) -> bool:
    """Whether author and envelope sender are the same."""
    first = texts.headers.first
    return first("EnvelopeFrom:addr").lower() == first("From:addr").lower()


def sorted_recipients(texts: TextSet) -> bool:
    """Whether many recipients stand in alphabetical order."""
    return keep(texts, "recipient_facts", _recipient_facts)[0]


def similar_recipients(texts: TextSet, low: str, high: str) -> bool:
    """Whether so large a share of pairs of recipients begin alike."""
    share = keep(texts, "recipient_facts", _recipient_facts)[1]
    return (low == "undef" or share >= number(low)) and (high == "undef" or share < number(high))


def _recipient_facts(texts: TextSet) -> tuple[bool, float]:
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
    subject = _PREFIXES.sub(b"", texts.headers.first("Subject").strip(), count=1)
    if len(subject) < 10 or not re.search(rb"\s", subject):
        return False
    letters = subject.translate(None, _NOT_LETTERS)
    if _WORD_CHARSET.search(texts.headers.first("Subject:raw")):
        return False
    return bool(letters) and letters == letters.upper()


def check_for_to_in_subject(texts: TextSet, what: str) -> bool:
    """Whether the recipient's address ("address") or its local part ("user") stands in the Subject."""
    address, subject = texts.headers.first("To:addr"), texts.headers.first("Subject")
    if not address:
        return False
    if address.partition(b"@")[0].lower() not in subject.lower():
        return False
    if what == "address":
        return re.search(rb"\b" + re.escape(address) + rb"\b", subject, re.I) is not None
    if what != "user":
        return False
    user = re.escape(address.partition(b"@")[0])
    marks = rb"[,:;!?-]"
    wanted = (
        rb"(?:re|fw):\s*(?:\w+\s+)?" + user + rb"$|(?-i:" + user + rb")\s*" + marks + rb"(?:$|\s)|" + user + rb"$|,\s*"
        + user + marks + rb"$"
    )  # fmt: skip
    return re.match(wanted, subject, re.I) is not None


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
    is_ezmlm = re.search(rb"^contact \S+@\S+; run by ezmlm$", first("Mailing-List"), re.M)
    if is_ezmlm and re.search(rb"^mailing list \S+@\S+", first("Delivered-To"), re.M) and _QMAIL.search(received):
        return True
    return not received or re.search(rb"from groups\.msn\.com \(\S+\.msn\.com ", received) is not None


def check_header_count_range(texts: TextSet, name: str, low: str, high: str) -> bool:
    """Whether there are so many fields of a name with different values."""
    count = len(set(texts.nodes[0].fields.values(name.lower().encode())))
    return number(low) <= count <= number(high)


def check_unresolved_template(texts: TextSet) -> bool:
    """Whether a field still has a placeholder of a mailing program."""
    everything = b"".join(texts.headers.values("ALL"))
    if b"%" not in everything:
        return False
    return any(_TEMPLATE.search(line) and not _MAY_HAVE_TEMPLATE.match(line) for line in everything.split(b"\n"))


def check_ratware_name_id(texts: TextSet) -> bool:
    """Whether a Message-ID of a certain form ends in the author's address."""
    found = _RATWARE_ID.search(texts.headers.first("MESSAGEID"))
    if found is None:
        return False
    return re.search(rb'"[^"]+"\s*<' + re.escape(found[1]) + rb">", texts.headers.first("From")) is not None


def check_ratware_envelope_from(texts: TextSet) -> bool:
    """Whether the envelope sender holds the recipient's domain and local part."""
    recipient, sender = texts.headers.first("To:addr"), texts.headers.first("EnvelopeFrom:addr")
    user, at, domain = recipient.partition(b"@")
    if not sender or not user or not at or not domain or _SRS.match(sender):
        return False
    domain = registered_domain(domain, texts.site)
    if not is_known(domain, texts.site):
        return False
    return re.search(rb"\b" + re.escape(domain) + rb"\b." + re.escape(user) + rb"\b@", sender, re.I) is not None


def check_equal_from_domains(texts: TextSet) -> bool:
    """Whether author and envelope sender are of different second-level domains."""
    author, sender = _second_level(texts, "From:addr"), _second_level(texts, "EnvelopeFrom:addr")
    return bool(author and sender) and author != sender


def _second_level(texts: TextSet, name: str) -> bytes:
    found = re.search(rb"@([^@]*)\Z", texts.headers.first(name))
    return _SECOND_LEVEL.sub(rb"\1", found[1]).lower() if found else b""


TABLE: Final = {
    run.__name__: Eval(run)
    for run in (
        check_illegal_chars, check_for_faraway_charset_in_headers, check_for_unique_subject_id,
        check_for_matching_env_and_hdr_from, sorted_recipients, similar_recipients, check_for_missing_to_header,
        subject_is_all_caps, check_for_to_in_subject, check_messageid_not_usable, check_header_count_range,
        check_unresolved_template, check_ratware_name_id, check_ratware_envelope_from, check_equal_from_domains,
    )
} | {"gated_through_received_hdr_remover": Eval(has_lost_received)}  # fmt: skip
