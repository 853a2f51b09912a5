"""XCLIENT: a trusted proxy tells who its client is (Postfix XCLIENT_README).

Only hosts of smtp.xclient_hosts may; the attributes replace what this session knows of the client.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from mxward.core.errors import Refusal, Reply
from mxward.server.smtp.address import is_helo_name
from mxward.server.smtp.parameters import decode_xtext
from mxward.server.smtp.table import State

if TYPE_CHECKING:
    from mxward.server.smtp.session import Session

ATTRIBUTES = frozenset(("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"))
UNKNOWN = frozenset(("[UNAVAILABLE]", "[TEMPUNAVAIL]"))
_BAD = Reply(501, "5.5.4", "Bad XCLIENT attribute")


def parse(argument: bytes) -> dict[str, str]:
    """Attribute (upper-case) to value, "" when the proxy does not know it. Raises Refusal."""
    found: dict[str, str] = {}
    for text in argument.split(b" "):
        name, equals, raw = text.partition(b"=")
        key = name.decode("ascii", "replace").upper()
        value = decode_xtext(raw)
        if not equals or key not in ATTRIBUTES or not value or not value.isascii() or key in found:
            raise Refusal(_BAD, "malformed XCLIENT")
        decoded = value.decode("ascii")
        found[key] = "" if decoded.upper() in UNKNOWN else _check(key, decoded)
    if not found:
        raise Refusal(_BAD, "empty XCLIENT")
    return found


def _check(key: str, value: str) -> str:
    """The value in the form we keep it. Raises Refusal."""
    ok = value.isprintable() and len(value) <= 255
    if key in ("ADDR", "DESTADDR"):
        try:
            return str(ipaddress.ip_address(value[5:] if value[:5].upper() == "IPV6:" else value))
        except ValueError:
            ok = False
    elif key in ("PORT", "DESTPORT"):
        ok = value.isdecimal() and int(value[:6]) < 65536
    elif key == "PROTO":
        ok = value.upper() in ("SMTP", "ESMTP")
    elif key in ("HELO", "NAME"):
        ok = is_helo_name(value.encode("ascii"))
    if not ok:
        raise Refusal(_BAD, f"bad {key}")
    return value


def xclient(session: Session, argument: bytes) -> Reply | None:
    """Apply the attributes; the session then begins anew with a banner, as for a new client."""
    given = parse(argument)
    client = session.client
    if given.get("ADDR"):
        client.ip = given["ADDR"]
    client.name = given.get("NAME", client.name)
    client.port = int(given.get("PORT") or client.port)
    client.helo = given.get("HELO", client.helo)
    client.auth_user = given.get("LOGIN", client.auth_user)
    if "PROTO" in given:
        client.is_esmtp = given["PROTO"].upper() == "ESMTP"
    session.abandon()
    session.state = State.START
    session.greet()
    return None
