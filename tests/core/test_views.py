"""core/extract/views and urls: what is shown, what is hidden, look-alikes, addresses from everywhere."""

from __future__ import annotations

import pytest

from mxtest import mailkit
from mxward.core.extract import views
from mxward.core.extract.urls import all_urls, organisation, refang, shown_host, unwrap
from mxward.core.message import Message

PAGE = (
    "<title>t</title><p>See <a href='https://a.example/'>here</a></p>"
    "<div style='display:none'>filler <a href='https://b.example/'>unseen</a></div>"
)


def of(raw: bytes) -> Message:
    return mailkit.extracted(raw)


def test_visible_and_hidden_text() -> None:
    message = of(mailkit.html(PAGE))
    assert [text.split() for _, text in views.visible(message)] == [["See", "here"]]
    assert [text.split() for _, text in views.hidden(message)] == [["t", "filler", "unseen"]]
    assert views.hiding(message).none == len("fillerunseen")
    assert [link.shown for link in views.links(message)] == [True, False]


def test_nothing_hidden_makes_no_second_text() -> None:
    message = of(mailkit.plain())
    assert views.visible_bytes(message) is views.text_bytes(message)
    assert views.hidden_bytes(message) == []


def test_bytes_and_text_are_one_form() -> None:
    message = of(mailkit.html("<p>Verify YOUR \N{CYRILLIC SMALL LETTER A}ccount &eacute;</p>"))
    for as_bytes, as_text in (
        (views.text_bytes, views.texts), (views.folded_bytes, views.folded), (views.visible_bytes, views.visible),
        (views.hidden_bytes, views.hidden), (views.skeleton_bytes, views.skeleton),
    ):  # fmt: skip
        assert [(part, data.decode()) for part, data in as_bytes(message)] == as_text(message)
        assert as_text(message) is as_text(message)
    assert views.skeleton(message) == [(0, "verify your account e")]
    assert views.mixed_words(message) == 1


def test_text_that_looks_like_nothing_else_has_no_skeleton() -> None:
    message = of(mailkit.plain("Plain ASCII.\r\n"))
    assert views.skeleton(message) == []
    assert views.mixed_words(message) == 0


def test_addresses_come_from_links_text_and_header() -> None:
    raw = mailkit.plain(
        "Go to https://a.example/x or bank.co.uk or hxxp://evil[.]example/y, not file.txt\r\n",
        extra="List-Unsubscribe: <mailto:x@y.example>, <https://out.example/u?1>\r\n",
    )
    found = all_urls(of(raw))
    assert [(url.place, url.host, url.domain) for url in found] == [
        ("text", "a.example", "a.example"), ("bare", "bank.co.uk", "bank.co.uk"),
        ("defanged", "evil.example", "evil.example"), ("header", "out.example", "out.example"),
    ]  # fmt: skip


def test_wrapped_addresses_are_given_twice() -> None:
    inner = "https%3A%2F%2Fevil.example%2Fa"
    raw = mailkit.html(f"<a href='https://eur01.safelinks.protection.outlook.com/?url={inner}&amp;data=1'>x</a>")
    found = all_urls(of(raw))
    assert [url.host for url in found] == ["eur01.safelinks.protection.outlook.com", "evil.example"]
    assert found[1].place == "wrapped"


@pytest.mark.parametrize(
    ("url", "inner"),
    [
        ("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.example%2Fb%3Fc&data=05", "https://a.example/b?c"),
        ("https://gbr01.safelinks.protection.outlook.com/ap/t-59584e83/?url=http%3A%2F%2Fa.example", "http://a.example"),
        ("https://urldefense.proofpoint.com/v1/url?u=http://a.example/&k=abc", "http://a.example/"),
        ("https://urldefense.proofpoint.com/v2/url?u=https-3A__a.example_b-3Fc-3D1&d=DwM", "https://a.example/b?c=1"),
        ("https://urldefense.com/v3/__https://a.example/b__;!!abc!xyz$", "https://a.example/b"),
        ("https://urldefense.com/v3/__https://a.example/b*c*d__;Iw!!abc$", "https://a.example/b#cd"),
        ("https://urldefense.com/v3/__https://a.example/**Ab__;Iys!!abc$", "https://a.example/#+b"),
        ("https://urldefense.com/v3/nothing", ""),
        ("https://a.example/?url=https://b.example", ""),
        ("https://safelinks.protection.outlook.com.evil.example/?url=https://b.example", ""),
    ],
)  # fmt: skip
def test_unwrap(url: str, inner: str) -> None:
    assert unwrap(url) == inner


def test_wrapping_is_followed_a_few_times_only() -> None:
    url = "https://a.example/"
    for _ in range(20):
        url = "https://urldefense.com/v3/__" + url + "__;!!a!"
    assert len(all_urls(of(mailkit.html(f"<a href='{url}'>x</a>")))) <= 4


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("hxxps://a[.]example", "https://a.example"),
        ("a[.]example/x", "http://a.example/x"),
        ("HXXP://a.b", "http://a.b"),
    ],
)
def test_refang(text: str, url: str) -> None:
    assert refang(text) == url


def test_shown_host() -> None:
    assert shown_host("xn--bcher-kva.example") == "bücher.example"
    assert shown_host("xn--\N{BULLET}.example") == "xn--\N{BULLET}.example"
    assert shown_host("a.example") == "a.example"


def test_organisation_of_public_suffixes() -> None:
    assert organisation("www.gov.uk") == "www.gov.uk"
    assert organisation("a.b.com") == "b.com"
