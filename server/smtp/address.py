"""Addresses of the envelope, parsed strictly by RFC 5321 section 4.1.2 and RFC 6531 section 3.3.

Here: the path of MAIL and RCPT. Not here: whether an address may be used (access.py); addresses in header fields.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import idna

MAX_LOCAL: Final = 64  # octets, RFC 5321 4.5.3.1.1
MAX_DOMAIN: Final = 255  # octets, RFC 5321 4.5.3.1.2
MAX_PATH: Final = 256  # octets with the angle brackets, RFC 5321 4.5.3.1.3

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# qtextSMTP and quoted-pairSMTP; RFC 6531 adds UTF-8 to qtextSMTP only.
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"')
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# The form of nearly every address in the world, in one match.
_PLAIN = re.compile(
    rb"([A-Za-z0-9!#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+)*)"
    rb"@([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)"
)


class AddressError(ValueError):
    """The text is not an address; `is_utf8` says that it might be one under SMTPUTF8."""

    def __init__(self, reason: str, *, is_utf8: bool = False) -> None:
        super().__init__(reason)
        self.is_utf8 = is_utf8


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. `text` is as the client wrote it, without brackets and source route; "" is the null path."""

    text: str
    local: str  # unquoted
    domain: str  # lower-case, U-labels as A-labels; "[...]" for a literal; "" for the null path and <postmaster>
    is_routed: bool = False  # a source route stood before it
    is_utf8: bool = False

    @property
    def is_literal(self) -> bool:
        return self.domain.startswith("[")

    @property
    def key(self) -> str:
        """Equal for two spellings of one mailbox: the local part is compared without case, as mail systems do."""
        return f"{self.local.casefold()}@{self.domain}"


NULL: Final = Address("", "", "")


@lru_cache(maxsize=4096)
def parse_path(path: bytes, *, utf8: bool = False, null: bool = False, postmaster: bool = False) -> Address:
    """The path of MAIL or RCPT, angle brackets included.

    Args: utf8: the transaction has SMTPUTF8; null: "<>" is allowed; postmaster: "<postmaster>" without a domain
    is allowed. Raises AddressError on anything that is not exactly a path. Source: RFC 5321 section 4.1.2.
    """
    if len(path) < 2 or path[:1] != b"<" or path[-1:] != b">":
        raise AddressError("address must stand in angle brackets")
    if len(path) > MAX_PATH:
        raise AddressError("path too long")
    if path == b"<>":
        if null:
            return NULL
        raise AddressError("empty address")
    if postmaster and path[1:-1].lower() == b"postmaster":
        return Address(path[1:-1].decode("ascii"), "postmaster", "")
    plain = _PLAIN.fullmatch(path, 1, len(path) - 1)
    if plain and len(plain[1]) <= MAX_LOCAL and len(plain[2]) <= MAX_DOMAIN and not _has_a_label(plain[2]):
        return Address(path[1:-1].decode("ascii"), plain[1].decode("ascii"), plain[2].decode("ascii").lower())
    return parse_mailbox(_decode(path[1:-1], utf8=utf8))


def _has_a_label(domain: bytes) -> bool:
    return b"xn--" in domain or b"XN--" in domain or b"--" in domain


def _decode(text: bytes, *, utf8: bool) -> str:
    if text.isascii():
        return text.decode("ascii")
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        raise AddressError("address is not UTF-8") from None
    if not utf8:
        raise AddressError("non-ASCII address without SMTPUTF8", is_utf8=True)
    return decoded


def parse_mailbox(text: str) -> Address:
    """`[source-route:]local@domain`. Raises AddressError."""
    is_routed = text.startswith("@")
    if is_routed:
        text = _after_route(text)
    local, rest = _split_local(text)
    if not rest.startswith("@"):
        raise AddressError("no domain")
    domain = parse_domain(rest[1:])
    raw = _unquote(local)
    if len(local.encode("utf-8", "surrogatepass")) > MAX_LOCAL:
        raise AddressError("local part too long")
    if not text.isascii() and any(not c.isprintable() for c in text):
        raise AddressError("control or format character in address")
    return Address(text, raw, domain, is_routed, not text.isascii())


def _after_route(text: str) -> str:
    """What follows a source route "@a,@b:", whose hosts must be domains."""
    route, colon, rest = text.partition(":")
    if not colon:
        raise AddressError("source route without an address")
    for hop in route.split(","):
        if not hop.startswith("@"):
            raise AddressError("malformed source route")
        parse_domain(hop[1:])
    return rest


def _split_local(text: str) -> tuple[str, str]:
    """(local part as written, the rest). Raises AddressError when there is no local part."""
    match = _QUOTED.match(text) if text.startswith('"') else _DOT_STRING.match(text)
    if not match:
        raise AddressError("malformed local part")
    return match[0], text[match.end() :]


def _unquote(local: str) -> str:
    if not local.startswith('"'):
        return local
    return re.sub(r"\\(.)", r"\1", local[1:-1])


def parse_domain(text: str) -> str:
    """A domain or address literal in canonical form: lower-case, A-labels. Raises AddressError.

    Source: RFC 5321 section 4.1.3 (literals), RFC 5890 (U-labels).
    """
    if text.startswith("["):
        return _literal(text)
    if not text or len(text) > MAX_DOMAIN:
        raise AddressError("no domain" if not text else "domain too long")
    if not text.isascii():
        return _to_ascii(text)
    for label in text.split("."):
        if not _LABEL.fullmatch(label):
            raise AddressError("malformed domain")
        if label[:4].lower() == "xn--":
            return _to_ascii(text)  # the A-label must stand for something
    return text.lower()


def _to_ascii(text: str) -> str:
    try:
        domain = idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise AddressError("malformed internationalised domain") from None
    if len(domain) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise AddressError("malformed internationalised domain")
    return domain


def _literal(text: str) -> str:
    if not text.endswith("]") or not text.isascii():
        raise AddressError("malformed address literal")
    inner = text[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            if "%" in inner or _compresses_little(inner[5:]):
                raise ValueError("zone index, or a :: for one group only")
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError:  # no standard defines a General-address-literal, so there is none
        raise AddressError("malformed address literal") from None


def _compresses_little(text: str) -> bool:
    """ "::" must stand for at least two groups of zeros (RFC 5321 section 4.1.3, IPv6-comp)."""
    if "::" not in text:
        return False
    groups = [g for g in text.split(":") if g]
    return len(groups) + ("." in text) > 6


def is_helo_name(text: bytes) -> bool:
    """Fit to be recorded as HELO name: printable ASCII without spaces, at most 255 octets.

    Looser than RFC 5321 on purpose (section 4.1.4 forbids refusing for a wrong name); never trusted for access.
    """
    return 0 < len(text) <= MAX_DOMAIN and all(33 <= c <= 126 and c not in b'<>()"\\' for c in text)
