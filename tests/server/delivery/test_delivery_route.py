"""Routes: which one serves a domain, what a `via` means, and who travels together."""

from __future__ import annotations

import pytest

from mxward.server.config import Route
from mxward.server.delivery.planning import MAX_RCPTS, plan
from mxward.server.delivery.route import Hop, RouteTable, parse_via
from mxward.server.store.api import Work, WorkRecipient


def table(*domains: str) -> RouteTable:
    return RouteTable([Route(domain=d, via=[f"smtp://{d.replace('*', 'any')}"]) for d in domains])


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("a.example", "a.example"),
        ("b.a.example", "*.a.example"),
        ("c.b.a.example", "*.b.a.example"),
        ("d.c.b.a.example", "*.b.a.example"),
        ("xa.example", "*"),
        ("example", "*"),
        ("", "*"),
    ],
)
def test_the_most_precise_route_wins(domain: str, expected: str) -> None:
    route = table("*", "*.a.example", "a.example", "*.b.a.example").find(domain)
    assert route is not None
    assert route.domain == expected


def test_without_a_match_there_is_none() -> None:
    assert table("a.example").find("b.example") is None


@pytest.mark.parametrize(
    ("via", "hop"),
    [
        ("mx", Hop("mx")),
        ("smtp://h.example", Hop("smtp", "h.example", 25)),
        ("smtp://h.example:587", Hop("smtp", "h.example", 587)),
        ("smtp://[2001:db8::1]", Hop("smtp", "2001:db8::1", 25)),
        ("smtp://[2001:db8::1]:26", Hop("smtp", "2001:db8::1", 26)),
        ("lmtp://127.0.0.1:24", Hop("lmtp", "127.0.0.1", 24)),
        ("lmtp:unix:/run/d/lmtp", Hop("lmtp", path="/run/d/lmtp")),
        ("maildir:maildir", Hop("maildir", path="maildir")),
    ],
)
def test_via(via: str, hop: Hop) -> None:
    assert parse_via(via) == hop


@pytest.mark.parametrize("via", ["", "smtp:", "smtp://", "http://x", "smtp://h:port", "lmtp://h"])
def test_wrong_via(via: str) -> None:
    with pytest.raises(ValueError):
        parse_via(via)


def work(*rcpts: tuple[str, list[list[str]]], sender: str = "s@here.example") -> Work:
    rows = [WorkRecipient(n, address, "", "", 0, additions, False) for n, (address, additions) in enumerate(rcpts)]
    return Work("Q" * 16, 0, "inbound", sender, 1, False, "", "", "", b"", "smtp", rows)


def test_same_hosts_and_content_travel_together() -> None:
    routes = RouteTable([Route(domain="*", via=["smtp://smart"]), Route(domain="m.example", via=["mx"])])
    tag = [["tag", "X-Spam: yes"]]
    groups = plan(
        work(("a@x.example", []), ("b@y.example", []), ("c@m.example", []), ("d@z.example", tag), ("e@q.example", tag),
             ("f@r.example", [["copy", "boss@x.example"]])), routes)  # fmt: skip
    assert [[r.n for r in g.rcpts] for g in groups] == [[0, 1, 5], [2], [3, 4]]
    assert [g.domain for g in groups] == ["", "m.example", ""]
    assert groups[0].key == groups[2].key
    assert groups[0].additions == ()


def test_many_recipients_are_split() -> None:
    groups = plan(work(*((f"u{i}@x.example", []) for i in range(250))), table("*"))
    assert [len(c) for c in groups[0].chunks] == [MAX_RCPTS, MAX_RCPTS, 50]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("a@nowhere.example", "5.4.4"),
        ("no-domain", "5.4.4"),
        ("a@\u00a0.example", "5.1.2"),
        ("a\r\nb@x.example", "5.1.3"),
        ("\ud800@x.example", "5.1.3"),
    ],
)
def test_what_cannot_be_sent_is_refused(address: str, code: str) -> None:
    (group,) = plan(work((address, [])), table("x.example"))
    assert group.refusal is not None
    assert group.refusal.enhanced == code


def test_international_domains_are_found_by_their_ascii_form() -> None:
    (group,) = plan(work(("a@B\u00fccher.example", [])), table("xn--bcher-kva.example"))
    assert group.refusal is None
