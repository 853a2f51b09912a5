"""Hostile text in every field that comes out of mail or out of the address bar is shown, and does nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import httpx
import pytest

from mxtest import corpus
from mxtest.console import Factory, Site, add_message, judged
from mxward.core.verdict import Hit

OWN = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "{{7*7}}{% raw %}",
    "</title><svg/onload=alert(1)>", "</textarea><script>", "<!--", "]]>", "\x00\x01\x1b[31mred\x1b[0m",
    "\r\nSet-Cookie: x=1", "\u202egnp.exe", "\u2066\u2067\u2068x", "javascript:alert(1)", "&lt;b&gt;",
    "&#x3c;script&#x3e;", "\ud800", "\ufeff", "data-hx-get=/logout", "<a data-hx-post='/x'>",
    "<base href=//evil.example>", "<meta http-equiv=refresh content=0>", "=cmd|' /C calc'!A0", "%00%0d%0a",
    "A" * 5000, "Z" + "\u0301" * 300, "\u2028\u2029", "<bdi>", "</bdi><h1>", "${7*7}", "#{7*7}",
]  # fmt: skip


class Page(HTMLParser):
    """The elements and attributes that a page really has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_inert(html: str, reference: Page) -> None:
    """The page has no element or attribute of a kind that the same page with harmless mail lacks."""
    page = Page(html)
    assert set(page.tags) <= set(reference.tags) | {"span"}
    assert {name for name, _ in page.attributes} <= {name for name, _ in reference.attributes} | {"class"}
    for name, value in page.attributes:
        if name in {"href", "src", "action", "data-hx-get"}:
            assert value.startswith(("/", "#")) and not value.startswith("//"), value
    for forbidden in "\x00\x01\x1b\u202e\u2066\u2067\u2068\ufeff\u2028":
        assert forbidden not in html


def naughty() -> list[str]:
    path = corpus.root() / "suites" / "strings" / "blns.json"
    return [s for s in json.loads(path.read_text(encoding="utf-8")) if s] if path.is_file() else []


def fill(site: Site, value: str) -> str:
    short = value.encode("utf-8", "replace").decode()[:250]
    judgement = judged("spam", 5.0, short, Hit(short, short, 1.0, short, short, short), action="quarantine")
    rcpt = f"{short[:200]}@trust.example"
    return add_message(site, rcpt, sender=short, subject=short, state="quarantined", judgement=judgement)


async def pages(client: httpx.AsyncClient, queue_id: str) -> list[str]:
    paths = ("/", "/messages", "/quarantine", f"/messages/{queue_id}", f"/quarantine/{queue_id}/release")
    answers = [await client.get(path) for path in paths]
    assert [a.status_code for a in answers] == [200] * len(paths)
    return [a.text for a in answers]


@pytest.mark.parametrize("strings", [OWN, naughty()], ids=["own", "blns"])
async def test_hostile_mail_is_inert(make_site: Factory, strings: list[str]) -> None:
    if not strings:
        pytest.skip("the shared corpus is absent: suites/strings/blns.json")
    site = make_site()
    harmless = fill(site, "harmless")
    async with site.client() as client:
        site.enter(client)
        references = [Page(html) for html in await pages(client, harmless)]
        ids = [fill(site, value) for value in strings]
        for i in range(0, len(ids), 25):
            for html, reference in zip(await pages(client, ids[i]), references, strict=True):
                assert_inert(html, reference)
        for queue_id in ids:
            assert_inert((await client.get(f"/messages/{queue_id}")).text, references[3])
            site.ticks.seconds += 4


@pytest.mark.parametrize("value", OWN)
async def test_hostile_addresses_are_inert(admin: httpx.AsyncClient, value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    reference = Page((await admin.get("/messages?text=zzz")).text)
    for name in ("text", "sender", "recipient", "subject", "verdict", "state", "before"):
        answer = await admin.get("/messages", params={name: value})
        assert answer.status_code == 200
        if answer.text.count("<tr") == 0:
            page = Page(answer.text)
            assert set(page.tags) <= set(reference.tags)
            assert {n for n, _ in page.attributes} <= {n for n, _ in reference.attributes}
    for path in ("/messages/", "/quarantine/"):
        answer = await admin.get(path + httpx.QueryParams({"": value}).__str__()[1:])
        assert answer.status_code in {404, 303}


async def test_headers_cannot_be_split(client: httpx.AsyncClient) -> None:
    answer = await client.get("/messages", params={"text": "x\r\nSet-Cookie: evil=1"})
    assert answer.status_code == 303
    assert "evil" not in answer.headers.get("set-cookie", "")
    assert "\r" not in answer.headers["location"] and "\n" not in answer.headers["location"]
