"""Mail hosts of a domain and addresses of a host, by DNS (RFC 5321 section 5.1, RFC 7505).

Doubt is temporary: SERVFAIL, time-outs and broken answers defer and never bounce. Only the DNS saying so makes a
failure permanent. Hosts that publish loopback or unspecified addresses, and MX lists that lead back to this
gateway, are refused. Answers are cached by their TTL within bounds.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from mxward.server.addresses import split_address
from mxward.server.delivery.reply import PeerReply, local
from mxward.server.delivery.route import Hop

MAX_HOSTS: Final = 16  # MX hosts looked at; more is abuse
MAX_ADDRESSES: Final = 4  # addresses tried a host and family
MAX_CACHE: Final = 20_000
MIN_TTL, MAX_TTL = 5.0, 3600.0
NEGATIVE_TTL: Final = 60.0
FAILURE_TTL: Final = 10.0  # a server that fails is asked again soon


class ResolveError(Exception):
    """The next hop cannot be found; `reply` says why, 5xx only when the DNS says so."""

    def __init__(self, reply: PeerReply) -> None:
        self.reply = reply
        super().__init__(str(reply))


@dataclass(frozen=True, slots=True)
class Target:
    """One address to connect to. `host` is the name for TLS and the log; address "" with a unix `path`."""

    host: str
    address: str
    port: int
    lmtp: bool = False
    path: str = ""

    def __str__(self) -> str:
        scheme = "lmtp" if self.lmtp else "smtp"
        if self.path:
            return f"lmtp:unix:{self.path}"
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{shown}:{self.port}" + (f" [{self.address}]" if self.address != self.host else "")


@dataclass(slots=True)
class _Answer:
    records: list[Any]
    missing: bool  # NXDOMAIN
    expires: float
    failure: str = ""


def is_forbidden(address: str) -> bool:
    """Addresses that no MX of a stranger may lead us to."""
    ip = ipaddress.ip_address(address)
    return ip.is_loopback or ip.is_unspecified or ip.is_multicast or ip.is_link_local


class Resolver:
    """Cached lookups. Safe to use from one event loop; lookups of one name at a time are merged."""

    def __init__(
        self,
        servers: Sequence[str] = (),
        *,
        own_names: Sequence[str] = (),
        own_addresses: Sequence[str] = (),
        forbidden: Callable[[str], bool] = is_forbidden,
        timeout: float = 5.0,
        lifetime: float = 20.0,
        mx_port: int = 25,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """servers: "IP" or "IP:PORT", empty for the system's; lifetime: seconds a lookup may take in all."""
        self._resolver = _make_resolver(servers, timeout, lifetime)
        self._uses_system = not servers
        self._own_names = frozenset(n.lower().rstrip(".") for n in own_names)
        self._own_addresses = frozenset(own_addresses)
        self._forbidden, self._mx_port, self._now = forbidden, mx_port, now
        self._cache: dict[tuple[str, str], _Answer] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[_Answer]] = {}
        self._random = random.Random()  # noqa: S311 - spreads load over equal MX hosts, no secret

    async def targets(self, hop: Hop, domain: str) -> list[Target]:
        """Addresses of a hop in the order to try them. Raises ResolveError."""
        if hop.kind == "mx":
            return await self._mail_hosts(domain)
        lmtp = hop.kind == "lmtp"
        if hop.path:
            return [Target(hop.path, "", 0, lmtp, hop.path)]
        try:
            addresses = await self._host_addresses(hop.host)
        except ResolveError as error:  # a configured host that has no address is our fault: the mail waits
            raise ResolveError(local("4.4.4", f"next hop {hop.host}: {error.reply.text}")) from None
        return [Target(hop.host, a, hop.port, lmtp) for a in addresses]

    async def _host_addresses(self, host: str) -> list[str]:
        if _is_address(host):
            return [host]
        if self._uses_system or host == "localhost":
            return await _system_addresses(host)
        return await self._addresses(host)

    async def _mail_hosts(self, domain: str) -> list[Target]:
        if domain.startswith("["):
            return self._literal(domain)
        try:
            dns.name.from_text(domain)
        except dns.exception.DNSException:
            raise ResolveError(local("5.1.2", f"{domain[:80]!r} is no domain name")) from None
        answer = await self._ask(domain, "MX")
        if answer.missing:
            raise ResolveError(local("5.1.2", f"domain {domain} does not exist"))
        listed = [(r.preference, r.exchange.to_text(omit_final_dot=True).lower()) for r in answer.records]
        if not listed:
            listed = [(0, domain)]  # RFC 5321 5.1: the implicit MX
        elif all(host == "." for _, host in listed):
            raise ResolveError(local("5.1.10", f"domain {domain} accepts no mail (null MX)"))
        shuffled = sorted(((p, self._random.random(), h) for p, h in listed if h != "."))[:MAX_HOSTS]
        found = await asyncio.gather(*(self._addresses(h) for _, _, h in shuffled), return_exceptions=True)
        return self._usable(domain, [(p, h) for p, _, h in shuffled], found)

    def _usable(
        self, domain: str, hosts: list[tuple[int, str]], found: Sequence[list[str] | BaseException]
    ) -> list[Target]:
        """Drop ourselves with all hosts of our preference or worse, and forbidden addresses."""
        out: list[Target] = []
        limit = min((p for (p, h), a in zip(hosts, found, strict=True) if self._is_own(h, a)), default=None)
        temporary: ResolveError | None = None
        n_forbidden = 0
        for (preference, host), addresses in zip(hosts, found, strict=True):
            if isinstance(addresses, ResolveError):
                temporary = addresses if addresses.reply.code < 500 else temporary
            elif isinstance(addresses, BaseException):
                raise addresses
            elif limit is None or preference < limit:
                allowed = [a for a in addresses if not self._forbidden(a)]
                n_forbidden += len(addresses) - len(allowed)
                out.extend(Target(host, a, self._mx_port) for a in allowed)
        if out:
            return out
        if temporary:
            raise temporary
        if limit is not None:
            raise ResolveError(local("5.4.6", f"mail for {domain} loops back to this gateway"))
        why = "only loopback or unusable addresses" if n_forbidden else "no address"
        raise ResolveError(local("5.4.4", f"the mail hosts of {domain} have {why}"))

    def _is_own(self, host: str, addresses: list[str] | BaseException) -> bool:
        if host in self._own_names:
            return True
        return not isinstance(addresses, BaseException) and not self._own_addresses.isdisjoint(addresses)

    def _literal(self, domain: str) -> list[Target]:
        """An address literal, "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3)."""
        text = domain[1:-1] if domain.endswith("]") else ""
        text = text[5:] if text[:5].lower() == "ipv6:" else text
        if not _is_address(text):
            raise ResolveError(local("5.1.2", f"{domain} is no address literal"))
        if self._forbidden(text) or text in self._own_addresses:
            raise ResolveError(local("5.4.6", f"mail for {domain} loops back to this gateway"))
        return [Target(text, text, self._mx_port)]

    async def _addresses(self, host: str) -> list[str]:
        """A then AAAA. Raises ResolveError: temporary when any lookup failed, else permanent."""
        v4, v6 = await asyncio.gather(self._ask(host, "A", soft=True), self._ask(host, "AAAA", soft=True))
        out = [r.address for r in v4.records[:MAX_ADDRESSES]] + [r.address for r in v6.records[:MAX_ADDRESSES]]
        if out:
            return out
        failure = v4.failure or v6.failure
        if failure:
            raise ResolveError(local("4.4.3", f"name server failure for {host}: {failure}"))
        raise ResolveError(local("5.4.4", f"host {host} has no address"))

    async def _ask(self, name: str, kind: str, *, soft: bool = False) -> _Answer:
        """One lookup through the cache. A failure raises ResolveError unless `soft`."""
        key = (name, kind)
        answer = self._cache.get(key)
        if answer is None or answer.expires <= self._now():
            task = self._asking.get(key)
            if task is None:
                task = self._asking[key] = asyncio.get_running_loop().create_task(self._lookup(name, kind))
                task.add_done_callback(lambda _: self._asking.pop(key, None))
            answer = await asyncio.shield(task)
            self._remember(key, answer)
        if answer.failure and not soft:
            raise ResolveError(local("4.4.3", f"name server failure for {name}: {answer.failure}"))
        return answer

    def _remember(self, key: tuple[str, str], answer: _Answer) -> None:
        if len(self._cache) >= MAX_CACHE:
            for old in list(self._cache)[: MAX_CACHE // 10]:
                del self._cache[old]
        self._cache[key] = answer

    async def _lookup(self, name: str, kind: str) -> _Answer:
        now = self._now()
        try:
            found = await self._resolver.resolve(f"{name}.", kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return _Answer([], True, now + NEGATIVE_TTL)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return _Answer([], False, now + FAILURE_TTL, failure=type(error).__name__)
        ttl = max(MIN_TTL, min(MAX_TTL, float(found.chaining_result.minimum_ttl)))
        records = list(found.rrset) if found.rrset is not None else []
        return _Answer(records, False, now + (ttl if records else min(ttl, NEGATIVE_TTL)))


def _make_resolver(servers: Sequence[str], timeout: float, lifetime: float) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [_name_server(s) for s in servers]
    resolver.timeout, resolver.lifetime = timeout, lifetime
    resolver.cache = None  # ours
    return resolver


def _name_server(text: str) -> dns.nameserver.Nameserver:
    host, port = (text, 53) if _is_address(text) else split_address(text)
    return dns.nameserver.Do53Nameserver(host, port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def _system_addresses(host: str) -> list[str]:
    """By the system's resolver, /etc/hosts included."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=1)
    except OSError as error:
        raise ResolveError(local("4.4.3", f"{host} cannot be resolved: {error.strerror or error}")) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return addresses[: 2 * MAX_ADDRESSES]
