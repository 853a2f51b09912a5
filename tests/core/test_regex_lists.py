"""Lists of regular expressions: how they are read, what they hit, and that none stalls a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.detect.regex import RegexDetector
from mxward.core.errors import RulePackError
from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.pack import load_pack
from mxward.core.rules.regexlist import parse_regexes, unfiltered
from mxward.pyx.mime import parse

LIST = r"""
# references of ours
@name CASE_NUMBER
@category policy
@weight 1.5
@cap 4
@views text subject urls
@description holds a case number
/\bCASE-\d{6}\b/
2.5 | /ward\s+(?:list|round)/i
2 | /^secret$/m
"""


def judged(tmp_path: Path, text: str, subject: str = "hello", listed: str = LIST) -> tuple[Message, RegexDetector]:
    (tmp_path / "trust").mkdir(exist_ok=True)
    (tmp_path / "trust" / "pack.toml").write_text('name = "trust"\nversion = "2"\n')
    (tmp_path / "trust" / "case.regex").write_text(listed)
    raw = (
        f"From: a@x.example\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()
    )
    message = Message(raw, Envelope("a@x.example", (Recipient("b@trust.example"),)))
    message.mime = parse(raw)
    extract(message)
    return message, RegexDetector(compile_packs([load_pack(tmp_path / "trust")], tmp_path / "cache"))


def test_weights_add_up_to_the_cap_and_an_expression_counts_once(tmp_path: Path) -> None:
    message, detector = judged(tmp_path, "CASE-123456 and CASE-654321", "about CASE-111111")
    (hit,) = detector.detect(message)
    assert (hit.name, hit.category, hit.weight, hit.pack, hit.detail) == (
        "CASE_NUMBER", "policy", 1.5, "trust@2", "holds a case number"
    )  # fmt: skip
    assert [(place.view, place.offset, place.length) for place in hit.evidence] == [("text", 0, 11), ("subject", 6, 11)]
    message, detector = judged(tmp_path, "CASE-123456 Ward  Round\r\nsecret\r\n")
    (hit,) = detector.detect(message)
    assert hit.weight == 4
    assert detector.packs == ("trust@2",)


def test_links_are_looked_at_and_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    message, detector = judged(tmp_path, "see http://x.example/CASE-123456")
    assert {place.view for hit in detector.detect(message) for place in hit.evidence} == {"text", "urls"}
    message, detector = judged(tmp_path, "nothing to see")
    assert list(detector.detect(message)) == []


def test_the_time_of_a_message_bounds_the_views_that_are_searched(tmp_path: Path) -> None:
    message, detector = judged(tmp_path, "see CASE-123456", "about CASE-111111")
    asked = iter((False, True, True, True))
    message.is_late = lambda: next(asked)
    (hit,) = detector.detect(message)
    assert [place.view for place in hit.evidence] == ["text"]
    assert {entry.reason for entry in message.not_inspected} == {"timeout"}


def test_an_expression_that_gives_up_is_not_inspected(tmp_path: Path) -> None:
    message, detector = judged(tmp_path, "a" * 3000 + "!", listed="/^(a|aa)+$/\n/a{3}/\n")
    (hit,) = detector.detect(message)
    assert hit.weight == 1
    assert [entry.reason for entry in message.not_inspected] == ["limit:regex"]


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("/good/\n/(/", "missing closing parenthesis", 2),
        ("word", "between slashes", 1),
        ("/a/g", "between slashes", 1),
        ("@words yes\n/a/", "@words", 1),
        ("@weight heavy\n/a/", "a number such as 2.5", 1),
        ("@views raw\n/a/", "text subject names urls", 1),
        ("# nothing", "holds no expression", 0),
    ],
)
def test_faults_name_file_and_line(text: str, fault: str, line: int) -> None:
    with pytest.raises(RulePackError, match=fault) as caught:
        parse_regexes(text, "trust/case.regex")
    assert caught.value.line == line
    assert "trust/case.regex" in str(caught.value)


def test_the_author_hears_of_expressions_that_run_on_every_message() -> None:
    found = unfiltered(parse_regexes("/fixed words/\n/\\d+/\n/[a-z]{9}/", "x.regex"))
    assert [line for line, _ in found] == [2, 3]
    assert "every message" in found[0][1]


def test_the_name_comes_from_the_file(tmp_path: Path) -> None:
    assert parse_regexes("/a/", "trust/ward lists.regex").name == "WARD_LISTS"
