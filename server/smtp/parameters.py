"""Parameters of MAIL and RCPT: SIZE, BODY, SMTPUTF8, AUTH (RFC 1870, 6152, 6531, 4954) and DSN (RFC 3461).

Values keep the case the client gave (ENVID and ORCPT are case-sensitive); keywords do not care about case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mxward.core.errors import Refusal, Reply
from mxward.server.smtp.address import Address, AddressError, parse_path

# RFC 3461 4: xtext is printable ASCII but "+" and "=", or "+" and two upper-case hex digits.
_XTEXT = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_KEYWORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*")
_VALUE = re.compile(rb"[!-<>-~\x80-\xff]+")  # esmtp-value, with UTF-8 by RFC 6531 3.3
_SIZE = re.compile(rb"[0-9]{1,20}")
_NOTIFY: Final = frozenset((b"SUCCESS", b"FAILURE", b"DELAY"))
MAX_ENVID: Final = 100  # RFC 3461 4.4
MAX_ORCPT: Final = 500  # RFC 3461 4.2


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What MAIL said besides the reverse-path. `size` 0: not declared."""

    sender: Address
    size: int = 0
    body: str = ""
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """What RCPT said; `notify` and `orcpt` as `mxward.core.message.Recipient` keeps them."""

    address: Address
    notify: str = ""
    orcpt: str = ""


def _refuse(code: int, enhanced: str, text: str) -> Refusal:
    return Refusal(Reply(code, enhanced, text), text)


def _split(argument: bytes, keyword: bytes) -> tuple[bytes, list[bytes]]:
    """(path, parameters) of `FROM:<path> a=b c`. A space after the colon is let pass: much software sends it."""
    size = len(keyword)
    if argument[:size].upper() != keyword:
        raise _refuse(501, "5.5.4", f"Syntax: {keyword.decode()}<address>")
    rest = argument[size:].strip(b" ")
    end = _path_end(rest)
    path, tail = rest[:end], rest[end:]
    if tail and tail[:1] != b" ":
        raise _refuse(501, "5.5.4", f"Syntax: {keyword.decode()}<address>")
    return path, [word for word in tail.split(b" ") if word]  # bytes.split() would take CR and TAB for spaces


def _path_end(text: bytes) -> int:
    """Length of the path at the start of text: to the first ">" outside a quoted string."""
    if b'"' not in text:
        return text.find(b">") + 1 or len(text)
    quoted, at = False, 0
    while at < len(text):
        byte = text[at]
        if quoted and byte == 0x5C:
            at += 1
        elif byte == 0x22:
            quoted = not quoted
        elif byte == 0x3E and not quoted:
            return at + 1
        at += 1
    return len(text)


def _pairs(parameters: list[bytes]) -> dict[bytes, bytes | None]:
    """Keyword (upper-case) to value (None without "="). Raises Refusal on bad syntax and repetition."""
    found: dict[bytes, bytes | None] = {}
    for text in parameters:
        keyword, equals, value = text.partition(b"=")
        name = keyword.upper()
        if not _KEYWORD.fullmatch(keyword) or (equals and not _VALUE.fullmatch(value)):
            raise _refuse(501, "5.5.4", "Malformed parameter")
        if name in found:
            raise _refuse(501, "5.5.4", "Parameter given twice")
        found[name] = value if equals else None
    return found


def parse_mail(argument: bytes, *, esmtp: bool = True) -> MailParameters:
    """The argument of MAIL. Raises Refusal with the precise reply.

    Args: esmtp: the client said EHLO; without it parameters are refused (RFC 5321 section 4.1.1.11).
    """
    path, parameters = _split(argument, b"FROM:")
    if not parameters:
        return MailParameters(_address(path, utf8=False, is_sender=True))
    pairs = _known(parameters, _MAIL_KEYWORDS, esmtp=esmtp)
    smtputf8 = b"SMTPUTF8" in pairs
    if smtputf8 and pairs[b"SMTPUTF8"] is not None:
        raise _refuse(501, "5.5.4", "SMTPUTF8 takes no value")
    if b"AUTH" in pairs:  # RFC 4954 5: accepted, and not believed
        _xtext(pairs[b"AUTH"], "AUTH", 500)
    return MailParameters(
        _address(path, utf8=smtputf8, is_sender=True),
        size=_size(pairs.get(b"SIZE", b"0")),
        body=_choice(pairs, b"BODY", (b"7BIT", b"8BITMIME")),
        smtputf8=smtputf8,
        ret=_choice(pairs, b"RET", (b"FULL", b"HDRS")),
        envid=_xtext(pairs[b"ENVID"], "ENVID", MAX_ENVID) if b"ENVID" in pairs else "",
    )


