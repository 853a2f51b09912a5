"""What the pages say: counts, the last messages, search and paging, one message, the ledger."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from mxtest.console import Factory, Site, add_message, deliver
from mxward.server import rulebuild
from mxward.server.log import Log
from mxward.server.sandbox import report
from mxward.server.sandbox.report import Report
from mxward.server.store.api import LedgerCount
from mxward.server.web.page import overview


def words(html: str) -> str:
    """What a person reads of a page: no tags, single spaces."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def count(html: str, name: str) -> int:
    found = re.search(rf"<dt>{name}</dt>\s*<dd><span class=\"mxward-count__n\">([\d,]+)</span>", html)
    assert found, name
    return int(found[1].replace(",", ""))


async def test_the_overview_counts_what_is_there(admin: httpx.AsyncClient) -> None:
    html = (await admin.get("/")).text
    counted = {name: count(html, name) for name in ("Accepted", "Delivered", "Returned", "Waiting", "Kept back")}
    assert counted == {"Accepted": 4, "Delivered": 1, "Returned": 0, "Waiting": 1, "Kept back": 3}
    assert "2 clean" in words(html) and "1 spam" in words(html) and "1 phishing" in words(html)
    assert "5 accepted = 1 waiting + 1 delivered + 3 kept back + 0 discarded" in words(html)
    assert "As of 23 November 2026, 14:2" in words(html)


async def test_the_overview_shows_the_last_messages_with_reason_and_fate(admin: httpx.AsyncClient) -> None:
    text = words((await admin.get("/")).text)
    assert text.index("Your mailbox is full") < text.index("You have won") < text.index("Rota for next week")
    assert "It looks like unwanted advertising." in text
    assert "Waiting to be delivered" in text and "In quarantine" in text and "Delivered" in text


async def test_the_overview_says_how_attachments_are_opened(admin: httpx.AsyncClient, site: Site) -> None:
    assert "How attachments are opened" not in (await admin.get("/")).text
    data = site.console.config.data
    (data / "run").mkdir(exist_ok=True)
    report.write(data, "smtp.0", Report(["seccomp"], {"network": "EPERM"}))
    site.ticks.seconds += overview.FRESH + 1
    text = words((await admin.get("/")).text)
    assert "How attachments are opened: 15 of 16 protections in force" in text
    assert "Attachments are opened with less protection" in text
    assert "has no network (namespace) (EPERM)" in text


async def test_an_empty_site_says_so(make_site: Factory) -> None:
    site = make_site()
    async with site.client() as client:
        site.enter(client)
        for path, sentence in (
            ("/", "No message has been received yet."),
            ("/messages", "No message has been received yet."),
            ("/messages?text=x", "No message matches."),
            ("/quarantine", "Nothing is kept back."),
            ("/ledger", "The ledger adds up."),
        ):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert sentence in words(answer.text), path


async def test_refreshing_can_be_stopped(admin: httpx.AsyncClient) -> None:
    on, off = (await admin.get("/")).text, (await admin.get("/?refresh=off")).text
    assert "data-hx-get" in on and "htmx.min.js" in on
    assert "data-hx-get" not in off and "<script" not in off
    assert "Refresh now" in on and "Refresh now" in off


async def test_the_live_part_follows_the_store(site: Site, admin: httpx.AsyncClient) -> None:
    assert count((await admin.get("/live")).text, "Waiting") == 1
    deliver(site, site.ids["waiting"])
    site.ticks.seconds += 4
    live = (await admin.get("/live")).text
    assert count(live, "Waiting") == 0
    assert "<html" not in live


def _progress(site: Site) -> rulebuild.Progress:
    """Of a process that works out rules for the site."""
    data = site.console.config.data
    (data / rulebuild.PROGRESS_FILE).parent.mkdir(exist_ok=True)
    return rulebuild.Progress(data, Log("rules.0", fd=-1))


async def test_the_overview_and_the_rules_page_tell_which_rules_are_not_loaded_yet(
    site: Site, admin: httpx.AsyncClient
) -> None:
    progress = _progress(site)
    pages = ("/", "/live", "/rules")

    async def shown() -> list[str]:
        site.ticks.seconds += 4
        return [words((await admin.get(page)).text) for page in pages]

    assert not any("Rules are being loaded" in text or "without them" in text for text in await shown())
    progress.tell("YARA rules", 40)
    for text in await shown():
        assert "Important: Rules are being loaded" in text
        assert "Mail is judged without them until they are there, and marked so." in text
        assert "Being worked out: YARA rules, 40 %." in text
    progress.fail("ours/a.yar: line 3: <b>\u202e")
    for page, text in zip(pages, await shown(), strict=True):
        assert "Important: Some rules could not be loaded" in text, page
        assert "What was wrong: ours/a.yar: line 3: <b>⟨U+202E⟩" in text, page
    rulebuild.forget(site.console.config.data)
    assert not any("could not be loaded" in text for text in await shown())


