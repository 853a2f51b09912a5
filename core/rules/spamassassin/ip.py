"""Patterns of IP addresses as they stand in header fields, and their reverse form for lookups.

Source: RFC 1918, RFC 4193, RFC 4291, RFC 5735, RFC 6598; RFC 5782 2.4 (reverse form).
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

_OCTET: Final = rb"(?:1\d\d|2[0-4]\d|25[0-5]|[1-9]\d|\d)"
_V4: Final = rb"(?:" + _OCTET + rb"\.){3}" + _OCTET
_HEX: Final = rb"[a-f0-9]{1,4}"
# Groups before and after "::", so many that at least two groups are left out; then without it.
_SHORT: Final = rb"|".join(
    rb"(?:" + _HEX + rb":){%d}(?::" % before + _HEX + rb"){1,%d}" % (7 - before) for before in range(1, 7)
)
_SHORT_MAPPED: Final = rb"|".join(
    rb"(?:" + _HEX + rb":){%d}:(?:" % before + _HEX + rb":){1,%d}" % (5 - before) for before in range(1, 5)
)
_V6: Final = (
    rb"(?:IPv6:|(?<![a-f0-9:]))(?:"
    rb"(?:(?:"
    + _HEX
    + rb":){6}|::(?:"
    + _HEX
    + rb":){0,5}|"
    + _SHORT_MAPPED
    + rb"|(?:"
    + _HEX
    + rb":){1,5}:)"
    + _V4
    + rb"|(?:"
    + _HEX
    + rb":){7}"
    + _HEX
    + rb"|:(?::"
    + _HEX
    + rb"){1,7}|"
    + _SHORT
    + rb"|(?:"
    + _HEX
    + rb":){1,7}:|::)(?![a-f0-9:])"
)
V4: Final = re.compile(rb"\b" + _V4 + rb"\b")
ADDRESS: Final = re.compile(rb"(?:\b(?<!:)" + _V4 + rb"\b|" + _V6 + rb")", re.I)
LOCALHOST: Final = rb"(?:localhost(?:\.localdomain)?|(?:IPv6:)?(?:::ffff:)?127\.0\.0\.1|(?:IPv6:)?::1)"
_MAPPED: Final = re.compile(r"(?:0{1,4}:|:)+ffff:", re.I)
_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
_PRIVATE_V6: Final = (ipaddress.ip_network("fe80::/10"), ipaddress.ip_network("::1/128"))


def is_v4(text: bytes) -> bool:
    """Whether the text is one IPv4 address and nothing else."""
    return V4.fullmatch(text) is not None


def is_address(text: bytes) -> bool:
    """Whether the text is one address, IPv4 or IPv6, and nothing else."""
    return ADDRESS.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_private(text: bytes) -> bool:
    """Whether the address cannot be that of a host on the internet: private, shared, link-local, loopback."""
    written = text.decode("latin-1").lower().removeprefix("ipv6:")
    try:
        address = ipaddress.ip_address(_MAPPED.sub("", written, count=1) if "." in written else written)
    except ValueError:
        return bool(re.match(rb"(?:10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.", text))
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _PRIVATE)
    return any(address in network for network in _PRIVATE_V6)


def reverse(text: bytes) -> bytes:
    """The address as a name to be looked up under a list; b"" when it is none."""
    try:
        address = ipaddress.ip_address(text.decode("latin-1"))
    except ValueError:
        return b""
    if isinstance(address, ipaddress.IPv4Address):
        return b".".join(reversed(str(address).encode().split(b".")))
    return ".".join(reversed(address.exploded.replace(":", ""))).encode()
