"""`mxward rules import-spamassassin` as a user types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mxward.server.cli import exitcodes

RULES = (
    "body BUY_LLAMAS /buy our llamas/i\nscore BUY_LLAMAS 0.1\nmeta M BUY_LLAMAS || IN_A_LIST\nscore M 0.1\n"
    "header IN_A_LIST eval:check_rbl('x', 'zone.example')\nbody OTHER eval:nobody_knows_it()\nbody BAD /x\n"
    "body WORSE /(/\n"
)


def make(folder: Path) -> Path:
    folder.mkdir()
    (folder / "10.cf").write_text(RULES)
    return folder


def test_what_runs_is_told_to_people_and_programs(site: Any, tmp_path: Path) -> None:
    folder = make(tmp_path / "rules")
    told = site.mx("rules", "import-spamassassin", str(folder), "--dry-run", plain=True)
    assert told.code == 0
    for words in (
        "2 of 5 tests run", "1 do not run: asks the network: IN_A_LIST", "not supported: nobody_knows_it",
        "1 metas run without a test they use: M", "10.cf:7: error: BAD: invalid end", "WORSE: missing closing",
    ):  # fmt: skip
        assert words in told.out, told.out
    report = site.mx("rules", "import-spamassassin", str(folder), "--dry-run", "--json", plain=True).json["report"]
    assert (report["tests"], report["used"], report["partial"]) == (5, 2, ["M"])
    assert "spamassassin" not in [pack["name"] for pack in site.mx("rules", "list", "--json").lines]


def test_rules_are_taken_in_and_can_be_removed(site: Any, tmp_path: Path) -> None:
    folder = make(tmp_path / "rules")
    done = site.mx("rules", "import-spamassassin", str(folder), "--name", "sa")
    assert (done.code, done.out.splitlines()[-1]) == (0, "sa added")
    assert [p["name"] for p in site.mx("rules", "list", "--json").lines if not p["shipped"]] == ["sa"]
    assert site.mx("rules", "remove", "sa").code == 0


def test_faults_have_their_exit_codes(site: Any, tmp_path: Path) -> None:
    assert site.mx("rules", "import-spamassassin", str(tmp_path / "nowhere")).code == exitcodes.NO_INPUT
    (tmp_path / "empty").mkdir()
    refused = site.mx("rules", "import-spamassassin", str(tmp_path / "empty"))
    assert refused.code == exitcodes.DATA
    assert "holds no .cf file" in refused.err
    assert site.mx("rules", "import-spamassassin", str(tmp_path), "--score-set", "4", plain=True).code == 2
