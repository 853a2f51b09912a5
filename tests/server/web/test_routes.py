"""Every route, signed in and not: the table is complete, and nothing answers an outsider that should not."""

from __future__ import annotations

import httpx
import pytest
from starlette.routing import Mount, Route

from mxtest.console import Site
from mxward.server.web import access
from mxward.server.web.app import routes

# path -> (outsider's status, signed-in status); SPAM stands for the id of the message in quarantine,
# PACK for a rule pack
GET = {
    "/": (303, 200),
    "/live": (303, 200),
    "/login": (200, 200),
    "/password": (303, 200),
    "/messages": (303, 200),
    "/messages/SPAM": (303, 200),
    "/messages/SPAM/learn": (303, 200),
    "/quarantine": (303, 200),
    "/quarantine/SPAM/release": (303, 200),
    "/quarantine/SPAM/delete": (303, 200),
    "/ledger": (303, 200),
    "/rules": (303, 200),
    "/rules/PACK": (303, 200),
    "/rules/PACK/enable": (303, 200),
    "/rules/PACK/disable": (303, 200),
    "/rules/PACK/rollback": (303, 200),
    "/healthz": (200, 200),
    "/metrics": (200, 200),
    "/favicon.ico": (200, 200),
    "/static/console.css": (200, 200),
    "/api/session": (401, 200),
    "/api/messages": (401, 200),
    "/api/messages/SPAM": (401, 200),
    "/api/quarantine": (401, 200),
    "/api/ledger": (401, 200),
    "/api/status": (401, 200),
    "/api/openapi.json": (200, 200),
}
POST_ONLY = ("/logout", "/api/quarantine/SPAM/release", "/api/quarantine/SPAM/delete", "/api/messages/SPAM/learn")
RULES = ("/rules/PACK/enable", "/rules/PACK/disable", "/rules/PACK/rollback")
POST = (
    "/login",
    "/password",
    "/messages/SPAM/learn",
    "/quarantine/SPAM/release",
    "/quarantine/SPAM/delete",
    *RULES,
    *POST_ONLY,
)
READY = "/readyz"  # its status depends on the gateway: test_health.py


def path_of(path: str) -> str:
    return path.replace("{name}", "PACK").replace("{queue_id}", "SPAM")


def filled(site: Site, path: str) -> str:
    """An address for a path of the table: the message in quarantine, the pack that mxward ships."""
    return path.replace("SPAM", site.ids["spam"]).replace("PACK", "starter")


def known_paths() -> set[str]:
    return {path_of(route.path) for route in routes() if isinstance(route, Route)}


def test_the_table_names_every_route() -> None:
    assert {path for path in GET if not path.startswith("/static")} | {READY, *POST_ONLY} == known_paths()
    assert [route.path for route in routes() if isinstance(route, Mount)] == ["/static"]


def test_posts_are_where_the_table_says() -> None:
    posts = {path_of(r.path) for r in routes() if isinstance(r, Route) and "POST" in (r.methods or ())}
    assert posts == set(POST)


@pytest.mark.parametrize("path", GET)
async def test_outsider(site: Site, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(filled(site, path))
    assert answer.status_code == GET[path][0], answer.text
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/login")
        assert answer.content == b""


@pytest.mark.parametrize("path", GET)
async def test_signed_in(site: Site, admin: httpx.AsyncClient, path: str) -> None:
    answer = await admin.get(filled(site, path))
    assert answer.status_code == GET[path][1], answer.text


@pytest.mark.parametrize("path", [path for path in POST if path != "/login"])
async def test_outsider_changes_nothing(site: Site, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(filled(site, path), data={"csrf": "x"})
    assert answer.status_code == (401 if path.startswith("/api/") else 303)
    assert {r.state for r in site.store.message(site.ids["spam"]).recipients} == {"quarantined"}  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("path", ["/nothing", "/admin", "/.env", "/messages/x/y", "/static/../worker.py", "/api/x"])
async def test_an_outsider_cannot_tell_what_exists(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code in {303, 401, 404}
    if not path.startswith("/static"):
        assert answer.status_code == (401 if path.startswith("/api") else 303)


async def test_static_files_stay_in_their_folder(site: Site) -> None:
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/",
    ):
        async with site.client() as client:
            assert (await client.get(path)).status_code in {303, 404}, path


async def test_unknown_page_for_someone_signed_in(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/nothing")).status_code == 404
    assert (await admin.get("/api/nothing")).json() == {"error": "There is no such page."}


@pytest.mark.parametrize("queue_id", ["x", "0" * 15, "0" * 17, "0" * 16, "0" * 15 + "%2F", "..%2f..%2fetc"])
async def test_unknown_message(admin: httpx.AsyncClient, queue_id: str) -> None:
    for path in (f"/messages/{queue_id}", f"/quarantine/{queue_id}/release", f"/api/messages/{queue_id}"):
        assert (await admin.get(path)).status_code in {404, 405}, path


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_refused(admin: httpx.AsyncClient, method: str) -> None:
    answer = await admin.request(method, "/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", [path for path, (_, inside) in GET.items() if inside == 200])
async def test_head_answers_as_get(site: Site, admin: httpx.AsyncClient, path: str) -> None:
    answer = await admin.head(filled(site, path))
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("path", [*GET, "/nothing", "/logout"])
async def test_every_answer_carries_the_headers(site: Site, admin: httpx.AsyncClient, path: str) -> None:
    headers = (await admin.get(filled(site, path))).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers
    if not path.startswith("/static/"):
        assert headers["cache-control"] == "no-store"


async def test_strict_transport_only_behind_tls(make_site, client: httpx.AsyncClient) -> None:  # type: ignore[no-untyped-def]  # a fixture
    assert "strict-transport-security" not in (await client.get("/login")).headers
    async with make_site(secure_cookies=True).client() as secure:
        assert "strict-transport-security" in (await secure.get("/login")).headers


async def test_get_never_changes_state(site: Site, admin: httpx.AsyncClient) -> None:
    before = [site.store.message(i) for i in site.ids.values()], site.store.users()
    for path in GET:
        await admin.get(filled(site, path) + "?n=0&force=yes&reason=x&csrf=x")
    assert ([site.store.message(i) for i in site.ids.values()], site.store.users()) == before


def test_every_public_path_is_meant(site: Site) -> None:
    inside = {
        "/",
        "/messages",
        "/quarantine",
        "/ledger",
        "/password",
        "/api/messages",
        "/api/session",
        "/live",
        "/logout",
    }
    assert not inside & access.PUBLIC
    assert set(GET) | {READY} >= access.PUBLIC


async def test_two_people_do_not_share_anything(site: Site) -> None:
    site.add_user("bob", "auditor")
    async with site.client() as one, site.client() as two:
        site.enter(one)
        site.enter(two, "bob")
        first, second = (await one.get("/api/session")).json(), (await two.get("/api/session")).json()
    assert first["csrf"] != second["csrf"]
    assert (first["user"], second["user"]) == ("admin", "bob")
