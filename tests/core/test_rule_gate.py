"""core/rules/gate: what costs too much, hangs, or matches everything does not go in, and is named."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mxward.core.pipeline import Pipeline, builtin_detectors
from mxward.core.policy.load import load_policy
from mxward.core.rules import cost, gate, manage
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.files import PackFiles
from mxward.core.rules.gate import Assessment, Budget, assess
from mxward.core.rules.pack import Pack, load_pack, parse_pack

LOOP = "rule LOOP { condition: for any i in (0..filesize): (uint8(i) + uint8(i + 1) == 511) }\n"
GOOD = 'rule GOOD { meta: category = "phish" weight = 6 strings: $a = "not in honest mail" condition: $a }\n'
EVERYTHING = 'rule EVERYTHING { meta: category = "phish" weight = 9 condition: filesize > 0 }\n'
HAM = [b"From: a@b.example\r\nSubject: llama %d\r\n\r\nAll about llamas.\r\n" % n for n in range(60)]


def pack_of(text: str) -> Pack:
    contents = {"a.yar": text.encode(), "pack.toml": b'name = "p"\nversion = "1"\n'}
    return parse_pack(PackFiles("p", contents), Path("p"))


def pipeline_of(*packs: Pack) -> Pipeline:
    rules = compile_packs([load_pack(manage.SHIPPED / "starter"), *packs])
    return Pipeline(builtin_detectors(rules, ["trust.example"]), load_policy(None), rules.version)


@cache
def before() -> Pipeline:
    return pipeline_of()


def ask(text: str, budget: Budget = Budget(messages_per_second=50), ham: list[bytes] | None = None) -> Assessment:
    pack = pack_of(text)
    return assess(pack, before(), pipeline_of(pack), budget, ham or [])


def test_a_good_pack_passes_and_its_cost_is_told() -> None:
    found = ask(GOOD, ham=HAM)
    assert found.reason == ""
    assert found.n_canary == 48 + len(HAM)
    assert 0 < found.before_us < 20_000
    assert found.worst_us > 0
    assert found.worst_input
    assert found.messages_per_second > 50


def test_a_pack_that_matches_everything() -> None:
    found = ask(GOOD + EVERYTHING)
    assert found.reason == "it would keep back 48 of 48 messages that are harmless: EVERYTHING (48)"
    assert [rule.name for rule in found.culprits] == ["EVERYTHING"]


def test_delivered_mail_of_the_site_counts() -> None:
    text = 'rule LLAMA { meta: category = "spam" weight = 20 strings: $a = "llamas" condition: $a }'
    assert ask(text).reason == ""
    assert ask(text, ham=HAM).reason == "it would keep back 60 of 108 messages that are harmless: LLAMA (60)"
    assert ask(text, ham=HAM[:2]).reason == "", "two messages are no reason yet"


def test_a_heavy_rule_that_only_notes_is_no_harm() -> None:
    assert ask('rule NOTE { meta: category = "info" weight = 0 condition: true }').reason == ""


def test_what_pushes_the_machine_below_its_target_is_named() -> None:
    found = ask(GOOD + LOOP, Budget(messages_per_second=1e6 / (before_us() * 1.5), worst_s=10))
    assert found.reason.startswith("one core would scan ")
    assert "LOOP (a.yar:2, " in found.reason
    assert "GOOD" not in found.reason
    assert [rule.name for rule in found.culprits] == ["LOOP"]
    assert found.added_instructions > 1_000_000


def before_us() -> float:
    return ask(GOOD).before_us


def test_a_slow_machine_is_not_the_pack_s_fault() -> None:
    assert ask(GOOD, Budget(messages_per_second=1e6 / before_us() * 2)).reason == ""


def test_a_noisy_measure_is_not_the_pack_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the whole took, rules that cost nothing alone cannot have cost it."""

    def noisy(works: list[object], rounds: int) -> tuple[list[float], cost.Scale]:
        return ([0.2, 0.3] if rounds == gate.ROUNDS else [0.001001, 0.001]), cost.Scale(0.001)

    monkeypatch.setattr(gate.cost, "compare", noisy)
    found = ask(GOOD, Budget(messages_per_second=1000))
    assert (found.reason, round(found.before_us)) == ("", round(0.2e6 / 48))


def test_without_a_target_only_the_worst_case_counts() -> None:
    assert ask(LOOP, Budget(messages_per_second=0, worst_s=10)).reason == ""


def test_a_mail_that_would_keep_a_scanner_busy() -> None:
    found = ask(GOOD + LOOP, Budget(messages_per_second=0, worst_s=0.012))
    assert found.reason.startswith("a message of ")
    assert "(allowed: 12 ms): LOOP (a.yar:2, " in found.reason


def test_a_scan_that_runs_out_of_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.core.detect.yara.YARA_TIMEOUT_S", 1)
    slow = "rule SLOW { condition: for all i in (0..filesize): (for any j in (0..4000): (uint8(i) == j)) }"
    monkeypatch.setattr(gate.reference, "everyday", lambda: [HAM[0]])
    found = ask(slow, Budget(messages_per_second=0, worst_s=20))
    assert "a message of " in found.reason
    assert "SLOW (a.yar:1, " in found.reason
