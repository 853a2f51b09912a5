"""Signing in and out: cookies, one-time passwords, lock-out, expiry, accounts that change while someone is in."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie

import httpx
import pytest

from mxtest.console import PASSWORD, Factory, Site, hidden, post, sign_in
from mxward.server.services import users
from mxward.server.web import console as console_module


def session_cookie(answer: httpx.Response) -> SimpleCookie:
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return jar


async def test_the_right_password_opens_a_session(site: Site, client: httpx.AsyncClient) -> None:
    answer = await sign_in(client)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = session_cookie(answer)["mxward_session"]
    assert cookie["httponly"] and cookie["samesite"] == "strict" and cookie["path"] == "/"
    assert not cookie["secure"] and not cookie["domain"] and not cookie["max-age"]
    assert (await client.get("/")).status_code == 200


async def test_behind_tls_cookies_are_bound_to_the_host(make_site: Factory) -> None:
    site = make_site(secure_cookies=True)
    async with site.client() as client:
        client.base_url = httpx.URL("https://127.0.0.1:8025")
        client.headers["origin"] = "https://127.0.0.1:8025"
        answer = await sign_in(client)
        assert answer.status_code == 303
        assert session_cookie(answer)["__Host-mxward_session"]["secure"]
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("admin", "wrong password here"), ("nobody", PASSWORD), ("admin", PASSWORD + " "), ("admin\x00", PASSWORD),
     ("admin", "x" * 4000), ("'; drop table users; --", PASSWORD)],
)  # fmt: skip
async def test_a_wrong_one_does_not(client: httpx.AsyncClient, name: str, password: str) -> None:
    answer = await sign_in(client, name, password)
    assert answer.status_code == 401
    assert "The user name or the password is not right." in answer.text
    assert "mxward_session" not in session_cookie(answer)
    assert (await client.get("/")).status_code == 303
    assert password not in answer.text


async def test_missing_fields_are_named(client: httpx.AsyncClient) -> None:
    answer = await sign_in(client, "", "")
    assert answer.status_code == 400
    assert 'href="#user"' in answer.text and 'href="#password"' in answer.text
    assert "<title>Error: Sign in" in answer.text


async def test_the_form_is_tied_to_the_browser_it_went_to(site: Site, client: httpx.AsyncClient) -> None:
    async with site.client() as other:
        token = hidden((await other.get("/login")).text, "csrf")
        fields = {"csrf": token, "user": "admin", "password": PASSWORD}
        assert (await client.post("/login", data=fields)).status_code == 403, "no cookie"
        await client.get("/login")
        assert (await client.post("/login", data=fields)).status_code == 403, "another's cookie"
        assert (await other.post("/login", data=fields)).status_code == 303


async def test_a_planted_session_does_not_survive_the_log_in(site: Site, client: httpx.AsyncClient) -> None:
    planted, _ = site.console.sessions.create(site.store.user("admin"))  # type: ignore[arg-type]  # it is there
    client.cookies.set("mxward_session", planted, domain="127.0.0.1", path="/")
    answer = await sign_in(client)
    assert session_cookie(answer)["mxward_session"].value != planted
    assert site.console.sessions.find(planted) is None


async def test_it_goes_on_to_the_page_that_was_asked_for(client: httpx.AsyncClient) -> None:
    asked = await client.get("/messages?text=rota%20x")
    page = await client.get(asked.headers["location"])
    target = hidden(page.text, "next")
    assert target == "/messages?text=rota%20x"
    fields = {"csrf": hidden(page.text, "csrf"), "user": "admin", "password": PASSWORD, "next": target}
    assert (await client.post("/login", data=fields)).headers["location"] == "/messages?text=rota%20x"


async def test_it_never_goes_to_another_origin(client: httpx.AsyncClient) -> None:
    page = await client.get("/login?next=https://evil.example/")
    assert "evil.example" not in page.text
    fields = {"csrf": hidden(page.text, "csrf"), "user": "admin", "password": PASSWORD, "next": "//evil.example"}
    assert (await client.post("/login", data=fields)).headers["location"] == "/"


async def test_a_one_time_password_must_be_changed_first(site: Site, client: httpx.AsyncClient) -> None:
    users.create(site.context, "new", "admin", "made-up-once-only")
    assert (await sign_in(client, "new", "made-up-once-only")).headers["location"] == "/password"
    for path in ("/", "/messages", "/ledger"):
        assert (await client.get(path)).headers["location"] == "/password"
    assert (await client.get("/api/messages")).status_code == 403
    page = await client.get("/password")
    fields = {
        "csrf": hidden(page.text, "csrf"), "current": "made-up-once-only",
        "new": "three random words", "again": "three random words",
    }  # fmt: skip
    answer = await client.post("/password", data=fields)
    assert answer.status_code == 303, answer.text
    assert "Your password was changed." in (await client.get("/")).text
    assert "Your password was changed." not in (await client.get("/")).text, "a notice is shown once"
    async with site.client() as again:
        assert (await sign_in(again, "new", "made-up-once-only")).status_code == 401
        assert (await sign_in(again, "new", "three random words")).headers["location"] == "/"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"current": "", "new": "three random words", "again": "three random words"}, "current"),
        ({"current": "wrong password", "new": "three random words", "again": "three random words"}, "current"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "new"),
        ({"current": PASSWORD, "new": "three random words", "again": "four random words"}, "again"),
        ({"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "new"),
        ({"current": PASSWORD, "new": "é" * 1000, "again": "é" * 1000}, "new"),
    ],
)
async def test_a_bad_change_of_password_says_where(
    admin: httpx.AsyncClient, fields: dict[str, str], field: str
) -> None:
    answer = await post(admin, "/password", **fields)
    assert answer.status_code == 400
    assert f'href="#{field}"' in answer.text
    assert (await sign_in(admin)).status_code == 303, "the old password still holds"


async def test_changing_the_password_ends_the_other_sessions(site: Site, admin: httpx.AsyncClient) -> None:
    async with site.client() as other:
        await sign_in(other)
        new = "three random words"
        assert (await post(admin, "/password", current=PASSWORD, new=new, again=new)).status_code == 303
        assert (await admin.get("/api/session")).status_code == 200
        assert (await other.get("/api/session")).status_code == 401


async def test_five_wrong_tries_lock_the_account(site: Site) -> None:
    for i in range(5):
        async with site.client(f"192.0.2.{i + 1}") as client:
            answer = await sign_in(client, password="wrong password here")
    assert answer.status_code == 429
    async with site.client("192.0.2.99") as client:
        answer = await sign_in(client)
        assert answer.status_code == 429, "even the right one, from elsewhere"
        assert int(answer.headers["retry-after"]) == 31
        assert "Wait 1 minute and try again" in answer.text
        site.ticks.seconds += 30
        assert (await sign_in(client)).status_code == 303


async def test_five_wrong_tries_lock_the_client(site: Site, client: httpx.AsyncClient) -> None:
    for i in range(5):
        answer = await sign_in(client, f"nobody{i}", "wrong password here")
    assert answer.status_code == 429
    assert (await sign_in(client)).status_code == 429
    async with site.client("192.0.2.50") as elsewhere:
        assert (await sign_in(elsewhere)).status_code == 303


async def test_guesses_at_the_same_time_are_counted_each(site: Site) -> None:
    async with site.client() as client:
        page = await client.get("/login")
        fields = {"csrf": hidden(page.text, "csrf"), "user": "admin", "password": "wrong password here"}
        answers = await asyncio.gather(*(client.post("/login", data=fields) for _ in range(8)))
    assert [a.status_code for a in answers].count(401) <= 5


async def test_too_many_at_once_are_told_to_come_back(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_module, "PASSWORD_QUEUE", 0)
    assert (await sign_in(client)).status_code == 503
    monkeypatch.setattr(console_module, "PASSWORD_QUEUE", 8)
    for _ in range(4):
        assert (await sign_in(client, password="wrong password here")).status_code == 401, "busy counted as no guess"


async def test_idle_and_absolute_time_end_a_session(site: Site, admin: httpx.AsyncClient) -> None:
    for _ in range(3):
        site.ticks.seconds += 800
        assert (await admin.get("/")).status_code == 200
    for _ in range(85):
        site.ticks.seconds += 10
        assert (await admin.get("/live")).status_code == 200
    site.ticks.seconds += 60
    answer = await admin.get("/live", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login"), "refreshing is not use"
    await sign_in(admin)
    for _ in range(53):
        site.ticks.seconds += 800
        assert (await admin.get("/")).status_code == 200
    site.ticks.seconds += 801
    assert (await admin.get("/")).status_code == 303, "twelve hours are over"


@pytest.mark.parametrize("change", ["disabled", "password"])
async def test_a_changed_account_is_out_within_seconds(site: Site, change: str) -> None:
    site.add_user("bob", "security")
    async with site.client() as client:
        site.enter(client, "bob")
        if change == "disabled":
            users.set_disabled(site.context, "bob", True)
        else:
            users.set_password(site.context, "bob", "another good password")
        site.ticks.seconds += 11
        assert (await client.get("/messages")).status_code == 303


async def test_signing_in_and_out_is_in_the_audit_trail(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    original = site.store.audit

    def record(at: int, actor: str, action: str, object_: str, detail: dict[str, object]) -> None:
        seen.append((actor, action))
        original(at, actor, action, object_, detail)

    monkeypatch.setattr(site.store, "audit", record)
    await sign_in(client)
    await post(client, "/logout")
    assert seen == [("admin", "web.login"), ("admin", "web.logout")]