def parse_rcpt(argument: bytes, *, smtputf8: bool = False, esmtp: bool = True) -> RcptParameters:
    """The argument of RCPT. Raises Refusal with the precise reply."""
    path, parameters = _split(argument, b"TO:")
    address = _address(path, utf8=smtputf8, is_sender=False)
    if not parameters:
        return RcptParameters(address)
    pairs = _known(parameters, _RCPT_KEYWORDS, esmtp=esmtp)
    return RcptParameters(
        address,
        notify=_notify(pairs[b"NOTIFY"]) if b"NOTIFY" in pairs else "",
        orcpt=_orcpt(pairs[b"ORCPT"]) if b"ORCPT" in pairs else "",
    )


_MAIL_KEYWORDS: Final = frozenset((b"SIZE", b"BODY", b"SMTPUTF8", b"AUTH", b"RET", b"ENVID"))
_RCPT_KEYWORDS: Final = frozenset((b"NOTIFY", b"ORCPT"))


def _known(parameters: list[bytes], keywords: frozenset[bytes], *, esmtp: bool) -> dict[bytes, bytes | None]:
    if not esmtp:
        raise _refuse(555, "5.5.4", "Parameters need EHLO")
    pairs = _pairs(parameters)
    if not keywords.issuperset(pairs):
        raise _refuse(555, "5.5.4", "Parameter not recognised or not implemented")
    return pairs


def _address(path: bytes, *, utf8: bool, is_sender: bool) -> Address:
    try:
        return parse_path(path, utf8=utf8, null=is_sender, postmaster=not is_sender)
    except AddressError as error:
        if error.is_utf8:
            raise _refuse(553, "5.6.7", "Non-ASCII address needs SMTPUTF8") from None
        which = ("5.1.7", "sender") if is_sender else ("5.1.3", "recipient")
        raise _refuse(501, which[0], f"Bad {which[1]} address: {error}") from None


def _size(value: bytes | None) -> int:
    if value is None or not _SIZE.fullmatch(value):
        raise _refuse(501, "5.5.4", "SIZE needs a number")
    return int(value)


def _choice(pairs: dict[bytes, bytes | None], name: bytes, allowed: tuple[bytes, ...]) -> str:
    if name not in pairs:
        return ""
    value = (pairs[name] or b"").upper()
    if value not in allowed:
        raise _refuse(501, "5.5.4", f"{name.decode()} must be {' or '.join(a.decode() for a in allowed)}")
    return value.decode()


def _xtext(value: bytes | None, name: str, limit: int) -> str:
    if not value or len(value) > limit or not _XTEXT.fullmatch(value):
        raise _refuse(501, "5.5.4", f"{name} is not valid xtext")
    return value.decode("ascii")


def decode_xtext(value: bytes) -> bytes | None:
    """The bytes that xtext stands for, None when it is malformed. Source: RFC 3461 section 4."""
    if not _XTEXT.fullmatch(value):
        return None
    return re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes((int(m[1], 16),)), value)


def _notify(value: bytes | None) -> str:
    words = (value or b"").upper().split(b",")
    if words == [b"NEVER"]:
        return "NEVER"
    if len(set(words)) != len(words) or not _NOTIFY.issuperset(words):
        raise _refuse(501, "5.5.4", "NOTIFY must be NEVER or a list of SUCCESS, FAILURE, DELAY")
    return b",".join(words).decode()


def _orcpt(value: bytes | None) -> str:
    """`type;xtext`, or with UTF-8 characters for type utf-8 (RFC 6533 section 3)."""
    kind, semicolon, address = (value or b"").partition(b";")
    if not semicolon or not address or not _KEYWORD.fullmatch(kind) or len(value or b"") > MAX_ORCPT:
        raise _refuse(501, "5.5.4", "ORCPT must be type;address")
    if kind.lower() == b"utf-8" and not address.isascii():
        try:
            return (value or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise _refuse(501, "5.5.4", "ORCPT is not UTF-8") from None
    if kind.lower() != b"utf-8" and not _XTEXT.fullmatch(address):
        raise _refuse(501, "5.5.4", "ORCPT is not valid xtext")
    return (value or b"").decode("ascii", "replace")
