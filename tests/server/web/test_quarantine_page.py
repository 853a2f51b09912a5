"""Releasing and deleting: asked first, then done once, by those who may, with name and reason in the history."""

from __future__ import annotations

import httpx
import pytest

from mxtest.console import Site, add_message, hidden, judged, post

EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def states(site: Site, name: str) -> list[str]:
    row = site.store.message(site.ids[name])
    assert row
    return [rcpt.state for rcpt in row.recipients]


async def test_the_list_shows_what_is_kept(site: Site, admin: httpx.AsyncClient) -> None:
    html = (await admin.get("/quarantine")).text
    assert "You have won" in html and "Your mailbox is full" in html
    assert "Rota for next week" not in html
    filtered = (await admin.get("/quarantine?text=mailbox")).text
    assert "You have won" not in filtered and "Your mailbox is full" in filtered


async def test_asking_changes_nothing_and_the_form_does_it(site: Site, admin: httpx.AsyncClient) -> None:
    path = f"/quarantine/{site.ids['spam']}/release"
    page = await admin.get(path)
    assert "Release this message?" in page.text
    assert states(site, "spam") == ["quarantined"]
    answer = await admin.post(path, data={"csrf": hidden(page.text, "csrf"), "reason": "wanted by the ward"})
    assert answer.status_code == 303, answer.text
    assert states(site, "spam") == ["queued"]
    assert "released" in (await admin.get("/quarantine")).text
    last = site.store.events(site.ids["spam"])[-1]
    assert (last.actor, "wanted by the ward" in last.detail) == ("admin", True)


async def test_delete(site: Site, admin: httpx.AsyncClient) -> None:
    answer = await post(admin, f"/quarantine/{site.ids['spam']}/delete", reason="rubbish")
    assert answer.status_code == 303
    assert states(site, "spam") == ["discarded"]
    assert site.store.ledger().consistent


async def test_one_recipient_of_two(site: Site, admin: httpx.AsyncClient) -> None:
    path = f"/quarantine/{site.ids['phish']}/delete"
    assert "bob@trust.example" in (await admin.get(path)).text
    assert (await post(admin, path, n="1")).status_code == 303
    assert states(site, "phish") == ["quarantined", "discarded"]


@pytest.mark.parametrize("n", ["7", "-1", "x", "1e1", "²", "0 "])
async def test_a_recipient_that_is_not_there(site: Site, admin: httpx.AsyncClient, n: str) -> None:
    assert (await post(admin, f"/quarantine/{site.ids['phish']}/delete", n=n)).status_code == 400
    assert states(site, "phish") == ["quarantined", "quarantined"]


async def test_what_was_dealt_with_cannot_be_dealt_with_again(site: Site, admin: httpx.AsyncClient) -> None:
    path = f"/quarantine/{site.ids['spam']}/delete"
    await post(admin, path)
    answer = await post(admin, path)
    assert answer.status_code == 409
    assert "someone else may have dealt with it" in answer.text
    assert (await admin.get(f"/quarantine/{site.ids['clean']}/release")).status_code == 409


async def test_malware_is_released_only_by_force_with_a_reason(site: Site, admin: httpx.AsyncClient) -> None:
    raw = f"From: a@b.example\r\nTo: ward@trust.example\r\nSubject: x\r\n\r\n{EICAR}\r\n".encode()
    judgement = judged("malware", 20.0, "It carries malware.", action="quarantine")
    site.ids["virus"] = add_message(site, state="quarantined", raw=raw, judgement=judgement)
    path = f"/quarantine/{site.ids['virus']}/release"
    refused = await post(admin, path, reason="please")
    assert refused.status_code == 409
    assert 'name="force"' in refused.text and "malware" in refused.text
    assert states(site, "virus") == ["quarantined"]
    assert (await post(admin, path, force="yes")).status_code == 409
    assert states(site, "virus") == ["quarantined"]
    assert (await post(admin, path, force="yes", reason="sample for the lab")).status_code == 303
    assert states(site, "virus") == ["queued"]


@pytest.mark.parametrize(
    ("role", "verb", "name", "allowed"),
    [
        ("admin", "release", "phish", True),
        ("admin", "delete", "phish", True),
        ("security", "release", "phish", True),
        ("security", "delete", "spam", True),
        ("helpdesk", "release", "spam", True),
        ("helpdesk", "release", "phish", False),
        ("helpdesk", "delete", "spam", False),
        ("auditor", "release", "spam", False),
        ("auditor", "delete", "spam", False),
    ],
)
async def test_who_may_do_what(site: Site, role: str, verb: str, name: str, allowed: bool) -> None:
    site.add_user("bob", role)
    path = f"/quarantine/{site.ids[name]}/{verb}"
    async with site.client() as client:
        site.enter(client, "bob")
        assert (await client.get(path)).status_code == (200 if allowed else 403)
        assert (path in (await client.get(f"/messages/{site.ids[name]}")).text) is allowed
        assert (path in (await client.get("/quarantine")).text) is allowed
        assert (await post(client, path)).status_code == (303 if allowed else 403)
        assert (await post(client, "/api" + path)).status_code == (409 if allowed else 403), "done, or not allowed"
    assert ("quarantined" in states(site, name)) is not allowed


async def test_helpdesk_cannot_force(site: Site) -> None:
    site.add_user("bob", "helpdesk")
    async with site.client() as client:
        site.enter(client, "bob")
        answer = await post(client, f"/api/quarantine/{site.ids['spam']}/release", force="yes", reason="x")
        assert answer.status_code == 403
    assert states(site, "spam") == ["quarantined"]
