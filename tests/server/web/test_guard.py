"""What the guard refuses before any page runs, and that a crash tells nothing."""

from __future__ import annotations

import httpx
import pytest

from mxtest.console import ORIGIN, Site, post
from mxward.core.errors import StoreUnavailable
from mxward.server.web import access
from mxward.server.web.form import MAX_BODY_BYTES


async def test_a_foreign_host_name_is_not_served(client: httpx.AsyncClient) -> None:
    for host in ("evil.example", "evil.example:8025", ""):
        answer = await client.get("/login", headers={"host": host})
        assert answer.status_code == 421, host
        assert "form" not in answer.text


async def test_two_host_headers_are_refused(site: Site) -> None:
    async with site.client() as client:
        request = client.build_request("GET", "/login")
        request.headers = httpx.Headers([("host", "127.0.0.1"), ("host", "evil.example")])
        assert (await client.send(request)).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}, {"origin": ORIGIN + "0"}],
    ids=str,
)  # fmt: skip
async def test_a_foreign_page_cannot_change_anything(
    site: Site, admin: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    csrf = (await admin.get("/api/session")).json()["csrf"]
    path = f"/quarantine/{site.ids['spam']}/delete"
    answer = await admin.post(path, data={"csrf": csrf}, headers=headers)
    assert answer.status_code == 403
    row = site.store.message(site.ids["spam"])
    assert row and row.recipients[0].state == "quarantined"


async def test_without_origin_and_fetch_metadata_nothing_changes(site: Site, admin: httpx.AsyncClient) -> None:
    csrf = (await admin.get("/api/session")).json()["csrf"]
    del admin.headers["origin"]
    assert (await admin.post("/logout", data={"csrf": csrf})).status_code == 403
    assert (await admin.get("/api/session")).status_code == 200, "still signed in"


@pytest.mark.parametrize("token", ["", "x", "é", "0" * 43, "\x00"])
@pytest.mark.parametrize("path", ["/logout", "/password", "/quarantine/{}/delete", "/api/quarantine/{}/release"])
async def test_without_the_token_nothing_changes(site: Site, admin: httpx.AsyncClient, path: str, token: str) -> None:
    answer = await admin.post(path.format(site.ids["spam"]), data={"csrf": token, "reason": "x"})
    assert answer.status_code == 403
    row = site.store.message(site.ids["spam"])
    assert row and row.recipients[0].state == "quarantined"
    assert (await admin.get("/api/session")).status_code == 200


async def test_another_persons_token_does_not_serve(site: Site, admin: httpx.AsyncClient) -> None:
    other = site.console.sessions.create(site.store.user("admin"))[1]  # type: ignore[arg-type]  # it is there
    assert (await admin.post("/logout", data={"csrf": other.csrf})).status_code == 403


async def test_large_and_odd_requests_are_refused(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/messages?text=" + "x" * access.MAX_TARGET_BYTES)).status_code == 414
    big = b"csrf=" + b"x" * MAX_BODY_BYTES
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await admin.post("/logout", content=big, headers=form)).status_code == 413
    assert (await admin.post("/logout", content=b"{}", headers={"content-type": "application/json"})).status_code == 415
    assert (await admin.post("/logout", files={"csrf": b"x"})).status_code == 415
    assert (await admin.post("/logout", content=b"a=1&" * 60, headers=form)).status_code == 400
    assert (await admin.post("/logout", content=b"csrf=%ff", headers=form)).status_code == 400
    assert (await admin.post("/logout", content=b"csrf=\xff", headers=form)).status_code == 400
    assert (await admin.post("/logout", content=b"csrf=" + b"x" * 5000, headers=form)).status_code == 400


async def test_a_body_of_unknown_length_is_bounded(admin: httpx.AsyncClient) -> None:
    async def endless():  # type: ignore[no-untyped-def]  # an async generator of bytes
        for _ in range(200):
            yield b"x" * 1024

    answer = await admin.post(
        "/logout", content=endless(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 413


async def test_a_crash_shows_a_reference_and_no_detail(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(site.store, "find", broken)
    for path in ("/messages", "/api/messages"):
        answer = await admin.get(path)
        assert answer.status_code == 500
        assert "secret" not in answer.text and "Traceback" not in answer.text
        assert "reference" in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_store_that_cannot_be_read_is_said_plainly(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("database is locked at /secret/path")

    monkeypatch.setattr(site.store, "find", away)
    answer = await admin.get("/messages")
    assert answer.status_code == 503
    assert "Mail that was accepted is safe" in answer.text
    assert "/secret/path" not in answer.text


async def test_web_sockets_are_closed(site: Site) -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
    await site.app(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_leaving_needs_the_form(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/logout")).status_code == 405
    answer = await post(admin, "/logout")
    assert answer.status_code == 303
    assert (await admin.get("/api/session")).status_code == 401
