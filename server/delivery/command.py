"""The commands of a transaction as bytes, with the parameters that the peer offers to take.

MAIL and RCPT parameters: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET, ENVID, NOTIFY and ORCPT
(RFC 3461). Addresses come from the store; `is_safe` is the fence against anything that could become a command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import idna

from mxward.server.delivery.reply import PeerReply, local

if TYPE_CHECKING:
    from mxward.server.delivery.transaction import Transaction
    from mxward.server.store.api import WorkRecipient

MAX_ADDRESS: Final = 1024  # RFC 5321 4.5.3.1.3 says 256 octets; UTF-8 and quoting stretch it

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_LOOSE: Final = re.compile(r"[<> \"]")
_XTEXT: Final = re.compile(r"[\x21-\x7e]{1,500}\Z")


def is_safe(address: str) -> bool:
    """Whether an address can stand between angle brackets: no control character; space, bracket only in quotes."""
    if len(address) > MAX_ADDRESS or _CONTROL.search(address):
        return False
    return not _LOOSE.search(_QUOTED.sub("", address))


def split(address: str) -> tuple[str, str]:
    """(local part, domain); the domain is "" when there is none."""
    local_part, at, domain = address.rpartition("@")
    return (local_part, domain) if at else (address, "")


def ascii_domain(domain: str) -> str:
    """The domain in lower-case A-label form (RFC 5891). Raises ValueError when it has none."""
    lower = domain.rstrip(".").lower()
    if lower.isascii():
        return lower
    return idna.encode(lower, uts46=True).decode("ascii").lower()


def ascii_address(address: str) -> str:
    """The address with its domain in A-labels when only the domain is not ASCII; else as it is."""
    local_part, domain = split(address)
    if address.isascii() or not local_part.isascii():
        return address
    try:
        return f"{local_part}@{ascii_domain(domain)}"
    except ValueError:  # idna.IDNAError is one
        return address


def impossible(tx: Transaction, extensions: dict[str, str], size_limit: int) -> PeerReply | None:
    """Why this peer can never take this transaction, or None (RFC 1870 section 6, RFC 6531 section 3.5)."""
    if size_limit and tx.size > size_limit:
        return local("5.3.4", f"message of {tx.size} bytes exceeds the next hop's limit of {size_limit}")
    if tx.needs_utf8 and "SMTPUTF8" not in extensions:
        return local("5.6.7", "the message needs SMTPUTF8, which the next hop does not offer")
    return None


def _path(tx: Transaction, address: str) -> str:
    """UTF-8 only where the parameter SMTPUTF8 goes with it."""
    return address if tx.needs_utf8 else ascii_address(address)


def mail(tx: Transaction, extensions: dict[str, str]) -> bytes:
    """MAIL FROM with what the peer offers. 8-bit content goes to a peer without 8BITMIME as it is."""
    out = [f"MAIL FROM:<{_path(tx, tx.sender)}>"]
    if "SIZE" in extensions:
        out.append(f"SIZE={tx.size}")
    if tx.is_8bit and "8BITMIME" in extensions:
        out.append("BODY=8BITMIME")
    if tx.needs_utf8:
        out.append("SMTPUTF8")
    if "DSN" in extensions:
        if tx.ret in ("FULL", "HDRS"):
            out.append(f"RET={tx.ret}")
        if _XTEXT.match(tx.envid):
            out.append(f"ENVID={tx.envid}")
    return (" ".join(out) + "\r\n").encode()


def rcpt(tx: Transaction, recipient: WorkRecipient, extensions: dict[str, str]) -> bytes:
    """RCPT TO with what the peer offers."""
    line = f"RCPT TO:<{_path(tx, recipient.address)}>"
    if "DSN" in extensions:
        if _XTEXT.match(recipient.notify):
            line += f" NOTIFY={recipient.notify}"
        if _XTEXT.match(recipient.orcpt):
            line += f" ORCPT={recipient.orcpt}"
    return (line + "\r\n").encode()


def envelope(tx: Transaction, extensions: dict[str, str]) -> bytes:
    """MAIL, all RCPT and DATA as one group (RFC 2920 section 3.1)."""
    return b"".join((mail(tx, extensions), *(rcpt(tx, r, extensions) for r in tx.rcpts), b"DATA\r\n"))
