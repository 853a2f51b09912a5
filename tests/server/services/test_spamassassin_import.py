"""A folder of .cf files taken in as a pack: report, refusals, what is on the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.errors import RulePackError
from mxward.core.message import Envelope
from mxward.server.services import rules, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound
from mxward.server.services.spamassassin import ImportOptions, import_folder, inspect

RULES = (
    "body BUY_LLAMAS /buy our llamas/i\nscore BUY_LLAMAS 0.1 0.2 0.3 0.4\ndescribe BUY_LLAMAS Sells llamas\n"
    "header IN_A_LIST eval:check_rbl('x', 'zone.example')\nbody BAD /x\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    (made / "more").mkdir(parents=True)
    (made / "10_rules.cf").write_bytes(b"# UPDATE version 1900000\n" + RULES.encode() + b"describe X caf\xe9\n")
    (made / "more" / "20.cf").write_text("body NOT_READ /x/\n")
    (made / "readme.txt").write_text("no rules")
    return made


def test_a_report_without_a_change(folder: Path) -> None:
    files, report = inspect(folder, ImportOptions(score_set=3))
    assert list(files.contents) == ["10_rules.cf", "more/20.cf", "pack.toml"]
    assert b"score_set = 3" in files.contents["pack.toml"]
    assert (report["version"], report["tests"], report["used"]) == ("update-1900000", 2, 1)
    assert report["kinds"]["body"] == {"tests": 1, "used": 1}
    assert report["idle"] == {"asks the network": ["IN_A_LIST"]}
    (problem,) = report["problems"]
    assert (problem["file"], problem["line"], problem["rule"]) == ("10_rules.cf", 6, "BAD")


def test_imported_rules_are_in_force(context: Context, folder: Path) -> None:
    done = import_folder(context, folder, ImportOptions(name="sa"))
    assert (done["pack"], done["report"]["used"]) == ("sa", 1)
    assert "sa@update-1900000" in scanning.current(context.config).packs
    assert rules.entry(context.config, "sa")["enabled"]
    raw = b"From: a@b.example\r\nSubject: s\r\n\r\nBuy our llamas\r\n"
    message = scanning.current(context.config).judge(raw, Envelope("a@b.example", ()))
    assert [(h.name, h.pack) for h in message.hits if h.detector == "spamassassin"] == [
        ("BUY_LLAMAS", "sa@update-1900000"),
    ]  # fmt: skip


def test_what_cannot_be_imported(context: Context, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not a directory"):
        inspect(folder / "10_rules.cf", ImportOptions())
    with pytest.raises(RulePackError, match="must be a name"):
        inspect(folder, ImportOptions(name="../sa"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RulePackError, match=r"no \.cf file"):
        inspect(tmp_path / "empty", ImportOptions())
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.cf").write_text("header N eval:check_rbl('x', 'y')\n")
    with pytest.raises(RulePackError, match="no test that can run"):
        import_folder(context, tmp_path / "none", ImportOptions())
    assert "spamassassin" not in [entry["name"] for entry in rules.entries(context.config)]
