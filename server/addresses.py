"""Socket addresses and networks: as the configuration writes them, as clients are counted. Not mail addresses."""

from __future__ import annotations

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def split_address(address: str) -> tuple[str, int]:
    """ "HOST:PORT" or "[V6]:PORT" -> (host, port). Raises ValueError."""
    host, _, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{address!r}: an IPv6 address is written [ADDRESS]:PORT")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(f"{address!r} is not HOST:PORT")
    return host, int(port)


def join_address(host: str, port: int) -> str:
    """The inverse of `split_address`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def networks(values: list[str]) -> list[Network]:
    """Networks in CIDR form (host bits may be set). Raises ValueError naming the faulty one."""
    return [ipaddress.ip_network(v, strict=False) for v in values]


def client_key(ip: str) -> str:
    """What a client is counted under: an IPv4 address, or the /64 network that one IPv6 host has for itself.

    An IPv4 address written as IPv6 is the IPv4 address; what is no address counts as "unknown".
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
