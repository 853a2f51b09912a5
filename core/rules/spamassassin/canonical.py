"""An address of a message in the forms it may be meant as: decoded, without user name and port, behind redirectors.

Source: behaviour of SpamAssassin 4.0.1; RFC 3986, RFC 6068.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.domains import ascii_host, is_known

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.site import Site

MAX_URI: Final = 8192  # bytes kept of one form
MAX_FORMS: Final = 50  # forms of one address: a chain of redirectors has an end
# Most addresses: nothing is encoded, hidden or redirected, and the host has letters.
_SIMPLE: Final = re.compile(
    rb"https?://(?=[^/]*[g-wyzG-WYZ])[a-zA-Z0-9][a-zA-Z0-9-]*\.[a-zA-Z0-9.-]*[a-zA-Z0-9](?:/[-\w./]*)?", re.A
)
_SPACE: Final = b" \t\n\v\f\r"
_NO_URI: Final = re.compile(rb"[#?&]|/(?!/)")
_IS_MAIL: Final = re.compile(rb"mailto:|[^:]*@", re.I)
_SCHEME_SLASHES: Final = re.compile(rb"(https?:)/{0,2}", re.I)
_ESCAPED: Final = re.compile(rb"%[0-9a-fA-F]{2}")
_HAS_SCHEME: Final = re.compile(rb"[-_a-z0-9]+:", re.I)
_NO_PATH: Final = re.compile(rb"(https?://[^/?#]+)([?#])", re.I)
_DECIMAL: Final = re.compile(rb"&#0*(3[3-9]|[4-9]\d|1[01]\d|12[0-6]);")
_HEX: Final = re.compile(rb"&#x0*(2[1-9]|[3-6][a-fA-F0-9]|7[0-9a-eA-E]);")
_DOTS: Final = re.compile(rb"&#(?:x2e|12290|x3002|65294|xff0e|65377|xff61);", re.I)
_WEB: Final = re.compile(rb"(https?://)([^@/?#]*@)?([^/?#:]+)((?::(\d*))?[^\n]*)\Z", re.I)
_INNER: Final = re.compile(rb"(https?:/{0,2}[^&#]+)", re.I)
_NOT_IN_HOST: Final = bytes(byte for byte in range(256) if not chr(byte).isascii() or not chr(byte).isalnum())
_OCTETS: Final = re.compile(rb"(?:(?:0x[0-9a-f]+|\d+)\.){3}(?:0x[0-9a-f]+|\d+)", re.I)
_OCTAL: Final = re.compile(rb"0+([1-3][0-7]{0,2}|[4-7][0-7]?)\b")
_BARE: Final = re.compile(rb"(?:www\.)?([^.]+)")
_CONTROLS: Final = bytes(range(33))
_QUOTED: Final = re.compile(rb"[^?&]*<([^@>]{1,320}@[^>]{1,255})>")


def canonical(address: bytes, site: Site) -> list[bytes]:
    """All forms of an address, each once, itself first. Never raises; at most MAX_FORMS."""
    if _SIMPLE.fullmatch(address) and not site.may_redirect(address):
        return [address]
    found: dict[bytes, None] = {}
    waiting = [address]
    seen: set[bytes] = set()
    while waiting and len(found) < MAX_FORMS:
        written = waiting.pop(0).replace(b"\n", b"").strip(_SPACE).replace(b"\r", b"")
        if written in seen:
            continue
        seen.add(written)
        found[written] = None
        if len(written) <= 1 or _NO_URI.match(written):
            continue
        if _IS_MAIL.match(written):
            found.update(dict.fromkeys(_mail_forms(written)))
        else:
            forms, behind = _web_forms(written, site)
            found.update(dict.fromkeys(forms))
            waiting += behind
    return list(found)


def url_decoded(address: bytes) -> bytes:
    """%XX decoded where that gives a printable character, and what may not stand in an address encoded."""
    pieces = re.split(rb"(%[0-9a-fA-F]{2})", address)
    for number, piece in enumerate(pieces):
        if number % 2:
            code = int(piece[1:], 16)
            pieces[number] = bytes([code]) if 0x20 < code < 0x7F else piece
        else:
            pieces[number] = re.sub(rb'[\0-\x20\x7f-\xff"%<>]', lambda c: b"%%%02x" % ord(c[0]), piece)
    return b"".join(pieces)


def _mail_forms(written: bytes) -> list[bytes]:
    found = []
    if match := re.match(rb"([^@]+@[^?]+)\?", written):
        found.append(match[1])
    if match := re.match(rb"([^@]+@[^?&]+)&", written):
        found.append(match[1])
    if b"%20" in written and (match := re.match(rb"(?:mailto:)?(?:%20)*([^@]+@[^?&%]+)", written)):
        found.append(b"mailto:" + match[1])
    if match := _QUOTED.match(written):
        found.append(b"mailto:" + match[1])
    return found


def _web_forms(written: bytes, site: Site) -> tuple[list[bytes], list[bytes]]:
    """Forms of the address, and addresses that it redirects to."""
    text = _SCHEME_SLASHES.sub(rb"\1//", written.replace(b"\\", b"/"), count=1) if written else written
    if _ESCAPED.search(text):
        text = url_decoded(text)
    if not _HAS_SCHEME.match(text):
        text = (b"ftp://" if text.startswith(b"ftp.") else b"http://") + text
    if match := _NO_PATH.match(text):
        text = match[1] + b"/" + text[match.start(2) :]
    if b"&#" in text:
        text = _DECIMAL.sub(lambda m: bytes([int(m[1])]), text)
        text = _DOTS.sub(b".", _HEX.sub(lambda m: bytes([int(m[1], 16)]), text))
    forms = [text] if text != written else []
    behind: list[bytes] = []
    if match := _WEB.match(text):
        _host_forms(match, forms, behind, site)
    return forms, behind


def _host_forms(match: re.Match[bytes], forms: list[bytes], behind: list[bytes], site: Site) -> None:
    proto, user, host, rest, port = match[1], match[2] or b"", match[3], match[4], match[5] or b""
    if port:
        default = b":80" if proto == b"http://" else b":443"
        if re.match(default + rb"\b", rest):
            forms.append(proto + host + rest[len(default) :])
    plain = ascii_host(host)
    if host.translate(None, _CONTROLS) != host:
        host = host.translate(None, _CONTROLS)
        forms.append(proto + host + rest)
    whole = proto + host + rest
    target = site.redirected(whole)
    if target is None and (inner := _INNER.search(rest)) and b"." in inner[1]:
        target = inner[1]
    if target is not None:
        behind.append(target)
    if b"@" in host.lstrip(b"@") and not host.startswith(b"@"):
        host = host[host.index(b"@") + 1 :]
        forms.append(proto + host + rest)
    trimmed = host.rstrip(_NOT_IN_HOST)
    if trimmed != host:
        host = trimmed
        forms.append(proto + host + rest)
    is_port_80 = port in (b"", b"80") and proto == b"http://"
    if number := _numeric(host):
        forms.append(proto + number + rest)
    elif is_port_80 and not user and plain != b"localhost" and not is_known(plain, site):
        bare = _BARE.fullmatch(plain)
        forms += [proto + b"www." + bare[1] + b".com" + rest] if bare else []


def _numeric(host: bytes) -> bytes:
    """A host that is a number in any of the ways browsers take, as four decimal octets; b"" for any other host."""
    if _OCTETS.fullmatch(host):
        return b".".join(_octet(octet) for octet in host.split(b"."))
    if re.fullmatch(rb"0x[0-9a-f]+", host, re.I):
        return _dotted(int(host[2:][-8:], 16))
    if host.isdigit() and len(host) < 20:
        return _dotted(int(host))
    return b""


def _octet(octet: bytes) -> bytes:
    if octet[:2].lower() == b"0x":
        octet = b"%d" % (int(octet[2:], 16) & (1 << 64) - 1)
    elif match := _OCTAL.match(octet):
        octet = b"%d" % int(match[1], 8)
    return octet.lstrip(b"0")


def _dotted(number: int) -> bytes:
    """The first four octets of the number written in hexadecimal with at least eight digits, as SpamAssassin does."""
    digits = b"%08x" % number
    return b".".join(b"%d" % int(digits[at : at + 2], 16) for at in range(0, 8, 2))
