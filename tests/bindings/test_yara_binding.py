"""bindings/yara: compile errors are located, time is bounded, rules cannot reach files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.bindings import yara

EXTERNALS: dict[str, str | int | bool] = {"view": "raw", "part_depth": 0}
HELLO = 'rule HELLO : greeting { meta: weight = "2.5" strings: $a = "hello" condition: $a and view == "raw" }'


def test_finding_carries_namespace_tags_meta_and_spans() -> None:
    rules = yara.compile_rules({"pack@1:a.yar": HELLO}, EXTERNALS)
    (finding,) = rules.scan(b"say hello, hello", EXTERNALS, 10)
    assert finding == ("pack@1:a.yar", "HELLO", ("greeting",), {"weight": "2.5"}, ((4, 5), (11, 5)))


def test_externals_of_the_scan_replace_those_of_compilation() -> None:
    rules = yara.compile_rules({"a": HELLO}, EXTERNALS)
    assert rules.scan(b"hello", EXTERNALS | {"view": "part"}, 10) == []


def test_syntax_error_names_the_source_and_line() -> None:
    with pytest.raises(yara.YaraSyntaxError) as caught:
        yara.compile_rules({"good": HELLO, "bad": "rule A { condition: true }\nrule B { condition: nothing }"}, {})
    assert (caught.value.namespace, caught.value.line) == ("bad", 2) or caught.value.namespace == "good"
    with pytest.raises(yara.YaraSyntaxError) as caught:
        yara.compile_rules(
            {"good": HELLO, "bad": "rule A { condition: true }\nrule B { condition: nothing }"}, EXTERNALS
        )
    assert (caught.value.namespace, caught.value.line) == ("bad", 2)
    assert "nothing" in caught.value.reason


def test_include_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.yar").write_text("rule OTHER { condition: true }")
    with pytest.raises(yara.YaraSyntaxError, match="include"):
        yara.compile_rules({"a": f'include "{tmp_path}/other.yar"\nrule A {{ condition: true }}'}, {})


def test_a_bomb_ends_at_its_time_limit() -> None:
    bomb = "rule BOMB { strings: $a = /a.*b.*c/s condition: $a }"
    rules = yara.compile_rules({"a": bomb}, {})
    with pytest.raises(yara.YaraTimeout):
        rules.scan(b"a" * 4_000_000, {}, 1)


def test_a_flood_of_matches_gives_few_spans_and_no_warning() -> None:
    rules = yara.compile_rules({"a": 'rule MANY { strings: $a = "ab" condition: $a }'}, {})
    (finding,) = rules.scan(b"ab" * 2_000_000, {}, 10)
    assert len(finding.spans) == yara.MAX_SPANS


def test_console_output_of_rules_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    rules = yara.compile_rules({"a": 'import "console"\nrule A { condition: console.log("secret") }'}, {})
    assert [f.name for f in rules.scan(b"x", {}, 10)] == ["A"]
    assert capfd.readouterr() == ("", "")


def test_dump_and_load_give_the_same_rules() -> None:
    rules = yara.load_rules(yara.compile_rules({"a": HELLO}, EXTERNALS).dump())
    assert rules.names() == ["HELLO"]
    assert rules.scan(b"hello", EXTERNALS, 10)[0].name == "HELLO"


def test_load_refuses_what_is_no_dump() -> None:
    with pytest.raises(yara.YaraFailure):
        yara.load_rules(b"YARA but not really")
