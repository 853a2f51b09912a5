"""Eval tests of addresses at free mail providers (plug-in FreeMail)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from mxward.core.rules.spamassassin.addresslist import AddressList
from mxward.core.rules.spamassassin.evals_address import authors
from mxward.core.rules.spamassassin.evaltools import NOT_ZERO, Bound, evals, keep, lines_with, matches, measured, number
from mxward.core.rules.spamassassin.headers import field_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

_NOT_A_PERSON: Final = re.compile(
    rb"(?:abuse|support|sales|info|helpdesk|contact|kontakt|(?:post|host|domain)master|undisclosed.*"
    rb"|request-[a-f0-9]{16}|bounced?-|[a-f0-9]{8}(?:\.[a-f0-9]{8}|-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})"
    rb"|.+=.+=.+)@",
    re.I,
)
_BULK: Final = re.compile(
    rb"(?:^(?:post|host|domain)master|^double-bounce|^(?:sentto|owner|return|(?:gr)?bounced?)-.+"
    rb"|-(?:request|bounces?|admin|owner)|\b(?:do[._-t]?)?no[._-t]?repl(?:y|ies)|.+=.+)@",
    re.I,
)
_IN_LOCAL_PART: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-."
_HOST: Final = re.compile(
    rb"((?:[a-z0-9](?:[a-z0-9-]{0,59}[a-z0-9])?\.){1,4}([a-z0-9-]{2,40}))(?![a-z0-9-]|\.[a-z0-9])", re.I
)
MAX_LOCAL: Final = 64
MAX_KNOWN: Final = 5000  # domains remembered
_ADDRESS_IN_URL: Final = re.compile(rb"<?https?://\S{0,255}(?:@|%40)\S{0,255}", re.I)
_IN_SIGNATURE: Final = re.compile(rb">|\s{1,10}(?!(?:fa(?:x|csi)|tel|phone|e?-?mail))[a-z]{2,11}:", re.I)
MAX_LINK_EMAILS: Final = 20
MAX_EMAILS: Final = 40
MAX_SENDER: Final = 320  # bytes of an address (RFC 5321 4.5.3.1)


class Providers:
    """The settings of a rule set about free mail."""

    def __init__(self, site: Site) -> None:
        words = [word.lower() for word in site.words("freemail_domains")]
        self._plain = frozenset(word.encode("utf-8", "replace") for word in words if not re.search(r"[*?]", word))
        self._globs = AddressList(word for word in words if re.search(r"[*?]", word))
        self._known: dict[bytes, bool] = {}  # domains asked for before: those of a site's mail are few
        welcome = site.words("freemail_welcomelist", "freemail_whitelist")
        self._welcome = frozenset(word.lower().encode("utf-8", "replace") for word in welcome)
        self.max_emails = number(site.last("freemail_max_body_emails", "5"))
        self.max_freemails = number(site.last("freemail_max_body_freemails", "3"))
        self.skips_many = number(site.last("freemail_skip_when_over_max", "1")) != 0
        self.skips_bulk = number(site.last("freemail_skip_bulk_envfrom", "1")) != 0

    def has(self, email: bytes) -> bool:
        """Whether an address, in lower case, is a person's at a free mail provider."""
        domain = email[email.rfind(b"@") + 1 :]
        is_free = self._known.get(domain)
        if is_free is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            is_free = self._known[domain] = domain in self._plain or self._globs.has(domain)
        if not is_free:
            return False
        return email not in self._welcome and domain not in self._welcome and not _NOT_A_PERSON.match(email)


def providers_of(texts: TextSet) -> Providers:
    """The providers that the rule set of a message names, worked out once a rule set."""
    site = texts.site
    found = site.memo.get("freemail")
    if found is None:
        found = site.memo["freemail"] = Providers(site)
    assert isinstance(found, Providers)
    return found


def check_freemail_from(texts: TextSet, source: str | None = None) -> bool:
    """Whether an author's address is a free one, and a pattern matches it."""
    return _has_free(texts, [address.lower() for address in authors(texts)], source)


def check_freemail_header(name: str, source: str | None = None) -> Bound:
    """Whether an address in a field is a free one, and a pattern matches it."""
    return Bound(_free_in_fields, (field_key(name.partition(":")[0]), f"{name}:addr", source), NOT_ZERO)


_Field = tuple[bytes, str, str | None]  # name of the field, b"" when it is made of others; as headers have it; pattern


def _free_in_fields(texts: TextSet, keys: Iterable[_Field]) -> Iterable[tuple[_Field, float]]:
    names, values = texts.nodes[0].fields.names, texts.headers.values
    there = [key for key in keys if not key[0] or key[0] in names]
    return [
        (key, 1) for key in there if _has_free(texts, [address.lower() for address in values(key[1])], key[2])
    ]  # fmt: skip


