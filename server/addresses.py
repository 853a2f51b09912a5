"""Socket addresses and networks as the configuration writes them. Mail addresses are not here."""

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
