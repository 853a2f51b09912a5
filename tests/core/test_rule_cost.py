"""core/rules/{reference,cost,single,profile}: what rules are measured with, and that the measure finds the dear one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mxward.core.errors import RulePackError
from mxward.core.pipeline import load_pipeline
from mxward.core.rules import cost, manage, reference
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.files import PackFiles
from mxward.core.rules.pack import Pack, load_pack, parse_pack
from mxward.core.rules.profile import profile, rule_detectors, slow_rules
from mxward.core.rules.single import rules_named, searched_strings, single_rules

LOOP = "rule LOOP { condition: for any i in (0..filesize): (uint8(i) + uint8(i + 1) == 511) }"
SEVERAL = f"""import "math"
private rule BASE {{ condition: filesize > 1 }}
rule FIRST {{ strings: $a = "never to be seen" condition: $a and BASE }}
rule SECOND {{ condition: math.abs(1) == 2 and FIRST }}
{LOOP}
"""


def pack_of(yara: str, **more: str) -> Pack:
    contents = {"pack.toml": 'name = "p"\nversion = "1"\n', "a.yar": yara} | {
        name.replace("__", "."): text for name, text in more.items()
    }
    return parse_pack(PackFiles("p", {name: text.encode() for name, text in sorted(contents.items())}), Path("p"))


def test_the_reference_mails_never_change() -> None:
    """Costs are compared between machines and releases: mails may be added to the kinds, never changed."""
    everyday = hashlib.sha256(b"".join(reference.everyday())).hexdigest()
    worst = hashlib.sha256(b"".join(raw for _, raw in reference.worst([b"almost"]))).hexdigest()
    assert (everyday[:16], worst[:16]) == ("42db0ca42257f5a4", "84698456ccd9ca10")


def test_everyday_mail_is_harmless_and_well_formed() -> None:
    pipeline = load_pipeline(None, ("trust.example",))
    for raw in reference.everyday():
        assert b"\n" not in raw.replace(b"\r\n", b"")
        message = pipeline.judge(raw, cost.ENVELOPE)
        assert message.verdict is not None
        # the classifier may have an opinion of invented words; rules must not
        found = [hit.name for hit in message.verdict.hits if hit.detector != "classifier"]
        assert (message.verdict.name, found, message.not_inspected) == ("clean", [], []), raw[:500]


def test_everyday_mail_is_of_many_kinds() -> None:
    messages = cost.prepare(reference.everyday())
    types = {part.content_type for message in messages for part in message.parts}
    assert {"text/plain", "text/html", "application/pdf", "image/jpeg"} <= types
    sizes = sorted(len(message.raw) for message in messages)
    assert sizes[len(sizes) // 2] < 10_000
    assert sizes[-1] > 60_000


def test_worst_mails_hold_what_almost_matches() -> None:
    mails = dict(reference.worst([b"unmistakable"]))
    raw = mails["almost 'unmistakable'"]
    (message,) = cost.prepare([raw])
    assert any(bytes(part.data).startswith(b"unmistakabl" * 3) for part in message.parts)
    assert not any(b"unmistakable" in part.data for part in message.parts)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="instructions were counted with Python 3.11")
def test_the_known_work_is_known() -> None:
    code = "import sys; from mxward.core.rules import cost; [cost.known_work() for _ in range(int(sys.argv[1]))]"

    def count(n: int) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", code, str(n)]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment)
        found = re.search(r"Collected : (\d+)", done.stderr)
        assert found, done.stderr[-2000:]
        return int(found[1])

    assert (count(6) - count(1)) / 5 == pytest.approx(cost.KNOWN_INSTRUCTIONS, rel=0.05)


def test_a_pack_taken_apart() -> None:
    pack = pack_of(
        SEVERAL, w__list="some phrase\n", attachments__toml='[[attachment]]\nname = "A"\nextensions = ["x"]\n'
    )
    singles = {single.name: single for single in single_rules(pack)}
    assert [(s.name, s.kind, s.line) for s in singles.values()] == [
        ("FIRST", "yara", 3), ("SECOND", "yara", 4), ("LOOP", "yara", 5), ("W", "list", 0), ("A", "attachment", 0),
    ]  # fmt: skip
    for name, needs in (("FIRST", ["BASE"]), ("SECOND", ["BASE", "FIRST"]), ("LOOP", [])):
        rules = compile_packs([singles[name].pack])
        assert rules.yara is not None
        assert rules.yara.names() == [n for n in (*needs, name) if n != "BASE"], "private rules are not named"


def test_expressions_and_spamassassin_rules_taken_apart() -> None:
    pack = pack_of(
        "",
        x__regex="/never seen\\d/\n",
        a__cf="body A_ONE /never/\nscore A_ONE 1\n",
        b__cf="body B_ONE /ever/\nscore B_ONE 1\n",
    )
    singles = {single.name: single for single in single_rules(pack)}
    assert [(s.name, s.kind) for s in singles.values()] == [
        ("X", "regex"), ("a.cf", "spamassassin"), ("b.cf", "spamassassin"),
    ]  # fmt: skip
    assert rules_named(pack, ["X", "b.cf"]) == {"X", "B_ONE"}
    assert singles["a.cf"].pack.left_out == {"B_ONE"}
    assert {rule.name for rule in profile([pack], reference.everyday(4)).rules} == {"X", "a.cf", "b.cf"}


def test_every_rule_of_the_starter_pack_compiles_alone() -> None:
    pack = load_pack(manage.SHIPPED / "starter")
    singles = list(single_rules(pack))
    assert sorted(s.name for s in singles) == sorted(pack.rule_names(private=False))
    for single in singles:
        compile_packs([single.pack])


def test_the_dear_rule_comes_first_and_shares_add_up() -> None:
    seen: list[tuple[int, int]] = []
    found = profile([pack_of(SEVERAL, w__list="some phrase\n")], reference.everyday(12), lambda *at: seen.append(at))
    assert found.rules[0].name == "LOOP"
    assert found.rules[0].share > 0.6
    assert found.rules[0].instructions > 100_000
    assert sum(rule.share for rule in found.rules) == pytest.approx(1.0)
    assert found.rules[0].microseconds < found.microseconds * 2
    assert (found.n_messages, found.rules[0].line) == (12, 5)
    assert seen == [(n, 4) for n in range(1, 5)]


def test_what_does_not_compile_is_not_profiled() -> None:
    with pytest.raises(RulePackError, match=r"p/a.yar:1"):
        profile([pack_of("rule A { condition: nothing }")], [])


def test_instructions_follow_the_known_work() -> None:
    (twice, once), scale = cost.compare([lambda: [cost.known_work() for _ in range(2)], cost.known_work], 5)
    assert scale.instructions(twice) == pytest.approx(2 * cost.KNOWN_INSTRUCTIONS, rel=0.5)
    assert twice > once


def test_slow_rules_are_named() -> None:
    (message,) = cost.prepare([reference.worst()[0][1]])
    found = list(slow_rules(pack_of(SEVERAL), message, 0.005))
    assert [rule.name for rule in found] == ["LOOP"]


def test_strings_that_rules_look_for() -> None:
    text = r'rule A { strings: $a = "tab\tand \x41\"" $b = "ab" $c = { 41 42 43 44 } condition: any of them }'
    assert searched_strings(pack_of(text, w__list="some phrase\n"), 10) == [b'tab\tand A"', b"some phrase"]
    assert len(searched_strings(load_pack(manage.SHIPPED / "starter"), 7)) == 7


def test_a_scan_leaves_messages_as_they_were() -> None:
    (message,) = cost.prepare([reference.everyday(1)[0]])
    detectors = rule_detectors(compile_packs([load_pack(manage.SHIPPED / "starter")]))
    assert cost.scan(detectors, [message])
    assert message.hits == []
    assert message.not_inspected == []


def test_what_is_very_slow_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.core.rules.cost.ENOUGH_S", 0.01)
    calls: list[str] = []

    def slow() -> None:
        calls.append("slow")
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass

    (took, quick), _ = cost.compare([slow, lambda: calls.append("quick")], 5)
    assert calls == ["slow", "quick"]
    assert took >= 0.01 > quick