async def test_the_state_of_rules_is_announced_when_it_changes(site: Site, admin: httpx.AsyncClient) -> None:
    region = re.compile(r'<div role="status" aria-atomic="false">(.*?)</div>\s*<h2', re.S)
    quiet = region.search((await admin.get("/live")).text)
    assert quiet and not quiet[1].strip(), "a live region that is there before it has something to say"
    _progress(site).tell("YARA rules", 7)
    site.ticks.seconds += 4
    told = region.search((await admin.get("/live")).text)
    assert told and "YARA rules, 7 %" in told[1]


@pytest.mark.parametrize(
    ("search", "subjects"),
    [
        ("text=ROTA", {"Rota for next week"}),
        ("sender=prize.example", {"You have won"}),
        ("recipient=bob@", {"Your mailbox is full"}),
        ("subject=mailbox", {"Your mailbox is full"}),
        ("verdict=spam", {"You have won"}),
        ("state=queued", {"Referral"}),
        ("state=quarantined", {"You have won", "Your mailbox is full"}),
        ("state=quarantined&sender=support", {"Your mailbox is full"}),
        ("text=100%25", set()),
        ("text=_", set()),
        ("verdict=nonsense&state=nonsense", {"Rota for next week", "Referral", "You have won", "Your mailbox is full"}),
    ],
)
async def test_search(admin: httpx.AsyncClient, search: str, subjects: set[str]) -> None:
    html = (await admin.get(f"/messages?{search}")).text
    assert set(re.findall(r'href="/messages/\w{16}"><bdi>([^<]*)</bdi>', html)) == subjects


async def test_the_search_form_keeps_what_was_asked(admin: httpx.AsyncClient) -> None:
    html = (await admin.get("/messages?sender=%22%3E%3Cx%3E&verdict=spam")).text
    assert 'value="&#34;&gt;&lt;x&gt;"' in html
    assert '<option value="spam" selected>' in html


async def test_paging_walks_through_everything_once(make_site: Factory) -> None:
    site = make_site()
    ids = [add_message(site, subject=f"Number {i}") for i in range(120)]
    async with site.client() as client:
        site.enter(client)
        path, seen, pages = "/messages?sender=ann", [], 0
        while path:
            html = (await client.get(path)).text
            seen += re.findall(r'href="/messages/(\w{16})"', html)
            older = re.search(r'href="([^"]+)">Older messages', html)
            path, pages = unescape(older[1]) if older else "", pages + 1
            assert not path or "sender=ann" in path
    assert pages == 3
    assert seen == ids[::-1]


async def test_one_message_in_full(site: Site, admin: httpx.AsyncClient) -> None:
    text = words((await admin.get(f"/messages/{site.ids['spam']}")).text)
    for expected in (
        "You have won", "Spam", "score 8.5", "Why?", "win@prize.example", "ward@trust.example", "In quarantine",
        "GTUBE_LIKE", "+6.0", "contains a phrase that only advertising uses", "mail.sender.example 192.0.2.7",
        "23 November 2026, 14:", "History", "Release", "Delete",
    ):  # fmt: skip
        assert expected in text, expected
    assert text.index("GTUBE_LIKE") < text.index("FROM_MISMATCH"), "the heaviest finding first"


async def test_a_delivered_message_shows_the_reply_of_the_next_hop(site: Site, admin: httpx.AsyncClient) -> None:
    text = words((await admin.get(f"/messages/{site.ids['clean']}")).text)
    assert "250 2.0.0 queued as 4711" in text
    assert "smtp://mx.trust.example:25 [192.0.2.25]" in text
    assert "Nothing suspicious was found." in text
    assert "/release" not in (await admin.get(f"/messages/{site.ids['clean']}")).text


async def test_the_body_is_nowhere(site: Site, admin: httpx.AsyncClient) -> None:
    secret = add_message(site, raw=b"Subject: s\r\n\r\npatient body text\r\n", subject="s")
    paths = ("/", "/messages", f"/messages/{secret}", "/api/messages", f"/api/messages/{secret}", "/live")
    for path in paths:
        assert "patient body text" not in (await admin.get(path)).text, path


async def test_a_message_to_many_is_cut_with_a_word(site: Site, admin: httpx.AsyncClient) -> None:
    many = add_message(site, *(f"r{i}@trust.example" for i in range(500)))
    html = (await admin.get(f"/messages/{many}")).text
    assert "r199@trust.example" in html and "r200@trust.example" not in html
    assert "and 300 more" in words(html)
    assert "and 498 more" in words((await admin.get("/messages")).text)


async def test_the_ledger_adds_up(admin: httpx.AsyncClient) -> None:
    text = words((await admin.get("/ledger")).text)
    assert "The ledger adds up." in text
    assert "Accepted 5" in text and "Together 5" in text


async def test_a_ledger_that_does_not_add_up_is_a_clear_warning(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = LedgerCount(5, 1, 1, 2, 0, 0, 0, ["message <b>X</b> has no row"])
    monkeypatch.setattr(site.store, "ledger", lambda: wrong)
    for path in ("/", "/ledger"):
        html = (await admin.get(path)).text
        assert "nhsuk-warning-callout" in html
        assert "The ledger does not add up" in words(html)
        assert "✓" not in html
    assert "5 recipients were accepted, 4 have a place" in words(html)
    assert "&lt;b&gt;X&lt;/b&gt;" in html
