"""pyx/mailfacts: hosts of links as an expression finds them, and facts in every form that they take."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.extract.address import Mailbox
from mxward.core.extract.views import Link
from mxward.pyx import mailfacts
from mxward.pyx.mime import parse

HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@\\]*(@))?\[?([^/?#\\\]:]+)(?:\]?:(\d+))?", re.I)
PIECES = ("http:", "HTTPS:", "//", "/", "a.example", "B.Example", "user", "@", "[", "]", "::1", ":80", ":8080", "?",
          "#", "\\", ":", "1", ".", "xn--x", "\u00e9", "x y", "-", "+", "data")  # fmt: skip
ADDRESSES = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
FREE = frozenset(("free.example",))


def slow_links(found: list[Link], domain: str) -> tuple[list[str], set[str]]:
    """The facts by the expression, each in its own loop."""
    organisation = mailfacts.organisation
    owner = organisation(domain) if domain else ""
    matches = [(link, HOST.match(link.url)) for link in found]
    others = [(link, match) for link, match in matches if link.kind != "img"]
    hosts = {match[2].lower().rstrip(".") for _, match in others if match}
    owners = {organisation(host) for host in hosts}
    facts = {fact for host in hosts for fact in mailfacts._of_host(host)}
    if any(link.kind == "img" and match and organisation(match[2].lower()) != owner for link, match in matches):
        facts.add("picture from elsewhere")
    for link, match in others:
        if match is None:
            facts.add(f"scheme {link.url.partition(':')[0].lower()}" if ":" in link.url[:12] else "no scheme")
            continue
        shown = re.search(r"(?:https?://|www\.)([a-z0-9.-]+\.[a-z]{2,})", link.words, re.I)
        told = {
            "link with a user name": match[1], "link to a port": match[3] and match[3] not in ("80", "443"),
            "link with an address": "@" in link.url[8:],
            "link shows another place": link.kind == "a" and shown
            and organisation(shown[1].lower()) != organisation(match[2].lower().rstrip(".")),
        }  # fmt: skip
        facts.update(fact for fact, holds in told.items() if holds)
    whose = "hosts foreign" if owner not in owners else "hosts own" if len(owners) == 1 else "hosts mixed"
    facts.update({f"hosts {len(hosts).bit_length()}", whose} if hosts else {"no hosts"})
    for kind in ("a", "img", "text"):
        facts.add(f"links {kind} {sum(link.kind == kind for link in found).bit_length()}")
    return sorted(facts), owners


LINKS = st.builds(
    Link, st.just(0), st.sampled_from(("a", "img", "text", "form")), ADDRESSES,
    st.sampled_from(("", "here", "www.a.example", "https://other.example/x", "a.b")),
)  # fmt: skip


@given(st.lists(LINKS, max_size=6), st.sampled_from(("", "a.example", "b.co.uk")))
def test_links_are_told_as_by_the_expression(found: list[Link], domain: str) -> None:
    assert mailfacts.links(found, domain) == slow_links(found, domain)


def test_so_many_links_are_looked_at() -> None:
    found = [Link(0, "a", f"https://h{n}.example/", "") for n in range(mailfacts.MAX_LINKS + 50)]
    assert len(mailfacts.links(found, "")[1]) == mailfacts.MAX_LINKS


@pytest.mark.parametrize("wrong", [[None], [()], [(0, "a", "x")], [(0, 1, "x", "")], [(0, "a", b"x", "")]])
def test_what_is_no_link_is_refused(wrong: list[Any]) -> None:
    with pytest.raises(TypeError):
        mailfacts.links(wrong, "")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1.2.3", {"link to a number", "host digits"}), ("0x7f", {"link to a number"}),
        ("xn--x.example", {"link to a foreign name"}),
        ("b\u00fccher.example", {"link to a foreign name"}), ("a" * 21 + ".example", {"host long"}),
        ("a.b.c.d.example", {"host deep"}), ("h1234.example", {"host digits"}), ("a-b-c-d.example", {"host dashes"}),
        ("plain.example", set()),
    ],
)  # fmt: skip
def test_names_of_hosts(host: str, expected: set[str]) -> None:
    assert set(mailfacts._of_host(host)) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.b.example", "b.example"),
        ("a.b.co.uk", "b.co.uk"),
        ("b.co.uk.", "b.co.uk"),
        ("x", "x"),
        ("", ""),
        ("co.uk", "co.uk"),
    ],
)
def test_organisations(host: str, expected: str) -> None:
    assert mailfacts.organisation(host) == expected


@given(st.text(alphabet="aZ9 :RreFW\u00c9\u017f[]1", max_size=40))
def test_subjects(text: str) -> None:
    found = mailfacts.subject(text)
    letters = sum(c.isascii() and c.isalpha() for c in text)
    capitals = sum(c.isascii() and c.isupper() for c in text)
    assert found[0] == f"subject {(len(text) // 8).bit_length()}"
    assert ("subject capitals" in found) == (letters > 7 and capitals * 10 > letters * 6)
    assert ("subject foreign" in found) == (not text.isascii())
    assert ("subject digits" in found) == (sum(c in "0123456789" for c in text) > 5)
    assert ("subject reply" in found) == bool(re.match(r"\s*(?:re|aw|sv|antw|res|rif|odp)\s*(?:\[\d+\])?:", text, re.I))


@pytest.mark.parametrize(
    ("display", "address", "expected"),
    [
        ("", "x@a.example", ["author unnamed"]),
        ("Ann Archer", "ann@a.example", ["author named"]),
        ("Ann Archer", "bob@a.example", ["author named", "author name unlike address"]),
        ("Al", "al@free.example", ["author named", "author free", "author name unlike address"]),
        ("BOSS", "boss@a.example", ["author named", "author capitals"]),
        ("boss@b.example", "boss@a.example", ["author named", "author name an address"]),
        ("J\u00f6rg", "j\u00f6rg@a.example", ["author named", "author name foreign"]),
        ("Ann", "ann1234@a.example", ["author named", "author digits"]),
        ("Ann", "annxkcdqz@a.example", ["author named", "author random"]),
    ],
)
def test_authors(display: str, address: str, expected: list[str]) -> None:
    assert mailfacts.author(Mailbox(display, address), [], FREE) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("x@b.a.example", "near"), ("x@free.example", "free"), ("x@b.example", "far"), ("A@a.example", None), ("", None)],
)
def test_where_answers_go(answer: str, expected: str | None) -> None:
    found = mailfacts.author(Mailbox("", "a@a.example"), [Mailbox("", answer)], FREE)
    assert [fact for fact in found if fact.startswith("answers")] == ([f"answers {expected}"] if expected else [])


@given(st.text(alphabet="ab_9 .\u00e9", max_size=12), st.text(alphabet="ab_9.@\u00e9", max_size=12))
def test_words_of_a_name_in_the_address(display: str, address: str) -> None:
    alike = any(word in address for word in re.findall(r"\w{3,}", display))
    found = mailfacts.author(Mailbox(display, address), [], FREE)
    assert ("author name unlike address" in found) == (bool(display) and not alike)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"", ["to nobody"]), (b"To: undisclosed-recipients:;\r\n", ["to hidden"]), (b"To: a@b\r\n", ["to 1"]),
        (b"To: " + b"a@b, " * 100 + b"\r\n", ["to 4"]), (b"To: a@b\r\nReferences: <1@x>\r\n", ["to 1", "an answer"]),
        (b"To: a@b\r\nAuto-Submitted: Auto-Replied\r\n", ["to 1", "automatic"]),
        (b"To: a@b\r\nX-Priority: 1 (Highest)\r\n", ["to 1", "urgent"]),
        (b"To: a@b\r\nImportance: High\r\n", ["to 1", "urgent"]),
    ],
)  # fmt: skip
def test_addressing(fields: bytes, expected: list[str]) -> None:
    assert mailfacts.addressing(parse(fields + b"\r\nx")) == expected


def test_how_it_is_built() -> None:
    def part(kind: str, true_type: str = "", disposition: str = "", reading: int = 0) -> Any:
        return SimpleNamespace(content_type=kind, true_type=true_type, disposition=disposition, reading=reading)

    parts = [part("multipart/mixed"), part("text/html"), part("text/plain"),
             part("application/pdf", "application/pdf", "attachment"), part("image/png", reading=1)]  # fmt: skip
    mime = parse(b"Subject: x\r\nSubject: y\r\n\r\nx")
    assert mailfacts.structure(parts, mime, 9, (2, 0, 1)) == [
        "shape both", "text 4", "an attachment", "part multipart/mixed", "part application/pdf",
        "part true application/pdf", "forms", "scripts", "odd duplicate_field",
    ]  # fmt: skip
    assert mailfacts.structure([part("text/plain")], parse(b"Subject: x\r\n\r\nx\r\n"), 0, (1, 1, 1)) == [
        "shape plain",
        "text 0",
    ]
    many = [part(f"x/{n}") for n in range(20)]
    assert sum(fact.startswith("part ") for fact in mailfacts.structure(many, mime, 0, (0, 0, 0))) == 8
