"""What sessions need of the configuration, made once a reload and swapped as one: lookups are sets and tuples.

A session takes the settings in force at each MAIL; a message is judged by the pipeline in force at its end of data.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from mxward.core.errors import ConfigError
from mxward.core.message import Envelope, Message
from mxward.server.config import Config, Scan, SmtpLimits, networks
from mxward.server.smtp.address import AddressError, parse_mailbox

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
INBOUND, OUTBOUND = "inbound", "outbound"


class Judge(Protocol):
    """The pipeline as this room sees it (mxward.core.pipeline.Pipeline)."""

    @property
    def version(self) -> str: ...

    def judge(self, raw: bytes, envelope: Envelope) -> Message: ...


class Networks:
    """Membership of an address in a list of networks; answers are kept, as few clients make most sessions."""

    def __init__(self, values: Iterable[str]) -> None:
        self._networks = networks(list(values))
        self._holds = lru_cache(maxsize=4096)(self._look)

    def _look(self, ip: str) -> bool:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def __contains__(self, ip: str) -> bool:
        return bool(self._networks) and self._holds(ip)


@dataclass(frozen=True, slots=True)
class Settings:
    """One version of everything that an administrator can set about receiving mail."""

    hostname: str
    banner: bytes
    limits: SmtpLimits
    scan: Scan
    local_domains: frozenset[str]
    postmaster_domain: str
    recipients: frozenset[str] | None  # Address.key of every valid local recipient; None: any
    trusted: Networks
    proxies: Networks
    xclient: Networks
    auth_requires_tls: bool
    pipeline: Judge
    tls: ssl.SSLContext | None = None
    ehlo_cache: dict[tuple[bool, bool, bool], bytes] = field(default_factory=dict)

    def ehlo(self, *, starttls: bool, auth: bool, xclient: bool) -> bytes:
        """The reply to EHLO (RFC 5321 section 4.1.1.1) with the extensions this session may use."""
        key = (starttls, auth, xclient)
        found = self.ehlo_cache.get(key)
        if found is None:
            lines = [self.hostname, "PIPELINING", f"SIZE {self.limits.max_message_bytes}", "8BITMIME", "SMTPUTF8"]
            lines += ["ENHANCEDSTATUSCODES", "DSN", "CHUNKING"]
            lines += ["STARTTLS"] * starttls + ["AUTH PLAIN LOGIN"] * auth
            lines += ["XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"] * xclient
            wire = [f"250-{line}\r\n" for line in lines[:-1]] + [f"250 {lines[-1]}\r\n"]
            found = self.ehlo_cache[key] = "".join(wire).encode("ascii")
        return found


def build(config: Config, pipeline: Judge, tls: ssl.SSLContext | None = None) -> Settings:
    """Settings of a checked configuration. Raises ConfigError when the recipients file is wrong."""
    hostname = config.hostname
    return Settings(
        hostname=hostname,
        banner=f"220 {hostname} {config.smtp.banner}\r\n".encode("ascii", "replace"),
        limits=config.smtp.limits,
        scan=config.scan,
        local_domains=frozenset(config.domains.local),
        postmaster_domain=config.domains.local[0],
        recipients=_recipients(config),
        trusted=Networks(config.smtp.trusted_networks),
        proxies=Networks(config.smtp.trusted_proxies),
        xclient=Networks(config.smtp.xclient_hosts),
        auth_requires_tls=config.smtp.auth_requires_tls,
        pipeline=pipeline,
        tls=tls,
    )


def _recipients(config: Config) -> frozenset[str] | None:
    """Keys of the recipients file: an address a line, "#" begins a comment; "@domain" allows a whole domain."""
    if config.domains.recipients == "any":
        return None
    path = Path(config.domains.recipients)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path), key="domains.recipients") from None
    keys = set()
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        try:
            if text:
                keys.add(text.casefold() if text.startswith("@") else parse_mailbox(text).key)
        except AddressError as error:
            raise ConfigError(str(error), file=str(path), line=number, key=text, allowed="one address a line") from None
    return frozenset(keys)
