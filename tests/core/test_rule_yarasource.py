"""core/rules/yarasource: single rules of a YARA text are found as libyara finds them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yara
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus
from mxward.core.rules import manage
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.yarasource import leave_out, needed_by, rule_spans, users_of

TEXT = r"""
import "math" // rule NOT_ONE { condition: true }
/* rule NOT_TWO { condition: true } */
private rule BASE { condition: filesize > 0 }
global private rule EVERY { condition: true }
rule HEX : a b {
  meta:
    description = "a } brace and \" { more"
  strings:
    $a = { 4D 5A [2-4] ?? } // }
    $b = /a\/{2,3}[/]?"}"/ nocase
    $c = "rule FAKE {"
  condition:
    any of them and BASE
}
rule USER { condition: HEX and not /* BASE } */ false }
"""


def names(text: str) -> list[str]:
    return [rule.identifier for rule in yara.compile(source=text, externals=EXTERNALS)]


def test_rules_are_found() -> None:
    spans = rule_spans(TEXT.replace("[/]?", ""))
    assert [s.name for s in spans] == ["BASE", "EVERY", "HEX", "USER"]
    assert [sorted(s.modifiers) for s in spans] == [["private"], ["global", "private"], [], []]


@pytest.mark.parametrize("gone", [["USER"], ["HEX", "USER"], ["EVERY"], ["BASE", "HEX", "USER"], []])
def test_left_out_rules_are_gone_and_lines_stay(gone: list[str]) -> None:
    text = TEXT.replace("[/]?", "")
    left = leave_out(text, gone)
    assert names(left) == [name for name in names(text) if name not in gone]
    assert left.count("\n") == text.count("\n")
    assert ("USER" in gone) or left.splitlines()[-1] == text.splitlines()[-1]


def test_what_rules_need_and_who_needs_them() -> None:
    spans = rule_spans(TEXT)
    assert needed_by(spans, "USER") == {"HEX", "BASE", "EVERY"}
    assert needed_by(spans, "BASE") == {"EVERY"}
    assert users_of(spans, {"BASE"}) == {"HEX", "USER"}
    assert users_of(spans, {"USER"}) == set()


@given(st.text(alphabet='{}"/\\*rule A\n', max_size=60))
def test_any_text_is_read(text: str) -> None:
    for span in rule_spans(text):
        assert 0 <= span.start < span.end <= len(text)
    assert leave_out(text, []) == text


def test_the_starter_pack_rule_by_rule() -> None:
    for file in (manage.SHIPPED / "starter").glob("*.yar"):
        check(file)


@pytest.mark.corpus
def test_public_rule_sets_rule_by_rule() -> None:
    files = sorted(corpus.need("rules/yara").rglob("*.yar*"))
    for file in files[::7]:
        check(file)


def check(file: Path) -> None:
    """Of each rule alone with what it needs libyara says the same name."""
    text = file.read_text("utf-8", "replace")
    try:
        everything = [r.identifier for r in yara.compile(source=text, externals=EXTERNALS, includes=False)]
    except yara.Error:
        return
    spans = rule_spans(text)
    assert [s.name for s in spans] == everything, file
    for span in spans[:3]:
        keep = needed_by(spans, span.name) | {span.name}
        alone = leave_out(text, {s.name for s in spans if s.name not in keep})
        assert span.name in [r.identifier for r in yara.compile(source=alone, externals=EXTERNALS)]
