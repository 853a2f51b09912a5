"""Every command as a user types it: output for people and programs, exit codes, errors in one sentence."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mxtest.product import MXWARD
from mxward.server.cli import exitcodes, reference
from mxward.server.store.api import DISCARDED, HELD, QUARANTINED, QUEUED, REDIRECTED

COMMANDS = list(reference.commands())
CONTROLS = set(map(chr, range(32))) - {"\n"} | {"\x7f", "\x9b", "\u202e"}


def states(site: Any, name: str) -> list[str]:
    row = site.store.message(site.ids[name])
    return [rcpt.state for rcpt in row.recipients]


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_has_an_example_and_json(name: str, command: Any) -> None:
    text = reference.help_of(name, command)
    assert f"Example: mxward {name}" in text
    if name != "run":
        assert "--json" in text
    if name not in ("version", "rules keygen", "rules sign"):
        assert "--data DIR" in text
        assert "--config FILE" in text


def test_help_is_quick_and_plain() -> None:
    done = subprocess.run([*MXWARD, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert not CONTROLS & set(done.stdout)
    for name in ("run", "scan", "queue", "quarantine", "ledger"):
        assert f"  {name} " in done.stdout
    loaded = subprocess.run(
        [MXWARD[0].replace("bin/mxward", "bin/python"), "-X", "importtime", "-c",
         "import sys; sys.argv = ['mxward', '--help']; from mxward.server.cli.main import main; main()"],
        capture_output=True, text=True,
    ).stderr  # fmt: skip
    for heavy in ("sqlalchemy", "yara", "rich", "cryptography", "asyncio", "msgspec", "numpy"):
        assert f" {heavy}\n" not in loaded, f"mxward --help loads {heavy}"


def test_queue_list_is_postqueue_for_programs_and_mailq_for_people(site: Any) -> None:
    first, second = site.mx("queue", "list", "-j").lines
    assert first == {
        "queue_name": "deferred", "queue_id": site.ids["waiting"], "arrival_time": 1_790_000_001, "message_size": 17,
        "forced_expire": False, "sender": "b@example.org",
        "recipients": [{"address": "waiting@trust.example", "delay_reason": "451 \x1b[2Jlater"}],
    }  # fmt: skip
    assert (second["queue_name"], second["sender"]) == ("hold", "MAILER-DAEMON")
    text = site.mx("queue", "list").out
    assert f"{site.ids['held']}!" in text
    assert r"(451 \x1b[2Jlater)" in text
    assert text.endswith("-- 0 Kbytes in 2 Requests.\n")
    assert not CONTROLS & set(text)
    assert site.mx("queue", "list", "--recipient", "nobody").out == "Mail queue is empty\n"


def test_queue_changes(site: Any) -> None:
    waiting, held = site.ids["waiting"], site.ids["held"]
    assert site.mx("queue", "requeue", waiting).out == "1 recipient due now\n"
    assert site.mx("queue", "hold", waiting, "--reason", "why", "--json").json == {"changed": 1}
    assert states(site, "waiting") == [HELD]
    again = site.mx("queue", "hold", waiting)
    assert (again.code, again.out) == (exitcodes.NEGATIVE, "0 recipients held\n")
    assert site.mx("queue", "unhold", "ALL").out == "2 recipients queued\n"
    assert site.mx("queue", "flush", "--json").json == {"changed": 0}
    assert site.mx("queue", "reroute", held, "new@trust.example", "--n", "0").code == 0
    assert states(site, "held") == [REDIRECTED, QUEUED]
    assert site.mx("queue", "delete", waiting, held).out == "2 recipients discarded\n"
    assert states(site, "waiting") == [DISCARDED]
    assert states(site, "virus") == [QUARANTINED]
    total, *_ = site.mx("queue", "shape", "--json").lines
    assert total["total"] == 0
    assert site.mx("queue", "shape").out.splitlines()[1].split()[:2] == ["TOTAL", "0"]
    assert site.mx("ledger", "verify").out.endswith("consistent\n")


def test_quarantine_release_refusal_and_force(site: Any) -> None:
    spam, virus = site.ids["spam"], site.ids["virus"]
    assert [row["queue_id"] for row in site.mx("quarantine", "list", "--json").lines] == [virus, spam, site.ids["held"]]
    assert site.mx("quarantine", "list", "--area", "spam").out.splitlines()[1].split()[0] == spam
    released = site.mx("quarantine", "release", spam, "--json").json
    assert released.pop("score") >= 15
    assert released == {"queue_id": spam, "released": 1, "verdict": "spam", "forced": False}
    refused = site.mx("quarantine", "release", virus)
    assert refused.code == exitcodes.REFUSED
    assert refused.err.startswith(f"mxward: {virus} is not released: today's rules find malware")
    assert site.mx("quarantine", "release", virus, "--force").code == exitcodes.USAGE
    assert states(site, "virus") == [QUARANTINED]
    assert site.mx("quarantine", "release", virus, "--force", "--reason", "test by security").code == 0
    assert (states(site, "spam"), states(site, "virus")) == ([QUEUED], [QUEUED])
    assert site.mx("quarantine", "delete", site.ids["held"]).out == "1 recipient(s) deleted\n"
    assert site.mx("quarantine", "list").out == "the quarantine is empty\n"
    assert site.mx("quarantine", "show", spam, "--json").json["recipients"][0]["state"] == QUEUED


def test_messages_are_found_shown_and_explained(site: Any) -> None:
    held = site.ids["held"]
    assert [row["queue_id"] for row in site.mx("message", "find", "--verdict", "malware", "--json").lines] == [
        site.ids["virus"]
    ]
    assert site.mx("message", "find", "hello").out.splitlines()[1].split()[0] == site.ids["waiting"]
    none = site.mx("message", "find", "--since", "2000-01-01", "--until", "2000-01-02")
    assert (none.code, none.out) == (exitcodes.NEGATIVE, "no message matches\n")
    assert site.mx("message", "find", "--since", "soon").code == exitcodes.USAGE
    for command in ("show", "explain"):
        text = site.mx("message", command, held)
        assert text.code == 0, text.err
        assert r"held \u202e\x1b[31mred" in text.out
        assert not CONTROLS & set(text.out)
        assert site.mx("message", command, held, "--json").json["queue_id"] == held
    assert site.mx("ledger", "show", held).out.splitlines()[0] == "  0 held@trust.example held"
    assert site.mx("ledger", "show", held, "--json").json["recipients"][0]["state"] == HELD


def test_the_ledger_is_verified_and_a_hole_in_it_found(site: Any) -> None:
    doc = site.mx("ledger", "verify", "--json")
    assert doc.code == 0
    assert doc.json == {
        "accepted": 4, "queued": 1, "delivered": 0, "held": 3, "discarded": 0, "bounced": 0, "redirected": 0,
        "consistent": True, "problems": [],
    }  # fmt: skip
    import sqlite3

    with sqlite3.connect(site.data / "mxward.db") as database:
        database.execute("DELETE FROM recipient WHERE queue_id = ?", (site.ids["spam"],))
    database.close()
    broken = site.mx("ledger", "verify")
    assert broken.code == exitcodes.NEGATIVE
    assert "problem: " in broken.out
    assert broken.out.endswith("NOT CONSISTENT\n")


def test_users_and_keys(site: Any) -> None:
    made = site.mx("user", "add", "jo", "--role", "security")
    assert made.out.startswith("one-time password of jo: ")
    assert site.mx("user", "add", "al", "--password-stdin", "--json", given=b"a long enough one\n").json == {
        "name": "al"
    }
    assert site.mx("user", "passwd", "jo", "--json").json["password"]
    assert site.mx("user", "disable", "jo").out == "jo is disabled\n"
    assert [(u["name"], u["disabled"]) for u in site.mx("user", "list", "--json").lines] == [
        ("al", False),
        ("jo", True),
    ]
    assert "argon2" not in site.mx("user", "list").out
    assert site.mx("user", "disable", "nobody").code == exitcodes.NO_INPUT
    assert site.mx("user", "add", "jo").code == exitcodes.REFUSED
    new = site.mx("key", "rotate", "--json").json["current"]
    first, second = site.mx("key", "list", "--json").lines
    assert (first, second["current"]) == ({"id": new, "current": True}, False)


def test_rules(site: Any, tmp_path: Path) -> None:
    pack = tmp_path / "ours"
    pack.mkdir()
    (pack / "pack.toml").write_text('name = "ours"\nversion = "1"\n')
    (pack / "r.yar").write_text('rule A { meta: description = "is a" strings: $a = "llama" condition: $a }\n')
    assert site.mx("rules", "lint", str(pack), plain=True).code == 0
    assert site.mx("rules", "add", str(pack)).out == "ours added\n"
    assert [p["name"] for p in site.mx("rules", "list", "--json").lines if not p["shipped"]] == ["ours"]
    assert site.mx("rules", "disable", "ours", "--json").json == {"pack": "ours", "reloading": False}
    assert "disabled" in site.mx("rules", "list").out
    assert site.mx("rules", "enable", "ours").code == 0
    assert site.mx("rules", "test", "ours").out == "0 samples, 0 failed; 0 of 1 rules were hit\n"
    (pack / "r.yar").write_text("rule A { condition: nonsense }\n")
    faulty = site.mx("rules", "lint", str(pack), "--json", plain=True)
    assert faulty.code == exitcodes.NEGATIVE
    assert faulty.lines[0]["severity"] == "error"
    refused = site.mx("rules", "add", str(pack))
    assert refused.code == exitcodes.DATA
    assert "r.yar:1" in refused.err
    assert site.mx("rules", "remove", "ours").code == 0
    assert site.mx("rules", "remove", "ours").code == exitcodes.NO_INPUT
    assert site.mx("rules", "remove", "starter").code == exitcodes.REFUSED


def test_rule_versions(site: Any, tmp_path: Path) -> None:
    pack = tmp_path / "ours"
    pack.mkdir()
    for version in ("1", "2"):
        (pack / "pack.toml").write_text(f'name = "ours"\nversion = "{version}"\n')
        (pack / "w.list").write_text(f"version {version} of this\nother words\n")
        assert site.mx("rules", "add", str(pack)).code == 0
    assert site.mx("rules", "rollback", "ours", "--reason", "noise").out == "ours rolled back\n"
    assert [(v["version"], v["in_force"]) for v in site.mx("rules", "history", "ours", "--json").lines] == [
        ("2", False), ("1", True),
    ]  # fmt: skip
    assert "in force" in site.mx("rules", "history", "ours").out
    assert site.mx("rules", "rollback", "ours").code == exitcodes.DATA
    assert site.mx("rules", "disable", "ours", "--rule", "W").out == "ours: W disabled\n"
    assert "1 left out" in site.mx("rules", "list").out
    assert site.mx("rules", "enable", "ours", "--rule", "W").code == 0
    (pack / "all.yar").write_text('rule ALL { meta: weight = 30 category = "spam" condition: true }\n')
    refused = site.mx("rules", "add", str(pack))
    assert refused.code == exitcodes.REFUSED
    assert "ALL (" in refused.err
    assert refused.err.count("\n") == 1
    isolated = site.mx("rules", "add", str(pack), "--isolate", "--json").json
    assert isolated["without"] == ["ALL"]


def test_signing_profiling_and_coverage(site: Any, tmp_path: Path) -> None:
    pack, public, secret = tmp_path / "ours", str(tmp_path / "k.pub"), str(tmp_path / "k.key")
    pack.mkdir()
    (pack / "pack.toml").write_text('name = "ours"\nversion = "1"\n')
    (pack / "w.list").write_text("rare words\n")
    made = site.mx("rules", "keygen", public, secret, "--json", given=b"pw\n", plain=True).json
    assert site.mx("rules", "verify", str(pack)).code == exitcodes.NEGATIVE
    signed = site.mx("rules", "sign", str(pack), "--key", secret, given=b"pw\n", plain=True)
    assert signed.out == f"ours 1 signed with key {made['key_id']}\n"
    assert site.mx("rules", "verify", str(pack)).code == exitcodes.NEGATIVE, "by a key that is not trusted"
    given = site.mx("rules", "verify", str(pack), "--key", public).out
    assert given.startswith(f"ours: trusted (key {made['key_id']}) timestamp:")
    assert given.endswith(", pack:ours, version:1\n")
    assert site.mx("rules", "trust", "us", public).out == f"us ({made['key_id']}) is trusted\n"
    assert site.mx("rules", "verify", str(pack)).out.startswith("ours: trusted by us (key ")
    assert site.mx("rules", "add", str(pack), MXWARD_RULES_REQUIRE_SIGNATURE="true").code == 0
    assert "by us" in site.mx("rules", "list").out
    assert site.mx("rules", "keys", "--json").json["key"] == made["key"]
    (pack / "w.list").write_text("other words\n")
    changed = site.mx("rules", "verify", str(pack))
    assert (changed.code, changed.err) == (exitcodes.DATA, "mxward: ours/w.list: is not what was signed\n")
    assert site.mx("rules", "distrust", "us").out == "us is trusted no longer\n"
    assert site.mx("rules", "sign", str(pack), "--key", secret, given=b"no\n", plain=True).code == exitcodes.USAGE
    profile = site.mx("rules", "profile", str(pack), "--json").json
    assert [rule["name"] for rule in profile["rules"]] == ["W"]
    assert "all together" in site.mx("rules", "profile", str(pack)).out
    untried = site.mx("rules", "test", str(pack), "--coverage", "--json")
    assert (untried.code, untried.json) == (1, {"pack": "ours", "rule": "W", "n_samples": 0})


def test_configuration_and_version(site: Any) -> None:
    doc = site.mx("check-config", "--json", MXWARD_STORE_URL="postgresql://u:secret@db/mx").json
    assert doc["server"]["data_dir"] == str(site.data)
    assert doc["store"]["url"] == "postgresql://u:***@db/mx"
    text = site.mx("check-config").out
    assert '[server]\ndata_dir = "' in text
    assert "[[listener]]" in text
    assert "limits.max_errors = 20" in text
    (site.data / "policy.toml").write_text('name = "x"\n[[policy_rule]]\nname = "r"\nnonsense = 1\n')
    for command in ("check-config", "reload"):
        wrong = site.mx(command)
        assert wrong.code == exitcodes.DATA
        assert "policy.toml:2: policy rule r: nonsense: unknown key" in wrong.err
    (site.data / "policy.toml").unlink()
    site.config.write_text("[smtp]\nbaner = 'x'\n")
    wrong = site.mx("check-config")
    assert wrong.code == exitcodes.CONFIG
    assert wrong.err.startswith(f"mxward: {site.config}:2: smtp.baner: is not a known key; did you mean banner?")
    assert site.mx("version", plain=True).out.startswith("mxward ")
    assert site.mx("version", "--json", plain=True).json["version"]
    listed = site.mx("version", "--exit-codes", "--json", plain=True).json
    assert {int(code) for code in listed} == set(exitcodes.MEANINGS)


def test_errors_are_one_plain_sentence(site: Any, tmp_path: Path) -> None:
    cases = [
        (("message", "show", "nothing"), exitcodes.NO_INPUT, "mxward: there is no message 'nothing'\n"),
        (("message", "show", "a\x1b[2Jb"), exitcodes.NO_INPUT, "mxward: there is no message 'a\\x1b[2Jb'\n"),
        (("status", "--data", str(tmp_path / "none")), exitcodes.NO_INPUT, "is not a data directory yet"),
        (("reload",), exitcodes.UNAVAILABLE, "no gateway is running"),
        (("check-config", "--config", "/nowhere"), exitcodes.CONFIG, "/nowhere: cannot be read: No such file"),
        (("nonsense",), exitcodes.USAGE, "No such command"),
        (("queue", "hold"), exitcodes.USAGE, "Missing argument"),
        (("status", "--nonsense"), exitcodes.USAGE, "No such option"),
        (("run", "--set", "nonsense"), exitcodes.CONFIG, "is not a setting"),
    ]  # fmt: skip
    for arguments, code, words in cases:
        done = site.mx(*arguments)
        assert (done.code, words in done.err) == (code, True), (arguments, done)
        assert "Traceback" not in done.err
        assert done.out == ""


def test_a_store_that_cannot_be_reached_is_69(site: Any) -> None:
    done = site.mx("ledger", "verify", MXWARD_STORE_URL="postgresql://u:secret@127.0.0.1:1/mx")
    assert done.code == exitcodes.UNAVAILABLE
    assert "secret" not in done.err
    assert done.err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(site: Any) -> None:
    command = [*MXWARD, "--data", str(site.data), "--config", str(site.config), "check-config"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(30)


def test_colour_on_a_terminal_only_and_never_with_no_color(site: Any) -> None:
    def on_terminal(**environment: str) -> bytes:
        parent, child = pty.openpty()
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm", **environment}
        command = [*MXWARD, "--data", str(site.data), "--config", str(site.config), "rules", "list"]
        subprocess.run(command, stdout=child, check=True, env=env)
        os.close(child)
        with os.fdopen(parent, "rb", 0) as screen:
            return screen.read(10_000)

    assert b"\x1b[1mNAME" in on_terminal()
    assert b"\x1b" not in on_terminal(NO_COLOR="1")
    assert "\x1b" not in site.mx("rules", "list").out


def test_json_is_one_document_or_lines(site: Any) -> None:
    for arguments in (["status"], ["ledger", "verify"], ["check-config"]):
        assert isinstance(json.loads(site.mx(*arguments, "--json").out), dict)
    for arguments in (["queue", "list"], ["quarantine", "list"], ["message", "find"], ["rules", "list"]):
        assert all(isinstance(line, dict) for line in site.mx(*arguments, "--json").lines)
