"""PROXY protocol v1 and v2: finds where the header ends; aiosmtpd's parser reads it.

Only for listeners with proxy_protocol, and only from smtp.trusted_proxies: others are not let in.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from aiosmtpd.proxy_protocol import V2_CMD, get_proxy

V2_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
MAX_V1: Final = 107  # bytes with CRLF, by the specification
MAX_V2: Final = 16 + 4096  # addresses and all the TLVs that proxies in the field send


class ProxyError(ValueError):
    """Not a PROXY header."""


class _Bytes:
    """The reader that the parser wants, over a header that is all there: it never waits."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    async def read(self, n: int = -1) -> bytes:
        end = len(self._data) if n < 0 else self._at + n
        piece = self._data[self._at : end]
        self._at += len(piece)
        return piece

    async def readexactly(self, n: int) -> bytes:
        if self._at + n > len(self._data):
            raise ProxyError("header too short")
        return await self.read(n)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        found = self._data.find(separator, self._at)
        if found < 0:
            raise ProxyError("header too short")
        return await self.read(found + len(separator) - self._at)


def header_size(data: bytes) -> int:
    """Length of the PROXY header at the start of data; 0 while it is incomplete. Raises ProxyError."""
    if data[:6] == b"PROXY "[: len(data[:6])]:
        end = data.find(b"\r\n", 0, MAX_V1) + 2
        if end >= 2:
            return end
        if len(data) >= MAX_V1:
            raise ProxyError("v1 header too long")
        return 0
    if data[:12] != V2_SIGNATURE[: len(data[:12])]:
        raise ProxyError("no PROXY header")
    if len(data) < 16:
        return 0
    size = 16 + int.from_bytes(data[14:16], "big")
    if size > MAX_V2:
        raise ProxyError("v2 header too long")
    return size if len(data) >= size else 0


def parse(header: bytes) -> tuple[str, int] | None:
    """(ip, port) of the client; None when the proxy speaks for itself (LOCAL, UNKNOWN). Raises ProxyError."""
    coroutine = get_proxy(_Bytes(header))
    try:
        coroutine.send(None)
    except StopIteration as end:
        found = end.value
    except Exception as error:
        raise ProxyError(f"malformed PROXY header: {type(error).__name__}") from None
    else:
        coroutine.close()
        raise ProxyError("malformed PROXY header")
    if not found.valid:
        raise ProxyError(str(found.error) or "malformed PROXY header")
    if found.version == 2 and found.command == V2_CMD.LOCAL:
        return None
    if isinstance(found.src_addr, IPv4Address | IPv6Address):
        return str(found.src_addr), int(found.src_port or 0)
    return None
