"""Addresses of web pages and mail: found, put into all forms they may be meant as, and put under domains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.samail import SITE, mail, texts
from mxward.core.rules.spamassassin.canonical import canonical
from mxward.core.rules.spamassassin.domains import domain_of, registered_domain
from mxward.core.rules.spamassassin.relative import target


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        (b"http://a.example/", {b"http://a.example/"}),
        (b"a.example", {b"a.example", b"http://a.example"}),
        (b"http:a.example", {b"http:a.example", b"http://a.example"}),
        (b"#top", {b"#top"}),
        (b"http://a.example?x", {b"http://a.example?x", b"http://a.example/?x"}),
        (b"http://a%2eexample/", {b"http://a%2eexample/", b"http://a.example/"}),
        (b"http://a.example:80/", {b"http://a.example:80/", b"http://a.example/"}),
        (
            b"http://go.example/out?to=http://b.example/",
            {b"http://go.example/out?to=http://b.example/", b"http://b.example/"},
        ),
        (b"http://0x7f000001/", {b"http://0x7f000001/", b"http://127.0.0.1/"}),
        (b"http://1113343453/", {b"http://1113343453/", b"http://66.92.69.221/"}),
        (b"http://010.0x10.1.1/", {b"http://010.0x10.1.1/", b"http://8.16.1.1/"}),
        (b"http://word/", {b"http://word/", b"http://www.word.com/"}),
        (b"mailto:a@b.example?subject=x", {b"mailto:a@b.example?subject=x", b"mailto:a@b.example"}),
        (b"http://a.example/&#98;", {b"http://a.example/&#98;", b"http://a.example/b"}),
        (b"http://a.example\\b", {b"http://a.example\\b", b"http://a.example/b"}),
    ],
)
def test_forms(written: bytes, forms: set[bytes]) -> None:
    assert set(canonical(written, SITE)) == forms


@given(st.text(alphabet="htp:/.?#&@%2e=abw0x,\\;1 ", max_size=120).map(str.encode))
def test_any_address_has_forms(written: bytes) -> None:
    found = canonical(written, SITE)
    assert 1 <= len(found) <= 60
    for form in found:
        domain_of(form, SITE)


def test_a_chain_of_redirectors_ends() -> None:
    assert len(canonical(b"http://a.example/?" + b"http://b.example/" * 400, SITE)) <= 60


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        (b"www.foo.co.uk", b"foo.co.uk"),
        (b"a.b.example", b"b.example"),
        (b"example", b"example"),
        (b"x.y.demon.co.uk", b"y.demon.co.uk"),
        (b"www.ci.springfield.or.us", b"www.ci.springfield.or.us"),
    ],
)
def test_registered_domains(host: bytes, domain: bytes) -> None:
    assert registered_domain(host, SITE) == domain


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (b"http://u:p@www.foo.example:8080/x", (b"foo.example", b"www.foo.example")),
        (b"mailto:a@b.example", (b"b.example",) * 2),
        (b"http://10.1.2.3/", (b"10.1.2.3",) * 2),
        (b"javascript:x", None),
        (b"http://foo.nowhere/", None),
        (b"cid:x", None),
        (b"mailto:a@b@c.example", None),
    ],
)
def test_domains_of_addresses(uri: bytes, expected: tuple[bytes, bytes] | None) -> None:
    assert domain_of(uri, SITE) == expected


@pytest.mark.parametrize(
    ("base", "uri", "expected"),
    [
        (b"", b"http://a.example/", b"http://a.example/"),
        (b"", b"//www.a.example/x", b"http://www.a.example/x"),
        (b"http://a.example/b/", b"c", b"http://a.example/b/c"),
        (b"http://a.example/b/", b"../c", b"http://a.example/c"),
        (b"http://a.example/b/", b"/c/./d", b"http://a.example/c/d"),
        (b"http://a.example/b/", b"?q", b"http://a.example/b/?q"),
        (b"http://a.example/b/", b"http:c", b"http://a.example/b/c"),
        (b"http://a.example/b/", b"#f", b"http://a.example/b/#f"),
        (b"", b"a/b", b"a/b"),
    ],
)
def test_relative_addresses(base: bytes, uri: bytes, expected: bytes) -> None:
    assert target(base, uri) == expected


def test_addresses_of_text_and_their_kinds() -> None:
    body = b"see www.a.example, (http://b.example/x) or c.example mail d@e.example not f@g.nowhere [cid:h@i.example]"
    detail = texts(mail(body)).uri_detail
    assert {address: uri.types for address, uri in detail.items()} == {
        b"http://www.a.example": {b"parsed", b"schemeless"},
        b"http://b.example/x": {b"parsed"},
        b"http://c.example": {b"parsed", b"schemeless", b"unlinked"},
        b"mailto:d@e.example": {b"parsed", b"schemeless"},
    }


def test_addresses_of_html_have_their_elements_and_words() -> None:
    page = b"<base href='http://a.example/d/'><a href='x'>the <b>words</b></a><img src=http://c.example/i.gif>"
    detail = texts(mail(page, b"text/html")).uri_detail
    assert detail[b"http://a.example/d/x"].types == {b"a"}
    assert detail[b"x"].texts == [b"the words"]
    assert detail[b"http://c.example/i.gif"].types == {b"img"}
    assert detail[b"http://a.example/d/"].domains == {b"a.example"}
