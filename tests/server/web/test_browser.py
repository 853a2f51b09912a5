"""The console in Debian's Chromium: the main path with and without script, by keyboard, at 320 pixels, under axe.

Any request that leaves the console's origin, any dialog and any error on the browser's console fails a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from mxtest import served
from mxtest.console import PASSWORD, add_message, add_pack
from mxward.server import rulebuild
from mxward.server.log import Log
from mxward.server.web.page import overview

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = '"><img src=/planted onerror=alert(1)><script>alert(2)</script>\u202egpj.exe'
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW, TABLET, DESK, WIDE = ({"width": width, "height": 900} for width in (320, 770, 1025, 1280))

pytestmark = pytest.mark.integration
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is missing: install the Debian package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[served.Served]:
    with served.console(tmp_path / "data") as running:
        add_message(running.site, sender=HOSTILE, subject=HOSTILE)
        add_pack(running.site, tmp_path / "ours", "1")
        add_pack(running.site, tmp_path / "ours", "2", description="Rules of the trust: " + "longwordwithoutbreak" * 5)
        yield running


@pytest.fixture
def open_page(browser: Browser, console: served.Served) -> Iterator[Open]:
    """Open tabs that are watched; whatever went wrong in one of them fails the test at its end."""
    wrong: list[str] = []
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> Page:
        context = browser.new_context(base_url=console.origin, viewport=options.pop("viewport", WIDE), **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: _watch_request(request.url, console.origin, wrong))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [w for w in wrong if not re.search(r"status of (400|401|403|404|409)", w)] == []


def _watch_request(url: str, origin: str, wrong: list[str]) -> None:
    if not url.startswith(origin + "/") or "planted" in url:
        wrong.append(f"request to {url}")


def sign_in(page: Page, target: str = "/") -> None:
    page.goto(target)
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.wait_for_load_state("load")  # by then the script has found what it refreshes


def walk(page: Page) -> None:
    """The main path: sign in, look, search, open one message, release it, sign out."""
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    expect(page.get_by_role("table", name="The last messages").get_by_text("You have won")).to_be_visible()
    page.get_by_label("Search all messages").fill("prize.example")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="You have won").click()
    expect(page.get_by_role("heading", name="Why?")).to_be_visible()
    expect(page.get_by_role("table", name="What was found").get_by_text("GTUBE_LIKE")).to_be_visible()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("heading", name="Release this message?")).to_be_visible()
    page.get_by_label("Reason").fill("wanted by the ward")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("The message was released")).to_be_visible()
    expect(page.get_by_role("table").get_by_text("You have won")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/messages")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_main_path(open_page: Open, console: served.Served) -> None:
    walk(open_page())
    row = console.site.store.message(console.site.ids["spam"])
    assert row and row.recipients[0].state == "queued"


def test_the_main_path_without_script(open_page: Open) -> None:
    walk(open_page(java_script_enabled=False))


def test_the_overview_refreshes_itself(
    open_page: Open, console: served.Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "FRESH", 0.0)  # the browser's clock jumps, the server's does not
    page = open_page()
    page.clock.install()
    sign_in(page)
    link = page.get_by_role("link", name="Referral")
    link.focus()
    add_message(console.site, subject="Came in just now")
    with page.expect_response("**/live"):
        page.clock.run_for(11_000)
    expect(page.get_by_role("link", name="Came in just now")).to_be_visible()
    expect(link).to_be_focused()


def test_an_ended_session_sends_the_refreshing_page_to_the_log_in(open_page: Open) -> None:
    page = open_page()
    page.clock.install()
    sign_in(page)
    page.context.clear_cookies()
    page.clock.run_for(11_000)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


PAGES = {
    "login": "/login",
    "overview": "/",
    "overview, still": "/?refresh=off",
    "password": "/password",
    "messages": "/messages",
    "nothing found": "/messages?text=zzz",
    "message": "/messages/SPAM",
    "teach": "/messages/SPAM/learn",
    "quarantine": "/quarantine",
    "release": "/quarantine/PHISH/release",
    "delete": "/quarantine/SPAM/delete",
    "ledger": "/ledger",
    "rules": "/rules",
    "rule pack": "/rules/ours",
    "roll back": "/rules/ours/rollback",
    "do not use": "/rules/ours/disable",
    "not found": "/nothing",
}


def serious(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
    grave = [v for v in found if v["impact"] in {"serious", "critical"}]
    return [f"{v['id']}: {node['html'][:150]}" for v in grave for node in v["nodes"]]


@pytest.mark.parametrize("viewport", [WIDE, DESK, TABLET, NARROW], ids=["wide", "desk", "tablet", "narrow"])
def test_every_page_is_accessible_and_reflows(
    open_page: Open, console: served.Served, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    found: dict[str, list[str]] = {}
    page.goto("/login")
    page.get_by_role("button", name="Sign in").click()
    found["login with errors"] = serious(page)
    sign_in(page)
    for name, path in PAGES.items():
        for word in ("SPAM", "PHISH"):
            path = path.replace(word, console.site.ids[word.lower()])
        page.goto(path)
        found[name] = serious(page)
        across = page.evaluate("document.scrollingElement.scrollWidth")
        if across > viewport["width"]:
            found[name].append(f"{across} pixels across")
        if page.get_by_role("heading", level=1).count() != 1:
            found[name].append("not exactly one main heading")
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_state_of_rules_is_accessible(open_page: Open, console: served.Served, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    sign_in(page)
    data = console.site.console.config.data
    (data / rulebuild.PROGRESS_FILE).parent.mkdir(exist_ok=True)
    progress = rulebuild.Progress(data, Log("rules.0", fd=-1))
    for tell, heading in (
        (lambda: progress.tell("YARA rules", 40), "Rules are being loaded"),
        (lambda: progress.fail("ours/" + "longwordwithoutbreak" * 9), "Some rules could not be loaded"),
    ):
        tell()
        for path in ("/rules", "/?refresh=off"):
            page.wait_for_timeout(1000 * overview.FRESH)
            page.goto(path)
            expect(page.get_by_role("status").get_by_role("heading", name=heading, level=2)).to_be_visible()
            assert serious(page) == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]


def test_a_pack_is_rolled_back(open_page: Open) -> None:
    page = open_page()
    sign_in(page, "/rules")
    page.get_by_role("link", name="Roll back ours").click()
    expect(page.get_by_role("heading", name="Roll this pack back?")).to_be_visible()
    page.get_by_label("Reason").fill("false alarms")
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("The pack was rolled back.")).to_be_visible()
    expect(page.get_by_text("rolled back from 2 to 1: false alarms")).to_be_visible()
    expect(page.get_by_role("row", name="1 ").get_by_text("This is the one in force")).to_be_visible()


def test_an_error_takes_the_focus_to_its_field(open_page: Open) -> None:
    page = open_page()
    page.goto("/login")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("link", name="Enter your password.").click()
    expect(page.get_by_label("Password")).to_be_focused()


FOCUSED = "[document.activeElement.innerText, document.activeElement.labels?.[0]?.innerText].join('|')"
HAS_RING = "(s => s.outlineStyle != 'none' || s.boxShadow != 'none')(getComputedStyle(document.activeElement))"


def press_until(page: Page, name: str, most: int = 60) -> None:
    """Tab on until the element of that visible name has the focus, which must be visible."""
    for _ in range(most):
        page.keyboard.press("Tab")
        text = page.evaluate(FOCUSED)
        if name in text:
            assert page.evaluate(HAS_RING), f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_by_keyboard_alone(open_page: Open, console: served.Served) -> None:
    page = open_page()
    page.goto("/login")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
    page.keyboard.press("Enter")
    press_until(page, "User name", 3)
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    press_until(page, "Quarantine")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Quarantine", level=1)).to_be_visible()
    press_until(page, "You have won")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Why?")).to_be_visible()
    press_until(page, "Release")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Release this message?")).to_be_visible()
    press_until(page, "Reason")
    page.keyboard.type("wanted")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The message was released")).to_be_visible()
    press_until(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_hostile_mail_is_text_in_a_browser(open_page: Open) -> None:
    page = open_page()
    sign_in(page, "/messages")
    page.get_by_role("link", name="planted").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(2)</script>⟨U+202E⟩gpj.exe")
    assert page.locator("main script, main img").count() == 0
