"""Logical lines of .cf files: comments, languages, conditions, includes, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.rules.spamassassin import lines
from mxward.core.rules.spamassassin.dialect import Dialect
from mxward.core.rules.spamassassin.lines import LineReader
from mxward.core.rules.spamassassin.problem import MAX_PROBLEMS, Problems


def read(text: str, **others: str) -> tuple[list[tuple[str, str]], Problems]:
    problems = Problems()
    files = {"main.cf": text} | {name.replace("__", "/") + ".cf": content for name, content in others.items()}
    return [(line.key, line.value) for line in LineReader(files, problems)], problems


def values(text: str, **others: str) -> list[str]:
    return [value for _, value in read(text, **others)[0]]


def test_comments_and_escaped_hash_signs() -> None:
    found, problems = read("# all\n body A /x\\#y/ # rest\n\n\tScore-Set\tA 1\r\n")
    assert found == [("body", "A /x#y/"), ("score_set", "A 1")]
    assert problems.found == []


def test_line_numbers_and_files_are_kept() -> None:
    reader = LineReader({"a.cf": "\n\nscore A 1\n", "b.cf": "score B 2"}, Problems())
    assert [(line.file, line.number, line.value) for line in reader] == [("a.cf", 3, "A 1"), ("b.cf", 1, "B 2")]


def test_only_english_lines_of_a_language() -> None:
    assert values("lang de describe A eins\nlang en describe A one\nlang EN_us describe A two\nlanguage x") == [
        "A one", "A two", "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("if (version >= 3.004000)", True),
        ("if (version > 5)", False),
        ("if (version >= 3.0) && (version < 4.1)", True),
        ("if perl_version >= 5.010001", True),
        ("if can(Mail::SpamAssassin::Conf::feature_bug6558_free)", True),
        ("if !can(Mail::SpamAssassin::Conf::feature_of_tomorrow)", True),
        ("if has(Mail::SpamAssassin::Plugin::MIMEHeader::has_all_header)", True),
        ("if (local_tests_only)", True),
        ("ifplugin Mail::SpamAssassin::Plugin::DKIM", True),
        ("ifplugin Mail::SpamAssassin::Plugin::Dmarc", True),
        ("ifplugin Mail::SpamAssassin::Plugin::TextCat", False),
        ("ifplugin Evil::Plugin::DKIM", False),
        ("if !plugin(Mail::SpamAssassin::Plugin::DKIM)", False),
        ("if !(!plugin(Mail::SpamAssassin::Plugin::DKIM))", True),
        ("if plugin(Mail::SpamAssassin::Plugin::DKIM) || 0", True),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    found, problems = read(f"{condition}\nscore A 1\nelse\nscore B 1\nendif\nscore C 1")
    assert [value for _, value in found] == ["A 1" if holds else "B 1", "C 1"]
    assert problems.found == []


def test_blocks_within_each_other() -> None:
    text = (
        "if 1\nif 0\nscore A 1\nelse\nscore B 1\nendif\nelse\nif 1\nscore C 1\nelse\nscore D 1\nendif\nendif\nscore E 1"
    )
    assert values(text) == ["B 1", "E 1"]


@pytest.mark.parametrize(
    ("text", "severity", "words"),
    [
        ("if 1\nscore A 1", "warning", "no endif"),
        ("else", "error", "without if"),
        ("endif", "error", "without if"),
        ("if 1\nendif now\nendif", "error", "nothing after"),
        ("if version >=\nscore A 1\nendif", "warning", "taken as false"),
        ("if system(1)\nendif", "warning", "taken as false"),
        ("if\nendif", "warning", "taken as false"),
        ("ifplugin ) || (1\nendif", "warning", "taken as false"),
        ("include other.cf", "warning", "not in the pack"),
        ("include ../../../etc/passwd", "warning", "not in the pack"),
        ("require_version 9.0\nscore A 1", "warning", "not read"),
        ("x" * (lines.MAX_LINE + 1), "error", "longer"),
    ],
)
def test_what_is_wrong_is_said(text: str, severity: str, words: str) -> None:
    found, problems = read(text)
    assert [(p.severity, p.file) for p in problems.found] == [(severity, "main.cf")]
    assert words in problems.found[0].text
    assert all(value != "A 1" for _, value in found) or "endif" in words


def test_files_in_folders_are_read_where_they_are_included() -> None:
    assert values("score A 1\ninclude rules/10.cf\nscore C 1", rules__10="score B 1", rules__20="score X 1") == [
        "A 1", "B 1", "C 1",
    ]  # fmt: skip
    assert [line.value for line in LineReader({"rules/a.cf": "score A 1"}, Problems())] == ["A 1"]


def test_includes_end() -> None:
    files = {"main.cf": "include d/0.cf"} | {f"d/{n}.cf": f"score A {n}\ninclude {n + 1}.cf" for n in range(40)}
    files["d/40.cf"] = "include 0.cf"
    problems = Problems()
    found = list(LineReader(files, problems))
    assert len(found) == lines.MAX_INCLUDE_DEPTH
    assert "within each other" in problems.found[0].text
    assert [line.value for line in LineReader({"a.cf": "include a.cf\nscore A 1"}, Problems())] == ["A 1"]


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 3)
    found, problems = read("score A 1\n" * 9)
    assert len(found) == 3
    assert len(problems.found) == 1
    found, problems = read("if 1\n" * 2)
    monkeypatch.setattr(lines, "MAX_LINES", 1000)
    _, problems = read("if 1\n" * 70)
    assert sum("more than 64" in p.text for p in problems.found) == 6


def test_problems_are_bounded() -> None:
    _, problems = read("endif\n" * (MAX_PROBLEMS + 7))
    assert (len(problems.found), problems.n_dropped) == (MAX_PROBLEMS, 7)


def test_another_dialect() -> None:
    old = Dialect(version=3.004002, local_tests_only=False, plugins=frozenset(("TextCat",)))
    text = (
        "if version >= 4\nscore A 1\nendif\nif local_tests_only\n"
        "score B 1\nendif\nifplugin Mail::SpamAssassin::Plugin::TextCat\nscore C 1"
    )
    assert [line.value for line in LineReader({"a.cf": text}, Problems(), old)] == ["C 1"]


@given(st.text(alphabet="if()!&|10 \nelsendiplugv:#\\\t><=", max_size=200))
def test_any_text_is_read(text: str) -> None:
    read(text)
