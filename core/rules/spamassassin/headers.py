"""Header fields as header rules name them: modifiers (From:addr, Subject:raw) and pseudo-headers (ALL, MESSAGEID, …).

Decoding of one part's fields is fields.py; relays out of Received fields are received.py.

Source: Mail::SpamAssassin::Conf(3), "header"; behaviour of SpamAssassin 4.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.addresses import Mailbox, is_host, mailboxes
from mxward.core.rules.spamassassin.domains import ascii_host, registered_domain
from mxward.core.rules.spamassassin.fields import decode_words
from mxward.core.rules.spamassassin.ip import ADDRESS, reverse
from mxward.pyx.safields import ALL, CLEAN, DECODED, MAIL, NAME, OTHER, RAW, FieldPlan
from mxward.pyx.saheader import raw_lines, raw_text

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

_FOLDED: Final = re.compile(rb"\n\s+")
_RECEIVED: Final = b"received:"
_HOST_AFTER_AT: Final = re.compile(rb".*@(\S+)", re.S)
_TOKEN: Final = re.compile(rb"\S+")
_IP: Final = re.compile(rb"(?<!\.)\b(" + ADDRESS.pattern + rb")\b(?!\.)", ADDRESS.flags)
MAX_FIELDS: Final = 1 << 30  # more than any message has
_MESSAGE_IDS: Final = (b"x-message-id", b"resent-message-id", b"x-original-message-id", b"message-id")


# What is wanted of a field by the modifiers of its name.
_WANTED: Final = {"": DECODED, "raw": RAW, "addr": MAIL | RAW, "name": NAME | CLEAN | RAW, "name:raw": NAME | RAW}


class Headers:
    """Values by name and modifiers. One a message; results are kept."""

    def __init__(self, texts: TextSet) -> None:
        self._texts, self._site = texts, texts.site
        self._fields = texts.nodes[0].fields
        self._kept: dict[str, list[bytes]] = {}
        self._joined: dict[str, bytes | None] = {}
        self._numbers: Mapping[str, int] = {}  # of the names that were asked for together
        self._planned: list[bytes | None] = []  # and their values
        self._boxes: dict[bytes, list[Mailbox]] = {}

    def joined_all(self, names: tuple[str, ...]) -> list[bytes | None]:
        """`joined` of many names, in their order; quick for the same names in each message."""
        plan, numbers = _plan(names)
        found, waiting = self._fields.table.joined(plan)
        for number in waiting:
            found[number] = self._join(names[number])
        self._numbers, self._planned = numbers, found
        return found

    def joined(self, name: str) -> bytes | None:
        """What a header rule looks at: all values joined, one a line; None when there is none."""
        number = self._numbers.get(name)
        if number is not None:
            return self._planned[number]
        if name in self._joined:
            return self._joined[name]
        found = self._joined[name] = self._join(name)
        return found

    def _join(self, name: str) -> bytes | None:
        if name in _JOINED:
            return _JOINED[name](self, name)
        found = self.values(name)
        if not found:
            return None
        return (b"" if found[0].endswith(b"\n") else b"\n").join(found)

    def first(self, name: str) -> bytes:
        """What an eval test looks at: all values joined, or the first one with a modifier; b"" when there is none."""
        if (":" in name and not name.endswith(":raw")) or name == "EnvelopeFrom":
            found = self.values(name)
            return found[0].removesuffix(b"\n") if found else b""
        return b"".join(self.values(name)) if name.count(":") > 1 else self.joined(name) or b""

    def values(self, name: str) -> list[bytes]:
        """Every value, those of whole fields with a line end."""
        found = self._kept.get(name)
        if found is None:
            found = self._kept[name] = self._find(name)
        return found

    def _find(self, name: str) -> list[bytes]:
        base, wanted, is_raw, needs_raw = _taken_apart(name)
        found = self._named(base, is_raw=is_raw, needs_raw=needs_raw)
        if not found:
            return found
        if not wanted:
            return found
        if "first" in wanted:
            found = found[:1]
        elif "last" in wanted:
            found = found[-1:]
        if "addr" in wanted:
            found = [box.address for value in found for box in self._mailboxes(value) if box.address is not None]
        elif "name" in wanted:
            names = [box.phrase for value in found for box in self._mailboxes(value) if box.phrase is not None]
            found = names if is_raw else [_clean_name(phrase) for phrase in names]
        if "host" in wanted or "domain" in wanted:
            hosts = [host for value in found if (host := self._host(value, is_address="addr" in wanted))]
            found = [registered_domain(host, self._site) for host in hosts] if "domain" in wanted else hosts
        elif "ip" in wanted or "revip" in wanted:
            found = [match[1] for value in found if (match := _IP.search(value))]
            if "revip" in wanted:
                found = [turned for address in found if (turned := reverse(address))]
        return found

    def _mailboxes(self, value: bytes) -> list[Mailbox]:
        found = self._boxes.get(value)
        if found is None:
            found = self._boxes[value] = mailboxes(value)
        return found

    def _named(self, base: str, *, is_raw: bool, needs_raw: bool) -> list[bytes]:
        if base == "ALL":
            return raw_lines(self._texts.pristine_header) if is_raw else self._fields.all
        if base.startswith("ALL-") and base in _RANGES:
            return self._range(base, is_raw=is_raw)
        key = base.lower().encode("latin-1", "replace")
        if key == b"tocc":
            return self._fielded(b"to", is_raw=is_raw) + self._fielded(b"cc", is_raw=is_raw)
        if base == "MESSAGEID":
            return [value for name in _MESSAGE_IDS for value in self._fielded(name, is_raw=is_raw) if value]
        if key == b"envelopefrom":
            sender = self._texts.envelope_from
            return [] if sender is None else [sender]
        if key.startswith(b"x-spam-relays-"):
            found = self._texts.relays.text(key[14:].decode("latin-1"))
            if found is not None:
                return [found]
        return self._fields.raw(key) if needs_raw else self._fielded(key, is_raw=False)

    def _fielded(self, key: bytes, *, is_raw: bool) -> list[bytes]:
        if is_raw:
            return [_FOLDED.sub(b" ", value) for value in self._fields.raw(key)]
        return [value + b"\n" for value in self._fields.values(key)]

    def _range(self, base: str, *, is_raw: bool) -> list[bytes]:
        if is_raw:
            lines = raw_lines(self._texts.pristine_header)
            received = [number for number, line in enumerate(lines) if line[:9].lower() == _RECEIVED]
        else:
            lines, received = self._fields.all, self._fields.table.numbers(_RECEIVED[:-1])
        border = self._border(base, received)
        # the field of the border itself was written by the last of those relays
        return lines[: border + 1] if _RANGES[base][1] else lines[border:]

    def _border(self, base: str, received: list[int]) -> int:
        """The number of the field where a range of fields ends or begins, out of those of Received fields."""
        relays = self._texts.relays
        border = (relays.last_trusted if _RANGES[base][0] else relays.last_internal) + 1
        return received[border] if border < len(received) else MAX_FIELDS

    def _host(self, value: bytes, *, is_address: bool) -> bytes:
        if is_address:
            found = _HOST_AFTER_AT.match(value)
            return found[1] if found else b""
        tokens = _TOKEN.findall(value)
        behind = [token.rpartition(b"@")[2] for token in tokens if b"@" in token]
        for token in behind + tokens:
            for host in _hosts(token, self._site):
                if is_host(ascii_host(host)):
                    return host
        return b""


_RANGES: Final = {
    "ALL-TRUSTED": (True, True), "ALL-INTERNAL": (False, True),
    "ALL-UNTRUSTED": (True, False), "ALL-EXTERNAL": (False, False),
}  # fmt: skip


@lru_cache(maxsize=1024)
def _taken_apart(name: str) -> tuple[str, frozenset[str], bool, bool]:
    """(name, modifiers, whether the raw value is wanted, or needed to find what is)."""
    base, *modifiers = name.split(":")
    wanted = frozenset(modifiers)
    is_raw = "raw" in wanted
    return base, wanted, is_raw, is_raw or not wanted.isdisjoint(("addr", "name"))


@lru_cache(maxsize=64)
def _plan(names: tuple[str, ...]) -> tuple[FieldPlan, Mapping[str, int]]:
    """The plan for some names, and the number of each name in it."""
    return FieldPlan([_planned(name) for name in names]), {name: number for number, name in enumerate(names)}


def _planned(name: str) -> tuple[list[bytes], int]:
    """The fields of a name in lower case and what is wanted of them; OTHER when there is more to it."""
    base, _, modifiers = name.partition(":")
    kind = _WANTED.get(modifiers, OTHER)
    key = field_key(base)
    if key:
        return [key], kind
    if base == "ALL":
        return [], OTHER if modifiers else ALL
    if base == "MESSAGEID":
        return list(_MESSAGE_IDS), OTHER if modifiers else DECODED
    if base.lower() == "tocc":
        return [b"to", b"cc"], {"": DECODED, "addr": MAIL}.get(modifiers, OTHER)
    return [], OTHER


def field_key(base: str) -> bytes:
    """The field of a name without modifiers, in lower case; b"" when it is no single field."""
    lower = base.lower()
    is_made = base == "ALL" or base in _RANGES or base == "MESSAGEID" or lower in ("tocc", "envelopefrom")
    return b"" if is_made or lower.startswith("x-spam-") else lower.encode("latin-1", "replace")


def _tail(headers: Headers, name: str) -> bytes | None:
    table = headers._fields.table
    return table.text(headers._border(name, table.numbers(_RECEIVED[:-1]))) or None


def _all_raw(headers: Headers, _: str) -> bytes | None:
    return raw_text(headers._texts.pristine_header) or None


def _sender(headers: Headers, _: str) -> bytes | None:
    return headers._texts.envelope_from


def _relays(headers: Headers, name: str) -> bytes | None:
    return headers._texts.relays.text(name[14:].lower())


# Quick ways to what would else be made of `values`.
_JOINED: Final[dict[str, Callable[[Headers, str], bytes | None]]] = {
    "ALL:raw": _all_raw,
    "ALL-EXTERNAL": _tail,
    "ALL-UNTRUSTED": _tail,
    "EnvelopeFrom": _sender,
    "X-Spam-Relays-External": _relays,
    "X-Spam-Relays-Untrusted": _relays,
}


def _hosts(token: bytes, site: Site) -> list[bytes]:
    """What in a word ends like a host name with a known top-level domain."""
    found = []
    for part in re.split(rb"[<>()\[\]\",;:/@]+", token):
        host = part.strip(b"._-")
        if b"." in host and host.rpartition(b".")[2].lower() in site.top_level:
            found.append(host)
    return found


def _clean_name(phrase: bytes) -> bytes:
    text = decode_words(phrase.replace(b"\r\n", b"\n").replace(b"\n\t", b"\n ").replace(b"\n", b""))
    if text.strip():
        text = b" ".join(text.split())
        if len(text) > 1 and text.startswith(b"'") and text.endswith(b"'"):
            text = text[1:-1]
    return text
