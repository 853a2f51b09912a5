"""Which recipients of a message travel together: same next hop, same content, a bounded number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mxward.server.config import Route
from mxward.server.delivery import command
from mxward.server.delivery.reply import PeerReply, local
from mxward.server.delivery.resolve import ResolveError, Resolver, Target
from mxward.server.delivery.route import Hop, RouteTable
from mxward.server.store.api import Work, WorkRecipient

MAX_RCPTS: Final = 100  # a transaction; every server takes so many (RFC 5321 section 4.5.3.1.8)

# Additions that change the delivered copy; "copy" was made a recipient of its own when the message was committed.
_CHANGES: Final = frozenset(("tag", "modify", "encrypt"))


@dataclass(slots=True)
class Group:
    """Recipients with one destination and one content. `refusal`: they cannot be sent at all, and why."""

    route: Route | None
    domain: str  # the destination's domain for MX, "" for fixed hosts
    additions: tuple[tuple[str, str], ...]
    refusal: PeerReply | None = None
    rcpts: list[WorkRecipient] = field(default_factory=list)

    @property
    def key(self) -> tuple[object, ...]:
        """Names the lane: the route's hosts, and the domain when they follow from it."""
        assert self.route is not None
        return (tuple(self.route.via), self.route.tls, self.domain)

    @property
    def chunks(self) -> list[list[WorkRecipient]]:
        return [self.rcpts[i : i + MAX_RCPTS] for i in range(0, len(self.rcpts), MAX_RCPTS)]


def plan(work: Work, routes: RouteTable) -> list[Group]:
    """Groups of the recipients of `work`, in order of first appearance. Never raises on any address."""
    groups: dict[tuple[object, ...], Group] = {}
    sender_is_safe = command.is_safe(work.sender)
    for rcpt in work.recipients:
        refusal = None if sender_is_safe else local("5.1.7", "the sender's address is not valid")
        route, domain = None, ""
        if refusal is None:
            route, domain, refusal = _destination(rcpt.address, routes)
        additions = tuple((kind, argument) for kind, argument in rcpt.additions if kind in _CHANGES)
        key = (id(route), domain, additions, refusal)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(route, domain, additions, refusal)
        group.rcpts.append(rcpt)
    return list(groups.values())


def _destination(address: str, routes: RouteTable) -> tuple[Route | None, str, PeerReply | None]:
    if not command.is_safe(address) or not address:
        return None, "", local("5.1.3", "the recipient's address is not valid")
    try:
        domain = command.ascii_domain(command.split(address)[1])
    except ValueError:
        return None, "", local("5.1.2", "the recipient's domain is not valid")
    route = routes.find(domain)
    if route is None:
        return None, "", local("5.4.4", f"no route leads to {domain or 'an address without domain'}")
    return route, domain if "mx" in route.via else "", None


async def find_targets(resolver: Resolver, hops: list[Hop], domain: str) -> list[Target]:
    """Targets of all hops in order. Raises the last ResolveError when there are none."""
    out: list[Target] = []
    failure = ResolveError(local("4.4.4", "the route has no host"))
    for hop in hops:
        if hop.kind == "maildir":
            continue
        try:
            out.extend(await resolver.targets(hop, domain))
        except ResolveError as error:
            failure = error
    if not out:
        raise failure
    return out
