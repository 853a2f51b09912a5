"""What is printed can neither take over a terminal nor break a JSON reader."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.server.cli import output
from mxward.server.cli.when import parse_when
from mxward.server.services.errors import BadRequest


@given(st.text(st.characters(exclude_categories=())))
def test_safe_text_has_nothing_that_controls(text: str) -> None:
    shown = output.safe(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode("utf-8")


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_json_reads_back_and_is_safe(text: str) -> None:
    line = output.to_json({"subject": text})
    assert json.loads(line) == {"subject": text}
    assert output.safe(line) == line


def test_lone_surrogates_survive_as_escapes() -> None:
    assert json.loads(output.to_json({"name": "a\udcffb"})) == {"name": "a\udcffb"}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\r\nb", r"a\r\nb"),
        ("cod\u202egpj.exe", r"cod\u202egpj.exe"),
        ("é", "é"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_how_it_looks(raw: str, shown: str) -> None:
    assert output.safe(raw) == shown


def test_tables_align_and_have_no_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("A", "N"), [("x", 5), ("日本", 10)], right=frozenset((1,)))
    assert capsys.readouterr().out == "A      N\nx      5\n日本  10\n"


NOW = 1_800_000_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("2h", NOW - 7_200_000_000),
        ("7d", NOW - 7 * 86_400_000_000),
        ("2026-01-31", 1_769_817_600_000_000),
        ("2026-01-31T09:00+01:00", 1_769_846_400_000_000),
    ],
)
def test_times_as_people_type_them(text: str, expected: int) -> None:
    assert parse_when(text, NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "2h3", "2026-13-01", "-1d"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not a time"):
        parse_when(text, NOW)
