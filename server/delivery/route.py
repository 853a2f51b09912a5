"""Which next hop serves a domain, from the configured routes. Names become addresses in resolve.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mxward.server.addresses import split_address
from mxward.server.config import Route


@dataclass(frozen=True, slots=True)
class Hop:
    """One entry of a route's `via`. host and port for smtp and lmtp; path for a unix socket or a Maildir tree."""

    kind: Literal["smtp", "lmtp", "maildir", "mx"]
    host: str = ""
    port: int = 0
    path: str = ""


def parse_via(via: str) -> Hop:
    """A `via` string of the configuration as a Hop. Raises ValueError; the configuration was checked before."""
    if via == "mx":
        return Hop("mx")
    if via.startswith("maildir:"):
        return Hop("maildir", path=via.removeprefix("maildir:"))
    if via.startswith("lmtp:unix:"):
        return Hop("lmtp", path=via.removeprefix("lmtp:unix:"))
    scheme, _, rest = via.partition("://")
    if scheme == "lmtp":
        return Hop("lmtp", *split_address(rest))
    if scheme != "smtp" or not rest:
        raise ValueError(f"{via!r} is no next hop")
    return Hop("smtp", *_host_port(rest, 25))


def _host_port(text: str, default: int) -> tuple[str, int]:
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1], default
    if ":" not in text:
        return text, default
    return split_address(text)


class RouteTable:
    """Exact domain before the longest "*.suffix" before "*"."""

    def __init__(self, routes: list[Route]) -> None:
        self._exact: dict[str, Route] = {}
        self._suffix: dict[str, Route] = {}
        self._any: Route | None = None
        for route in routes:
            if route.domain == "*":
                self._any = self._any or route
            elif route.domain.startswith("*."):
                self._suffix.setdefault(route.domain[2:].lower(), route)
            else:
                self._exact.setdefault(route.domain.lower(), route)

    def find(self, domain: str) -> Route | None:
        """The route of `domain` (lower-case A-labels), or None when nothing matches."""
        found = self._exact.get(domain)
        if found:
            return found
        rest = domain
        while "." in rest:
            rest = rest.partition(".")[2]
            if rest in self._suffix:
                return self._suffix[rest]
        return self._any
