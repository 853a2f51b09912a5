"""Relative addresses resolved against a base, with the liberties that mail clients take.

Source: RFC 3986 5.2; behaviour of SpamAssassin 4.0.1: a scheme equal to the base's does not make an address absolute,
and "//www.x.example" without a base is meant as http.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mxward.core.bounded import cache_short

_PARTS: Final = re.compile(
    rb"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([^\n]*))?", re.S
)  # RFC 3986, appendix B
_WWW: Final = re.compile(rb"www\d*\.", re.I)
_FTP: Final = re.compile(rb"ftp\d*\.", re.I)


class _Parts(NamedTuple):
    scheme: bytes | None
    authority: bytes | None
    path: bytes
    query: bytes | None
    fragment: bytes | None


@cache_short(256)
def _split(uri: bytes) -> _Parts:
    found = _PARTS.match(uri)
    assert found is not None, "every part may be empty"
    return _Parts(found[1], found[2], found[3] or b"", found[4], found[5])


def target(base: bytes, uri: bytes) -> bytes:
    """The address that is meant; the address itself, made plain, without a base. Never raises."""
    if not base and b"/." not in uri and uri[:7].lower() in (b"http://", b"https:/"):
        return uri
    given, known = _split(uri), _split(base)
    scheme = None if given.scheme is not None and given.scheme == known.scheme else given.scheme
    authority, query = given.authority, given.query
    if scheme is not None or authority is not None:
        path = _plain(given.path)
        scheme = scheme if scheme is not None else known.scheme
    else:
        authority, scheme = known.authority, known.scheme
        if not given.path:
            path = known.path
            query = given.query if given.query is not None else known.query
        elif given.path.startswith(b"/"):
            path = _plain(given.path)
        else:
            path = _plain(_merged(known, given.path))
    return _joined(_Parts(scheme, authority, path, query, given.fragment))


def _joined(parts: _Parts) -> bytes:
    text = b""
    if parts.scheme:
        text = parts.scheme + b":"
    elif parts.authority is not None:
        text = b"http:" if _WWW.match(parts.authority) else b"ftp:" if _FTP.match(parts.authority) else b""
    if parts.authority is not None:
        text += b"//" + parts.authority
    text += parts.path
    if parts.query is not None:
        text += b"?" + parts.query
    return text if parts.fragment is None else text + b"#" + parts.fragment


def _merged(base: _Parts, path: bytes) -> bytes:
    if base.authority is not None and not base.path:
        return b"/" + path
    return base.path[: base.path.rfind(b"/") + 1] + path


def _plain(path: bytes) -> bytes:
    """Without "." and ".." (RFC 3986 5.2.4)."""
    if b"/." not in path and not path.startswith(b"."):
        return path
    if path.startswith((b"./", b"../")):
        path = path[path.index(b"/") :]
    kept: list[bytes] = []
    segments = re.findall(rb"/?[^/]+|/", path)
    for segment in segments:
        if segment == b"/..":
            kept = kept[:-1]
        elif segment != b"/.":
            kept.append(segment)
    return b"".join(kept) + (b"/" if segments and segments[-1] in (b"/.", b"/..") else b"")
