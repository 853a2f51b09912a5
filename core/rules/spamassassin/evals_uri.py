"""Eval tests of the addresses of web pages (plug-ins URIEval and WLBLEval)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.domains import domain_of
from mxward.core.rules.spamassassin.evaltools import NOT_ZERO, Bound, Measured, evals, measured

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

MAX_LABELS: Final = 11  # of a host, the last ones, that are looked up
MAX_HOPS: Final = 20
_V4: Final = re.compile(rb"\d+\.\d+\.\d+\.\d+")
_REDIRECT: Final = re.compile(rb"https?://([^/:?]+).+?(https?:/{0,2}?([^/:?]+).*)\Z", re.I | re.S)


def check_uri_host_listed(name: str) -> Bound:
    """Whether the host of an address, or a domain above it, is in a named list."""
    return Bound(_lists_of_hosts, name, NOT_ZERO)


def check_uri_host_in_blocklist() -> Bound:
    """check_uri_host_listed of the list BLOCK."""
    return check_uri_host_listed("BLOCK")


def check_uri_host_in_welcomelist() -> Bound:
    """check_uri_host_listed of the list WELCOME."""
    return check_uri_host_listed("WELCOME")


def _lists_of_hosts(texts: TextSet, names: Collection[str]) -> Iterable[tuple[str, float]]:
    return [(name, 1) for name in _listed(texts) if name in names]


def _listed(texts: TextSet) -> set[str]:
    """Names of the lists that hold a host of this message."""
    listed = texts.site.listed_hosts
    if not listed:
        return set()
    ends = _ends(texts.site)
    hosts: set[bytes] = set()
    for uri in texts.uri_detail.values():
        hosts.update(uri.hosts)
    hosts = {host for host in hosts if _end(host) in ends or host.rpartition(b".")[2] in ends}
    if hosts:
        hosts &= {
            host for address, uri in texts.uri_detail.items() if address[:7].lower() != b"mailto:" for host in uri.hosts
        }
    found: set[str] = set()
    for host in hosts:
        settled: dict[str, bool] = {}
        for key in _keys(host):
            for name, is_listed in listed.get(key, ()):
                settled.setdefault(name, is_listed)
        found.update(name for name, is_listed in settled.items() if is_listed)
    return found


def _ends(site: Site) -> frozenset[bytes]:
    """What a host must end in, in one label or two, to be listed or under a listed one."""
    found = site.memo.get("host_ends")
    if found is None:
        hosts = [form for host in site.listed_hosts for form in (host, b"[%b]" % host)]  # an address may be in brackets
        found = site.memo["host_ends"] = frozenset(_end(host) for host in hosts)
    assert isinstance(found, frozenset)
    return found


def _end(host: bytes) -> bytes:
    """The last two labels."""
    return b".".join(host.rsplit(b".", 2)[-2:])


def _keys(host: bytes) -> list[bytes]:
    """The host and the domains above it, the longest first."""
    if host.startswith(b"[") and host.endswith(b"]"):
        return [host[1:-1]]
    if _V4.fullmatch(host):
        return [host]
    labels = host.split(b".")
    return [b".".join(labels[at:]) for at in range(max(0, len(labels) - MAX_LABELS), len(labels))]


def check_for_http_redirector(texts: TextSet) -> bool:
    """Whether an address holds another one of a different domain."""
    return any(_is_redirector(uri, texts.site) for uri in texts.uris if uri.lower().count(b"http") > 1)


def _is_redirector(uri: bytes, site: Site) -> bool:
    for _ in range(MAX_HOPS):
        found = _REDIRECT.match(uri)
        if found is None:
            return False
        outer, inner = (domain_of(host, site) for host in (found[1], found[3]))
        if (outer[0] if outer else found[1]) != (inner[0] if inner else found[3]):
            return True
        uri = found[2]
    return False


def check_uri_truncated(texts: TextSet) -> bool:
    """Whether an address was too long to be looked at as a whole."""
    return texts.uri_list.is_truncated


TABLE: Final = (
    evals(check_for_http_redirector, check_uri_truncated)
    | measured(check_uri_host_listed, check_uri_host_in_blocklist, check_uri_host_in_welcomelist)
    | {
        "check_uri_host_in_blacklist": Measured(check_uri_host_in_blocklist),
        "check_uri_host_in_whitelist": Measured(check_uri_host_in_welcomelist),
    }
)
