"""Rule packs: what a change needs, what it does, and that a refused one leaves everything as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.errors import RulePackError
from mxward.server.services import rules, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound, Refused


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "trust-pack"
    (folder / "tests" / "must-match").mkdir(parents=True)
    (folder / "tests" / "must-not-match").mkdir()
    (folder / "pack.toml").write_text('name = "trust-pack"\nversion = "2"\ndescription = "ours"\n')
    (folder / "words.list").write_text(
        "@name WORDS\n@category spam\n@weight 3\n@description sells llamas\nbuy llamas now\n"
    )
    (folder / "tests" / "must-match" / "WORDS.eml").write_text("From: a@x.example\nSubject: s\n\nbuy LLAMAS now\n")
    (folder / "tests" / "must-not-match" / "ham.eml").write_text("From: a@x.example\nSubject: s\n\ngood day\n")
    return folder


def state(context: Context, name: str) -> dict:
    return next(p for p in rules.entries(context.config) if p["name"] == name)


def test_the_life_of_a_pack(context: Context, pack: Path) -> None:
    assert state(context, "starter")["shipped"]
    assert rules.lint([pack]) == []
    done = rules.add(context, pack)
    assert (done["pack"], done["version"], done["reloading"]) == ("trust-pack", "2", False)
    assert state(context, "trust-pack")["enabled"]
    assert "trust-pack@2" in scanning.current(context.config).packs
    rules.disable(context, "trust-pack")
    assert "trust-pack@2" not in scanning.current(context.config).packs
    rules.enable(context, "trust-pack")
    assert "trust-pack@2" in scanning.current(context.config).packs
    rules.remove(context, "trust-pack")
    assert "trust-pack" not in [p["name"] for p in rules.entries(context.config)]
    entries = context.store.audit_entries()  # type: ignore[attr-defined]  # beyond the protocol, for readers of the trail
    assert [e.action for e in reversed(entries)] == ["rules.add", "rules.disable", "rules.enable", "rules.remove"]


def test_a_faulty_pack_is_refused_and_changes_nothing(context: Context, pack: Path) -> None:
    rules.add(context, pack)
    before = scanning.current(context.config).version
    (pack / "bad.yar").write_text("rule X {\n condition: nonsense\n}\n")
    problems = rules.lint([pack])
    assert [(p["severity"], p["line"]) for p in problems][:1] == [("error", 2)]
    with pytest.raises(RulePackError, match=r"bad\.yar"):
        rules.add(context, pack)
    assert scanning.current(context.config).version == before


def test_samples_of_all_packs_one_pack_and_a_folder(context: Context, pack: Path) -> None:
    rules.add(context, pack)
    everything = rules.run_samples(context.config)
    assert "trust-pack" in {result["pack"] for result in everything}
    assert all(result["passed"] for result in everything)
    (pack / "tests" / "must-not-match" / "wrong.eml").write_text("From: a@x.example\nSubject: s\n\nbuy llamas now\n")
    failed = [r for r in rules.run_samples(context.config, str(pack)) if not r["passed"]]
    assert [(r["file"], r["hits"]) for r in failed] == [("tests/must-not-match/wrong.eml", ("WORDS",))]
    assert len(rules.run_samples(context.config, "trust-pack")) == 2


def test_what_cannot_be_done_is_said(context: Context, tmp_path: Path) -> None:
    for action in (rules.remove, rules.enable, rules.disable):
        with pytest.raises(NotFound, match="no rule pack 'nope'"):
            action(context, "nope")
    with pytest.raises(NotFound, match="no rule pack 'nope'"):
        rules.run_samples(context.config, "nope")
    with pytest.raises(NotFound, match="is not a directory"):
        rules.add(context, tmp_path / "nope")
    with pytest.raises(NotFound, match="is not a directory"):
        rules.lint([tmp_path / "nope"])
    with pytest.raises(Refused, match="disable it instead"):
        rules.remove(context, "starter")
