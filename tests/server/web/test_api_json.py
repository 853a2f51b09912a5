"""The JSON API: its description is true, its answers have the shape it says, its changes are guarded like the pages."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from mxtest.console import Site, post
from mxward.server.web import api, openapi

KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
    "null": type(None),
}  # fmt: skip


def check(value: Any, schema: dict[str, Any], at: str = "answer") -> None:
    """A small validator of the part of JSON Schema that openapi.py uses."""
    if "$ref" in schema:
        schema = openapi.SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    kinds = schema.get("type", "object")
    allowed = [KINDS[k] for k in ([kinds] if isinstance(kinds, str) else kinds)]
    assert any(isinstance(value, kind) for kind in allowed), f"{at}: {value!r} is not {kinds}"
    if "enum" in schema:
        assert value in schema["enum"], f"{at}: {value!r}"
    if "pattern" in schema:
        assert re.search(schema["pattern"], value), f"{at}: {value!r}"
    for name in schema.get("required", ()):
        assert name in value, f"{at}.{name} is missing"
    for name, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            check(value[name], inner, f"{at}.{name}")
    for i, item in enumerate(value if isinstance(value, list) else ()):
        check(item, schema["items"], f"{at}[{i}]")


def schema_of(path: str, method: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = openapi.document()["paths"][path][method]["responses"][str(status)]
    return found["content"]["application/json"]["schema"]  # type: ignore[no-any-return]  # parsed JSON


def test_it_describes_exactly_the_routes_that_exist() -> None:
    described = {(path, verb) for path, verbs in openapi.document()["paths"].items() for verb in verbs}
    existing = {
        (route.path, method.lower()) for route in api.routes() for method in route.methods or () if method != "HEAD"
    }
    assert described == existing


@pytest.mark.parametrize(
    "path",
    ["/api/session", "/api/messages", "/api/messages/{queue_id}", "/api/quarantine", "/api/ledger", "/api/status"],
)
async def test_answers_have_the_shape(
    site: Site, admin: httpx.AsyncClient, client: httpx.AsyncClient, path: str
) -> None:
    there = path.replace("{queue_id}", site.ids["spam"])
    answer = await admin.get(there)
    assert answer.status_code == 200
    check(answer.json(), schema_of(path, "get", 200))
    refused = await client.get(there)
    assert refused.status_code == 401
    check(refused.json(), schema_of(path, "get", 401))


async def test_search_and_paging(site: Site, admin: httpx.AsyncClient) -> None:
    first = (await admin.get("/api/messages?limit=3")).json()
    assert [m["queue_id"] for m in first["messages"]] == [site.ids[n] for n in ("phish", "spam", "waiting")]
    rest = (await admin.get(f"/api/messages?limit=3&before={first['next']}")).json()
    assert [m["queue_id"] for m in rest["messages"]] == [site.ids["clean"]]
    assert rest["next"] is None
    found = (await admin.get("/api/messages?verdict=phish")).json()["messages"]
    assert [r["address"] for r in found[0]["recipients"]] == ["ann@trust.example", "bob@trust.example"]


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "", "9" * 40, "²"])
async def test_a_bad_limit_is_refused(admin: httpx.AsyncClient, limit: str) -> None:
    answer = await admin.get("/api/messages", params={"limit": limit})
    assert answer.status_code == 400
    check(answer.json(), openapi.SCHEMAS["Error"])


async def test_one_message_is_explained(site: Site, admin: httpx.AsyncClient) -> None:
    doc = (await admin.get(f"/api/messages/{site.ids['spam']}")).json()
    assert "win@prize.example" in doc["explanation"]
    assert doc["events"][0]["kind"]
    assert "body" not in doc and "raw" not in doc


async def test_a_change_answers_in_json(site: Site, admin: httpx.AsyncClient) -> None:
    path = "/api/quarantine/{queue_id}/delete"
    there = path.replace("{queue_id}", site.ids["spam"])
    done = await post(admin, there, reason="rubbish")
    assert done.status_code == 200
    check(done.json(), schema_of(path, "post", 200))
    again = await post(admin, there)
    assert again.status_code == 409
    check(again.json(), schema_of(path, "post", 409))
    missing = await post(admin, path.replace("{queue_id}", "0" * 16))
    assert missing.status_code == 404
    check(missing.json(), schema_of(path, "post", 404))


async def test_the_token_may_come_as_a_header(site: Site, admin: httpx.AsyncClient) -> None:
    csrf = (await admin.get("/api/session")).json()["csrf"]
    path = f"/api/quarantine/{site.ids['spam']}/delete"
    assert (await admin.post(path, data={"reason": "x"}, headers={"x-csrf-token": "wrong"})).status_code == 403
    assert (await admin.post(path, data={"reason": "x"}, headers={"x-csrf-token": csrf})).status_code == 200
