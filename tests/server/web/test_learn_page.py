"""Teaching the classifier from a browser: by those who may, with a form's token, and taken back."""

from __future__ import annotations

import httpx
import pytest

from mxtest.console import Site, hidden, post
from mxward.server.services import learning


def lesson(site: Site, name: str) -> str:
    return learning.lesson_of(site.context.config, site.store.body(site.ids[name]))


async def test_report_look_again_and_take_back(site: Site, admin: httpx.AsyncClient) -> None:
    path = f"/messages/{site.ids['clean']}/learn"
    assert path in (await admin.get(f"/messages/{site.ids['clean']}")).text
    page = (await admin.get(path)).text
    assert "checked" not in page
    answer = await admin.post(path, data={"csrf": hidden(page, "csrf"), "lesson": "spam"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{site.ids['clean']}")
    assert lesson(site, "clean") == "spam"
    assert "learned that this is unwanted" in (await admin.get(answer.headers["location"])).text
    assert 'value="spam" checked' in (await admin.get(path)).text
    assert (await post(admin, "/api" + path, lesson="spam")).json() == {
        "done": "The classifier knew that already: nothing was changed."
    }
    assert (await post(admin, path, lesson="forget")).status_code == 303
    assert lesson(site, "clean") == ""


@pytest.mark.parametrize("given", ["", "maybe", "SPAM"])
async def test_another_lesson_is_refused(site: Site, admin: httpx.AsyncClient, given: str) -> None:
    answer = await post(admin, f"/messages/{site.ids['spam']}/learn", lesson=given)
    assert answer.status_code == 400
    assert lesson(site, "spam") == ""


async def test_a_lesson_needs_the_token(site: Site, admin: httpx.AsyncClient) -> None:
    answer = await admin.post(f"/messages/{site.ids['spam']}/learn", data={"csrf": "x", "lesson": "ham"})
    assert answer.status_code == 403
    assert lesson(site, "spam") == ""


async def test_a_message_that_is_not_there(admin: httpx.AsyncClient) -> None:
    assert (await post(admin, "/messages/0000000000000000/learn", lesson="ham")).status_code == 404


@pytest.mark.parametrize(
    ("role", "allowed"), [("admin", True), ("security", True), ("helpdesk", False), ("auditor", False)]
)
async def test_who_may_teach(site: Site, role: str, allowed: bool) -> None:
    site.add_user("bob", role)
    path = f"/messages/{site.ids['spam']}/learn"
    async with site.client() as client:
        site.enter(client, "bob")
        assert (await client.get(path)).status_code == (200 if allowed else 403)
        assert (path in (await client.get(f"/messages/{site.ids['spam']}")).text) is allowed
        assert (await post(client, "/api" + path, lesson="spam")).status_code == (200 if allowed else 403)
    assert (lesson(site, "spam") == "spam") is allowed


@pytest.mark.parametrize(("role", "teaches"), [("security", True), ("helpdesk", False)])
async def test_a_release_teaches_when_asked_and_allowed(site: Site, role: str, teaches: bool) -> None:
    site.add_user("bob", role)
    path = f"/quarantine/{site.ids['spam']}/release"
    async with site.client() as client:
        site.enter(client, "bob")
        assert ('name="teach"' in (await client.get(path)).text) is teaches
        assert (await post(client, path, teach="yes")).status_code == 303
    assert (lesson(site, "spam") == "ham") is teaches
