"""Rule packs in the console: shown to everyone, changed by those who may, asked first, with name and reason kept."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mxtest.console import Site, add_pack, hidden, post
from mxward.core.rules.history import read_history
from mxward.server.services import rules


@pytest.fixture
def packed(site: Site, tmp_path: Path) -> Site:
    """A console with two versions of a pack `ours`."""
    for version in ("1", "2"):
        add_pack(site, tmp_path / "ours", version)
    return site


def in_force(site: Site) -> str:
    return str(rules.entry(site.console.config, "ours")["version"])


async def test_the_list_shows_packs_with_whose_they_are_and_what_they_cost(
    packed: Site, admin: httpx.AsyncClient
) -> None:
    html = (await admin.get("/rules")).text
    for words in ("starter", "Part of mxward", "ours", "Nobody", "microseconds", "Roll back", "Rules of the trust"):
        assert words in html
    assert 'href="/rules/ours/disable"' in html


async def test_a_pack_shows_its_versions(packed: Site, admin: httpx.AsyncClient) -> None:
    html = (await admin.get("/rules/ours")).text
    for words in ("This is the one in force", "Use this version", "version 2 was added", "one core then scanned"):
        assert words in html
    assert "Versions" not in (await admin.get("/rules/starter")).text


async def test_asking_changes_nothing_and_the_form_does_it(packed: Site, admin: httpx.AsyncClient) -> None:
    page = await admin.get("/rules/ours/rollback")
    assert "Roll this pack back?" in page.text
    assert in_force(packed) == "2"
    form = {"csrf": hidden(page.text, "csrf"), "reason": "false alarms"}
    answer = await admin.post("/rules/ours/rollback", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules/ours")
    assert in_force(packed) == "1"
    assert "The pack was rolled back." in (await admin.get("/rules/ours")).text
    past = read_history(packed.console.config.data / "rules", "ours")
    assert (past.change, past.changed_by) == ("rolled back from 2 to 1: false alarms", "admin")


async def test_to_a_chosen_version_and_when_there_is_none(packed: Site, admin: httpx.AsyncClient) -> None:
    assert (await post(admin, "/rules/ours/rollback")).status_code == 303
    nothing = await post(admin, "/rules/ours/rollback", reason="again")
    assert nothing.status_code == 409
    assert "there is no earlier version" in nothing.text.lower()
    assert 'value="again"' in nothing.text
    newer = next(v for v in rules.history(packed.console.config, "ours") if v["version"] == "2")
    assert f'value="{newer["digest"]}" selected' in (await admin.get(f"/rules/ours/rollback?to={newer['digest']}")).text
    assert (await post(admin, "/rules/ours/rollback", to=newer["digest"])).status_code == 303
    assert in_force(packed) == "2"


async def test_use_and_do_not_use(packed: Site, admin: httpx.AsyncClient) -> None:
    assert (await post(admin, "/rules/ours/disable")).status_code == 303
    assert not rules.entry(packed.console.config, "ours")["enabled"]
    assert "Not used" in (await admin.get("/rules")).text
    assert (await post(admin, "/rules/ours/enable")).status_code == 303
    assert rules.entry(packed.console.config, "ours")["enabled"]


async def test_a_faulty_pack_says_what_is_wrong(packed: Site, admin: httpx.AsyncClient) -> None:
    folder = packed.console.config.data / "rules" / "broken"
    folder.mkdir()
    (folder / "pack.toml").write_text('name = "<script>"\nversion = "1"\n')
    html = (await admin.get("/rules/broken")).text
    assert "This pack cannot be used" in html
    assert "<script>" not in html
    assert "Faulty" in (await admin.get("/rules")).text
    (packed.console.config.data / "rules" / "broken.disabled").touch()
    assert (await post(admin, "/rules/broken/enable")).status_code == 409


@pytest.mark.parametrize("name", ["none", "%2e%2e", "a%2fb", ".packs", "OURS", "x" * 80])
async def test_a_pack_that_is_not_there(packed: Site, admin: httpx.AsyncClient, name: str) -> None:
    for path in (f"/rules/{name}", f"/rules/{name}/rollback"):
        assert (await admin.get(path)).status_code == 404, path


@pytest.mark.parametrize(
    ("role", "allowed"), [("admin", True), ("security", True), ("helpdesk", False), ("auditor", False)]
)
async def test_who_may_change_rules(packed: Site, role: str, allowed: bool) -> None:
    packed.add_user("bob", role)
    async with packed.client() as client:
        packed.enter(client, "bob")
        assert (await client.get("/rules/ours")).status_code == 200
        assert ("/rules/ours/disable" in (await client.get("/rules")).text) is allowed
        assert ("rollback?to=" in (await client.get("/rules/ours")).text) is allowed
        assert (await client.get("/rules/ours/disable")).status_code == (200 if allowed else 403)
        for verb in ("disable", "enable", "rollback"):
            assert (await post(client, f"/rules/ours/{verb}")).status_code == (303 if allowed else 403)
    assert in_force(packed) == ("1" if allowed else "2")
    assert rules.entry(packed.console.config, "ours")["enabled"]


async def test_a_foreign_form_changes_nothing(packed: Site, admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/rules/ours/disable", data={"csrf": "x"})).status_code == 403
    assert rules.entry(packed.console.config, "ours")["enabled"]
