"""Eval tests of the addresses of web pages (plug-ins URIEval and WLBLEval)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.domains import domain_of
from mxward.core.rules.spamassassin.evaltools import Eval, evals, keep

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

MAX_LABELS: Final = 11  # of a host, the last ones, that are looked up
MAX_HOPS: Final = 20
_V4: Final = re.compile(rb"\d+\.\d+\.\d+\.\d+")
_REDIRECT: Final = re.compile(rb"https?://([^/:?]+).+?(https?:/{0,2}?([^/:?]+).*)\Z", re.I | re.S)


def check_uri_host_listed(texts: TextSet, name: str) -> bool:
    """Whether the host of an address, or a domain above it, is in a named list."""
    return name in keep(texts, "uri_hosts", _listed)


def check_uri_host_in_blocklist(texts: TextSet) -> bool:
    """check_uri_host_listed of the list BLOCK."""
    return check_uri_host_listed(texts, "BLOCK")


def check_uri_host_in_welcomelist(texts: TextSet) -> bool:
    """check_uri_host_listed of the list WELCOME."""
    return check_uri_host_listed(texts, "WELCOME")


def _listed(texts: TextSet) -> set[str]:
    """Names of the lists that hold a host of this message."""
    listed = texts.site.listed_hosts
    if not listed:
        return set()
    ends = _last_labels(texts.site)
    hosts = {
        host
        for address, uri in texts.uri_detail.items()
        for host in uri.hosts
        if host.rpartition(b".")[2] in ends and address[:7].lower() != b"mailto:"
    }
    found: set[str] = set()
    for host in hosts:
        settled: dict[str, bool] = {}
        for key in _keys(host):
            for name, is_listed in listed.get(key, ()):
                settled.setdefault(name, is_listed)
        found.update(name for name, is_listed in settled.items() if is_listed)
    return found


def _last_labels(site: Site) -> frozenset[bytes]:
    """What a host must end in to be listed, or to be under a listed one."""
    found = site.memo.get("host_ends")
    if found is None:
        hosts = [form for host in site.listed_hosts for form in (host, b"[%b]" % host)]  # an address may be in brackets
        found = site.memo["host_ends"] = frozenset(host.rpartition(b".")[2] for host in hosts)
    assert isinstance(found, frozenset)
    return found


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


_BLOCKED: Final = Eval(check_uri_host_in_blocklist, is_idle=lambda site: "BLOCK" not in site.host_lists)
_WELCOME: Final = Eval(check_uri_host_in_welcomelist, is_idle=lambda site: "WELCOME" not in site.host_lists)
TABLE: Final = evals(check_for_http_redirector, check_uri_truncated) | {
    "check_uri_host_listed": Eval(check_uri_host_listed, is_idle=lambda site, name: name not in site.host_lists),
    "check_uri_host_in_blocklist": _BLOCKED, "check_uri_host_in_blacklist": _BLOCKED,
    "check_uri_host_in_welcomelist": _WELCOME, "check_uri_host_in_whitelist": _WELCOME,
}  # fmt: skip
