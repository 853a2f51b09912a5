"""Rule packs: what a change needs, what it does, and that a refused one leaves everything as it was."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mxward.core.errors import ConfigError, RulePackError
from mxward.core.rules.history import read_history
from mxward.core.rules.manage import order_of
from mxward.server.services import ruleauthor, rulegate, rules, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound, Refused

LOOP = "rule LOOP {\n condition: for any i in (0..filesize): (uint8(i) + uint8(i + 1) == 511) }\n"
EVERYTHING = 'rule EVERYTHING {\n meta: category = "phish" weight = 9\n condition: filesize > 0 }\n'
GOOD = 'rule GOOD {\n strings: $a = "not in honest mail"\n condition: $a }\n'


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "trust-pack"
    (folder / "tests" / "must-match").mkdir(parents=True)
    (folder / "tests" / "must-not-match").mkdir()
    write_manifest(folder, "2")
    (folder / "words.list").write_text(
        "@name WORDS\n@category spam\n@weight 3\n@description sells llamas\nbuy llamas now\n"
    )
    (folder / "tests" / "must-match" / "WORDS.eml").write_text("From: a@x.example\nSubject: s\n\nbuy LLAMAS now\n")
    (folder / "tests" / "must-not-match" / "ham.eml").write_text("From: a@x.example\nSubject: s\n\ngood day\n")
    return folder


def write_manifest(folder: Path, version: str) -> None:
    text = f'name = "trust-pack"\nversion = "{version}"\ndescription = "ours"\nauthor = "us"\n'
    (folder / "pack.toml").write_text(text)


def state(context: Context, name: str) -> dict[str, Any]:
    return rules.entry(context.config, name)


def actions(context: Context) -> list[str]:
    entries = context.store.audit_entries()  # type: ignore[attr-defined]  # beyond the protocol, for readers of the trail
    return [e.action for e in reversed(entries)]


def with_rules(context: Context, **settings: Any) -> Context:
    """The context with other settings of [rules]."""
    changed = msgspec.structs.replace(context.config.rules, **settings)
    return Context(msgspec.structs.replace(context.config, rules=changed), context.store, context.actor, context.clock)


def labels(context: Context) -> tuple[str, ...]:
    return scanning.current(context.config).packs


def test_the_life_of_a_pack(context: Context, pack: Path) -> None:
    assert state(context, "starter")["shipped"]
    assert ruleauthor.lint([pack]) == []
    done = rules.add(context, pack)
    assert (done["pack"], done["version"], done["reloading"], done["signed"]) == ("trust-pack", "2", False, "unsigned")
    assert state(context, "trust-pack")["enabled"]
    assert "trust-pack@2" in labels(context)
    rules.disable(context, "trust-pack")
    assert "trust-pack@2" not in labels(context)
    rules.enable(context, "trust-pack")
    assert "trust-pack@2" in labels(context)
    rules.remove(context, "trust-pack")
    assert "trust-pack" not in [p["name"] for p in rules.entries(context.config)]
    assert actions(context) == ["rules.add", "rules.disable", "rules.enable", "rules.remove"]


def test_workers_find_a_new_pack_compiled(context: Context, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanning.current(context.config)
    (pack / "a.yar").write_text(GOOD)
    from mxward.bindings import yara

    compiled: list[int] = []
    compile_rules = yara.compile_rules

    def counting(sources: Any, externals: Any) -> Any:
        compiled.append(len(sources))
        return compile_rules(sources, externals)

    monkeypatch.setattr(yara, "compile_rules", counting)
    rules.add(context, pack)
    n_compiled = len(compiled)
    assert n_compiled > 0
    assert "trust-pack@2" in scanning.load_uncached(context.config).packs
    assert len(compiled) == n_compiled


def test_a_faulty_pack_is_refused_and_changes_nothing(context: Context, pack: Path) -> None:
    rules.add(context, pack)
    before = scanning.current(context.config).version
    (pack / "bad.yar").write_text("rule X {\n condition: nonsense\n}\n")
    problems = ruleauthor.lint([pack])
    assert [(p["severity"], p["line"]) for p in problems][:1] == [("error", 2)]
    with pytest.raises(RulePackError, match=r"bad\.yar"):
        rules.add(context, pack)
    assert scanning.current(context.config).version == before


@pytest.mark.parametrize("kind", ["must-match", "must-not-match"])
def test_a_pack_whose_own_samples_fail_is_refused(context: Context, pack: Path, kind: str) -> None:
    (pack / "words.list").write_text("@name WORDS\n@weight 2\ngood day\n")
    (pack / "tests" / ("must-not-match" if kind == "must-match" else "must-match")).rename(pack / "tests" / "other")
    with pytest.raises(RulePackError, match=f"own sample tests/{kind}"):
        rules.add(context, pack)
    assert "trust-pack" not in [p["name"] for p in rules.entries(context.config)]


def test_a_pack_that_matches_everything_is_refused_with_its_culprit(context: Context, pack: Path) -> None:
    (pack / "a.yar").write_text(GOOD + EVERYTHING)
    (pack / "tests" / "must-not-match" / "ham.eml").unlink()
    with pytest.raises(Refused, match=r"trust-pack@2 is not taken in: it would keep back .*: EVERYTHING \(\d+\)"):
        rules.add(context, pack)
    assert "trust-pack@2" not in labels(context)
    assert actions(context) == ["rules.refuse"]


def test_what_is_too_dear_is_refused_isolated_or_forced(context: Context, pack: Path) -> None:
    (pack / "a.yar").write_text(GOOD + LOOP + "rule USES_IT { condition: LOOP and filesize < 0 }\n")
    before = scanning.current(context.config)
    us = rulegate.assess(_some_pack(), before, before, rulegate.budget_of(context.config)).before_us
    strict = with_rules(context, messages_per_second=1e6 / us / 1.5, worst_case=20.0)
    with pytest.raises(Refused, match=r"one core would scan .*LOOP \(a.yar:4"):
        rules.add(strict, pack)
    done = rules.add(strict, pack, isolate=True)
    assert done["without"] == ["LOOP", "USES_IT"]
    assert "LOOP (a.yar" in done["warning"]
    assert state(strict, "trust-pack")["without"] == ["LOOP", "USES_IT"]
    assert state(strict, "trust-pack")["change"] == "version 2 was added without LOOP, USES_IT"
    assert state(strict, "trust-pack")["cost"]["microseconds"] < us / 2
    rules.leave_out(strict, "trust-pack", "LOOP", out=False)
    assert state(strict, "trust-pack")["without"] == ["USES_IT"]
    done = rules.add(strict, pack, force=True, reason="known")
    assert done["forced"].startswith("one core would scan")
    assert actions(strict)[-3:] == ["rules.add", "rules.enable", "rules.add"]


def _some_pack() -> Any:
    from mxward.core.rules import manage
    from mxward.core.rules.pack import load_pack

    return load_pack(manage.SHIPPED / "starter")


def test_delivered_mail_is_the_canary(context: Context, pack: Path, put: Callable[..., str]) -> None:
    from mxward.server.store.api import DELIVERED, Outcome

    raw = b"From: a@b.example\r\nTo: c@trust.example\r\nSubject: minutes\r\n\r\nThe llama minutes.\r\n"
    for n in range(12):
        queue_id = put(["c@trust.example"], raw=raw.replace(b"minutes", b"minutes %d" % n))
        context.store.record_outcomes([Outcome(queue_id, 0, DELIVERED, context.clock.now_us())])
    (pack / "words.list").write_text("@name WORDS\n@category spam\n@weight 30\nllama\nllamas\n")
    with pytest.raises(Refused, match=r"keep back 12 of 60 messages that are harmless: WORDS \(12\)"):
        rules.add(context, pack)
    rules.add(with_rules(context, canary_messages=0), pack)


def test_containers_are_added(context: Context, pack: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "pack.tar.gz", "w:gz") as file:
        file.add(pack, "trust-pack-2")
    assert rules.add(context, tmp_path / "pack.tar.gz")["version"] == "2"
    assert "trust-pack@2" in labels(context)


def test_versions_and_roll_back(context: Context, pack: Path) -> None:
    rules.add(context, pack)
    write_manifest(pack, "3")
    rules.add(context, pack)
    assert [(v["version"], v["in_force"], v["by"]) for v in rules.history(context.config, "trust-pack")] == [
        ("3", True, "cli:tester"), ("2", False, "cli:tester"),
    ]  # fmt: skip
    assert state(context, "trust-pack")["can_roll_back"]
    done = rules.rollback(context, "trust-pack", reason="false alarms")
    assert (done["version"], done["reason"]) == ("2", "false alarms")
    assert "trust-pack@2" in labels(context)
    assert not state(context, "trust-pack")["can_roll_back"]
    assert state(context, "trust-pack")["change"] == "rolled back from 3 to 2: false alarms"
    with pytest.raises(RulePackError, match="no earlier version"):
        rules.rollback(context, "trust-pack")
    rules.rollback(context, "trust-pack", "3")
    assert "trust-pack@3" in labels(context)
    assert actions(context) == ["rules.add", "rules.add", "rules.rollback", "rules.rollback"]


def test_samples_of_all_packs_one_pack_and_a_folder(context: Context, pack: Path) -> None:
    rules.add(context, pack)
    seen: list[tuple[int, int]] = []
    everything = dict_of(ruleauthor.run_samples(context.config, progress=lambda *at: seen.append(at)))
    assert "trust-pack" in everything
    assert all(result.passed for results in everything.values() for result in results)
    assert seen[-1][0] == seen[-1][1] == sum(map(len, everything.values()))
    (pack / "tests" / "must-not-match" / "wrong.eml").write_text("From: a@x.example\nSubject: s\n\nbuy llamas now\n")
    ((found, results),) = ruleauthor.run_samples(context.config, str(pack))
    assert [(r.file, r.hits) for r in results if not r.passed] == [("tests/must-not-match/wrong.eml", ("WORDS",))]
    assert ruleauthor.covered(found, results) == [{"pack": "trust-pack", "rule": "WORDS", "n_samples": 1}]
    assert len(dict_of(ruleauthor.run_samples(context.config, "trust-pack"))["trust-pack"]) == 2


def dict_of(found: Any) -> dict[str, Any]:
    return {pack.name: results for pack, results in found}


def test_profiles(context: Context, pack: Path, tmp_path: Path) -> None:
    found = ruleauthor.profile_packs(context.config, str(pack))
    assert [rule.name for rule in found.rules] == ["WORDS"]
    assert found.n_messages == 48
    (tmp_path / "mails").mkdir()
    with pytest.raises(BadRequest, match="holds no message"):
        ruleauthor.profile_packs(context.config, str(pack), tmp_path / "mails")
    (tmp_path / "mails" / "a.eml").write_text("Subject: a\n\nbuy llamas now\n")
    assert ruleauthor.profile_packs(context.config, str(pack), tmp_path / "mails").n_messages == 1
    with pytest.raises(NotFound, match="not a directory"):
        ruleauthor.profile_packs(context.config, str(pack), tmp_path / "none")


def test_lint_beside_the_packs_of_a_gateway(context: Context, pack: Path) -> None:
    (pack / "words.list").write_text((pack / "words.list").read_text().replace("WORDS", "PHISH_PHRASES"))
    (pack / "tests" / "must-match" / "WORDS.eml").rename(pack / "tests" / "must-match" / "PHISH_PHRASES.eml")
    assert ruleauthor.lint([pack]) == []
    (problem,) = ruleauthor.lint([pack], context.config)
    assert problem["text"] == "the name PHISH_PHRASES is used in the pack starter@1.0 too"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    public, secret = tmp_path / "trust.pub", tmp_path / "trust.key"
    ruleauthor.make_key(public, secret, "pw")
    return public, secret


def test_signed_packs(context: Context, pack: Path, keys: tuple[Path, Path]) -> None:
    public, secret = keys
    assert secret.stat().st_mode & 0o777 == 0o600
    strict = with_rules(context, require_signature=True)
    with pytest.raises(RulePackError, match="is not signed"):
        rules.add(strict, pack)
    made = ruleauthor.sign(pack, secret, lambda: "pw", 1_790_000_000)
    assert made["comment"] == "timestamp:1790000000\tpack:trust-pack\tversion:2"
    with pytest.raises(RulePackError, match=f"signed by the key {made['key_id']}, which is not trusted"):
        rules.add(strict, pack)
    assert ruleauthor.verify(context.config, pack)["state"] == "unknown key"
    assert ruleauthor.verify(context.config, pack, [str(public)])["state"] == "trusted"
    ruleauthor.trust_key(strict, "vendor", str(public))
    assert rules.add(strict, pack)["signed"] == "trusted"
    assert state(strict, "trust-pack")["signed"]["signer"] == "vendor"
    assert rules.history(strict.config, "trust-pack")[0]["signed"]["comment"] == made["comment"]
    assert "trust-pack@2" in labels(strict)
    assert [key["name"] for key in ruleauthor.trusted(strict.config)] == ["vendor"]


def test_a_signed_pack_that_was_changed_is_refused_when_added_and_when_loaded(
    context: Context, pack: Path, keys: tuple[Path, Path]
) -> None:
    ruleauthor.sign(pack, keys[1], lambda: "pw", 1)
    ruleauthor.trust_key(context, "vendor", keys[0].read_text())
    rules.add(context, pack)
    (pack / "words.list").write_text("@name WORDS\nother words\n")
    with pytest.raises(RulePackError, match=r"words\.list: is not what was signed"):
        rules.add(context, pack)
    in_force = context.config.data / "rules" / "trust-pack" / "words.list"
    in_force.write_text("@name WORDS\nother words\n")
    with pytest.raises(RulePackError, match=r"words\.list: is not what was signed"):
        scanning.load_uncached(context.config)
    assert "is not what was signed" in state(context, "trust-pack")["fault"]


def test_a_signed_pack_is_not_quietly_undone(context: Context, pack: Path, keys: tuple[Path, Path]) -> None:
    ruleauthor.sign(pack, keys[1], lambda: "pw", 1)
    ruleauthor.trust_key(context, "vendor", str(keys[0]))
    rules.add(context, pack)
    write_manifest(pack, "1.9")
    ruleauthor.sign(pack, keys[1], lambda: "pw", 2)
    with pytest.raises(Refused, match=r"1\.9 is older than the signed version 2 in force; --allow-downgrade"):
        rules.add(context, pack)
    assert rules.add(context, pack, allow_downgrade=True)["version"] == "1.9"
    write_manifest(pack, "1.10")
    ruleauthor.sign(pack, keys[1], lambda: "pw", 3)
    assert rules.add(context, pack)["version"] == "1.10"
    write_manifest(pack, "3")
    for file in ("pack.sums", "pack.sums.minisig"):
        (pack / file).unlink()
    with pytest.raises(Refused, match="signed by a trusted key, this one is not; --allow-unsigned"):
        rules.add(context, pack, force=True)
    assert "trust-pack@1.10" in labels(context)
    assert rules.add(context, pack, allow_unsigned=True)["signed"] == "unsigned"
    write_manifest(pack, "2")
    assert rules.add(context, pack)["version"] == "2"  # nobody signed the one in force


def test_an_unsigned_pack_does_not_replace_a_signed_one_that_was_damaged(
    context: Context, pack: Path, keys: tuple[Path, Path]
) -> None:
    ruleauthor.sign(pack, keys[1], lambda: "pw", 1)
    ruleauthor.trust_key(context, "vendor", str(keys[0]))
    rules.add(context, pack)
    rules.disable(context, "trust-pack")
    (context.config.data / "rules" / "trust-pack" / "words.list").write_text("@name WORDS\nother words\n")
    for file in ("pack.sums", "pack.sums.minisig"):
        (pack / file).unlink()
    with pytest.raises(Refused, match="--allow-unsigned"):
        rules.add(context, pack)


@pytest.mark.parametrize(
    ("older", "newer"), [("1.9", "1.10"), ("1", "1.1"), ("1.0-rc1", "1.0"), ("2024.12", "2025.1"), ("1a", "1b")]
)
def test_versions_are_compared_as_people_do(older: str, newer: str) -> None:
    assert order_of(older) < order_of(newer)


def test_a_key_that_is_trusted_no_longer(context: Context, pack: Path, keys: tuple[Path, Path]) -> None:
    ruleauthor.sign(pack, keys[1], lambda: "pw", 1)
    ruleauthor.trust_key(context, "vendor", str(keys[0]))
    rules.add(context, pack)
    ruleauthor.distrust_key(context, "vendor")
    assert state(context, "trust-pack")["signed"]["state"] == "unknown key"
    with pytest.raises(RulePackError, match="which is not trusted"):
        scanning.load_uncached(with_rules(context, require_signature=True).config)
    with pytest.raises(NotFound, match="no key named 'vendor'"):
        ruleauthor.distrust_key(context, "vendor")


def test_what_cannot_be_done_with_keys_is_said(context: Context, pack: Path, keys: tuple[Path, Path]) -> None:
    public, secret = keys
    with pytest.raises(Refused, match="is there already"):
        ruleauthor.make_key(public, secret, "")
    with pytest.raises(BadRequest, match="password is wrong"):
        ruleauthor.sign(pack, secret, lambda: "wrong", 1)
    with pytest.raises(BadRequest, match="is no minisign secret key"):
        ruleauthor.sign(pack, public, lambda: "", 1)
    with pytest.raises(NotFound):
        ruleauthor.sign(pack / "none", secret, lambda: "pw", 1)
    for name, key, error, text in (
        ("vendor", "nonsense", BadRequest, "is no minisign public key"), ("Ven dor", str(public), BadRequest, "a name"),
    ):  # fmt: skip
        with pytest.raises(error, match=text):
            ruleauthor.trust_key(context, name, key)
    ruleauthor.trust_key(context, "vendor", str(public))
    for name in ("vendor", "other"):
        with pytest.raises(Refused, match="is trusted already"):
            ruleauthor.trust_key(context, name, str(public))
    with pytest.raises(ConfigError, match="is no minisign public key"):
        scanning.load_uncached(with_rules(context, trusted_keys=["RW" + "A" * 53 + "!"]).config)


def test_a_configured_key_counts(context: Context, pack: Path, keys: tuple[Path, Path]) -> None:
    ruleauthor.sign(pack, keys[1], lambda: "pw", 1)
    key = keys[0].read_text().splitlines()[1]
    configured = with_rules(context, trusted_keys=[key], require_signature=True)
    assert rules.add(configured, pack)["signed"] == "trusted"


def test_what_cannot_be_done_is_said(context: Context, tmp_path: Path) -> None:
    for action in (rules.remove, rules.enable, rules.disable, rules.rollback):
        with pytest.raises(NotFound, match="no rule pack 'nope'"):
            action(context, "nope")
    for ask in (rules.history, rules.entry):
        with pytest.raises(NotFound, match="no rule pack 'nope'"):
            ask(context.config, "nope")
    with pytest.raises(NotFound, match="no rule pack 'nope'"):
        list(ruleauthor.run_samples(context.config, "nope"))
    with pytest.raises(NotFound, match="is not there"):
        rules.add(context, tmp_path / "nope")
    with pytest.raises(NotFound, match="is not there"):
        ruleauthor.lint([tmp_path / "nope"])
    with pytest.raises(Refused, match="disable it instead"):
        rules.remove(context, "starter")
    with pytest.raises(RulePackError, match="no such rule"):
        rules.leave_out(context, "starter", "NOPE", out=True)


def test_a_rule_of_a_shipped_pack_is_left_out(context: Context) -> None:
    rules.leave_out(context, "starter", "SEXTORTION", out=True)
    assert state(context, "starter")["without"] == ["SEXTORTION"]
    assert read_history(context.config.data / "rules", "starter").changed_by == "cli:tester"
    raw = (
        b"From: a@x.example\r\nSubject: s\r\n\r\n"
        + (_some_pack().path / "tests/must-match/SEXTORTION.eml").read_bytes()
    )
    hits = scanning.current(context.config).judge(raw, scanning.Envelope("", ())).hits
    assert "SEXTORTION" not in [hit.name for hit in hits]
