"""Who may ask for what, before any page runs: pure functions over the request's head.

Deny by default: a path that is not listed as public needs a session, known or not, so that an outsider cannot tell
which pages exist.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from mxward.server.config import Config

PUBLIC: Final = frozenset(("/login", "/healthz", "/readyz", "/metrics", "/api/openapi.json", "/favicon.ico"))
PUBLIC_PREFIX: Final = "/static/"
# What someone who must change the password first may still reach.
BEFORE_CHANGE: Final = frozenset(("/password", "/logout"))
# Automatic refresh: does not count as use of a session.
AUTOMATIC: Final = frozenset(("/live",))
METHODS: Final = frozenset(("GET", "HEAD", "POST"))
MAX_TARGET_BYTES: Final = 8_192

HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: a form of our own would then say "Origin: null", which the check below must refuse.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
NO_STORE: Final = (b"cache-control", b"no-store")
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


def is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_PREFIX)


def host_name(host: str) -> str:
    """Name of a Host header without its port, lower case; "" when it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return (parts.hostname or "").rstrip(".")


def is_host_allowed(host: str, config: Config) -> bool:
    """A name that is ours, or an address: DNS rebinding needs a name of the attacker's."""
    name = host_name(host)
    if name in {"localhost", config.hostname.lower(), *(h.lower() for h in config.web.hosts)} - {""}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_same_origin(headers: Mapping[str, str], *, secure: bool) -> bool:
    """Whether a changing request comes from one of our own pages, by what the browser says about it.

    `Origin` must name the host that was asked (and https when the console is behind TLS), `Sec-Fetch-Site` must say
    same-origin; one of them must be there, and none may contradict.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is None and site is None:
        return False
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return True
    scheme, _, host = origin.partition("://")
    return host.lower() == headers.get("host", "").lower() and scheme in (("https",) if secure else ("http", "https"))


def is_local(client: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the request comes from this machine itself and not through a proxy on it."""
    if not client or "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def safe_next(target: str) -> str:
    """Where to go after log-in: a path of ours, or the first page; never another origin."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if plain and target.isascii() and target.isprintable() and len(target) <= 2000 else "/"