def _has_free(texts: TextSet, emails: Iterable[bytes], source: str | None = None) -> bool:
    providers = providers_of(texts)
    return any(providers.has(email) and (source is None or matches(source, email)) for email in emails)


def check_freemail_body(texts: TextSet, source: str | None = None) -> bool:
    """Whether there is a free address in the body that a pattern matches."""
    emails = keep(texts, "freemails", _in_body)
    return any(source is None or matches(source, email) for email in emails)


class _Parties(NamedTuple):
    """Addresses of author and of Reply-To, and whether one of each is a free one."""

    author: list[bytes]
    answer: list[bytes]
    is_free_author: bool
    is_free_answer: bool


def _parties(texts: TextSet) -> _Parties:
    values = texts.headers.values
    author = [address.lower() for address in values("From:addr")]
    has_answer = b"reply-to" in texts.nodes[0].fields.names
    answer = [address.lower() for address in values("Reply-To:addr")] if has_answer else []
    return _Parties(author, answer, _has_free(texts, author), _has_free(texts, answer))


def check_freemail_replyto(texts: TextSet, what: str = "replyto") -> bool:
    """Whether answers go to another free address than the author's, in a field or, by the body's wish, elsewhere."""
    author, answer, is_free_author, is_free_answer = keep(texts, "parties", _parties)
    if what not in ("replyto", "reply") or keep(texts, "bulk", _is_bulk):
        return False
    if is_free_author and is_free_answer and set(author).isdisjoint(answer):
        return True
    if what == "replyto":
        if not is_free_answer:
            return False
    elif (answer and not is_free_answer) or not is_free_author:
        return False
    meant = answer if what == "replyto" or is_free_answer else author
    return any(email != address for email in keep(texts, "freemails", _in_body) for address in meant)


def _has_free_party(texts: TextSet) -> bool:
    parties = keep(texts, "parties", _parties)
    return parties.is_free_author or parties.is_free_answer


def _is_bulk(texts: TextSet) -> bool:
    if not providers_of(texts).skips_bulk:
        return False
    return _BULK.search(texts.headers.first("EnvelopeFrom")[:MAX_SENDER]) is not None


def _in_body(texts: TextSet) -> set[bytes]:
    """Free addresses in the body, none when there are too many of them or of any."""
    providers = providers_of(texts)
    found: set[bytes] = set()
    n_free = 0
    for count, email in enumerate(_emails(texts), 1):
        if count == providers.max_emails and providers.skips_many:
            return set()
        if providers.has(email):
            n_free += 1
            if n_free == providers.max_freemails and providers.skips_many:
                return set()
            found.add(email)
    return found


def _emails(texts: TextSet) -> list[bytes]:
    found: dict[bytes, None] = {}
    for address, uri in texts.uri_detail.items():
        if b"a" in uri.types and b"parsed" not in uri.types and address[:7].lower() == b"mailto:":
            for email in _addresses(address[7:], texts.site, is_start=True):
                found[email] = None
            if len(found) >= MAX_LINK_EMAILS:
                break
    for line in lines_with(b"@", *texts.body):
        if b"://" in line:
            line = _ADDRESS_IN_URL.sub(b" ", line)
        for email in _addresses(line, texts.site):
            found[email] = None
            if len(found) >= MAX_EMAILS:
                return list(found)
    return list(found)


def _addresses(text: bytes, site: Site, *, is_start: bool = False) -> Iterable[bytes]:
    """Mail addresses under known top-level domains; not those that stand in a line of contact details."""
    behind = -1
    while (sign := text.find(b"@", behind + 1)) >= 0:
        start, behind = behind + 1, sign
        host = _HOST.match(text, sign + 1)
        if host is None or host[2].lower() not in site.top_level:
            continue
        local = _local_part(text[max(start, sign - MAX_LOCAL) : sign])
        if not local or (is_start and len(local) != sign):
            continue
        behind = host.end() - 1
        is_mailto = text.endswith(b"mailto:", 0, sign - len(local))
        if not is_start and not is_mailto and _IN_SIGNATURE.match(text, host.end()):
            continue
        yield (local + b"@" + host[1]).lower()
        if is_start:
            return


def _local_part(text: bytes) -> bytes:
    """The longest local part that a text ends in, b"" when it ends in none (RFC 5322 3.2.3, dot-atom)."""
    found = text[len(text.rstrip(_IN_LOCAL_PART)) :]
    return b"" if found.endswith(b".") else found.rpartition(b"..")[2].lstrip(b".")


TABLE: Final = (
    measured(check_freemail_header)
    | evals(check_freemail_from, check_freemail_body)
    | evals(check_freemail_replyto, needs=_has_free_party)
)
