"""Running eval tests: numbers and their ranges, conditions, faults, settings of another rule set."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.saevals import mail, run_eval
from mxtest.saparity import message_of
from mxward.core.rules.spamassassin.compile import EvalTest
from mxward.core.rules.spamassassin.evalrun import EvalRun, _Steps
from mxward.core.rules.spamassassin.evals import EVALS
from mxward.core.rules.spamassassin.evaltools import (
    NOT_ZERO,
    Bound,
    Eval,
    Measured,
    Range,
    above_to,
    alone,
    condition,
    from_below,
    from_to,
    lines_with,
    number,
    stands_in,
)
from mxward.core.rules.spamassassin.site import Site
from mxward.core.rules.spamassassin.texts import TextSet

numbers = st.integers(-4, 4).map(lambda n: n / 2) | st.sampled_from([-inf, inf])


def matched(value: float, ranges: Sequence[Range]) -> bool:
    return any(low <= value <= high for low, high in ranges)


@given(st.lists(st.tuples(st.integers(0, 3), st.tuples(numbers, numbers)), max_size=8), numbers)
def test_steps_hold_what_each_range_alone_says(wanted: list[tuple[int, tuple[float, float]]], value: float) -> None:
    steps = _Steps.of(wanted)
    found = steps.slots[bisect_right(steps.points, value)]
    assert set(found) == {slot for slot, (low, high) in wanted if low <= value <= high}


@given(numbers, numbers, numbers)
def test_ranges_mean_what_their_names_say(low: float, high: float, value: float) -> None:
    assert matched(value, from_to(low, high)) == (low <= value <= high)
    if abs(high) < inf:
        assert matched(value, from_below(low, high)) == (low <= value < high)
    if abs(low) < inf:
        assert matched(value, above_to(low, high)) == (low < value <= high)
    assert matched(value, NOT_ZERO) == (value != 0)


@pytest.mark.parametrize(
    ("text", "holding"),
    [
        ("< 2", {-inf, 1}), ("<= 2", {-inf, 1, 2}), (" > 2 ", {3, inf}), (">=2", {2, 3, inf}), ("== 2", {2}),
        ("!= 2", {-inf, 1, 3, inf}), ("2", set()), ("", set()),
    ],
)  # fmt: skip
def test_conditions(text: str, holding: set[float]) -> None:
    assert {value for value in (1, 2, 3, -inf, inf) if matched(value, condition(text))} == holding


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5x", 1.5), (" -2", -2), (".5", 0.5), ("1e3", 1000), ("inf", inf), ("x", 0), ("", 0), (None, 7)],
)
def test_numbers_of_arguments(text: str | None, value: float) -> None:
    assert number(text, 7) == value


@given(st.lists(st.binary(max_size=4), max_size=6))
def test_lines_with_a_byte_are_those_that_have_it(lines: list[bytes]) -> None:
    kept = [line for line in lines if line]
    starts = [sum(map(len, kept[:at])) for at in range(len(kept))]
    assert list(lines_with(b"\0", b"".join(kept), starts)) == [line for line in kept if b"\0" in line]


@given(st.text("ab_-. ", min_size=1, max_size=3), st.text("ab_-. ", max_size=8))
def test_words_stand_where_the_pattern_says(needle: str, text: str) -> None:
    found = re.search(rb"\b" + re.escape(needle.encode()) + rb"\b", text.encode())
    assert stands_in(needle.encode(), text.encode()) == (found is not None)


def run(
    tests: list[EvalTest], site: Site | None = None, runner: EvalRun | None = None
) -> tuple[dict[int, float], list[int]]:
    values: dict[int, float] = {}
    failed: list[int] = []
    texts = TextSet(message_of(mail("Subject: x", "From: a@b.example")), site or Site())
    (runner or EvalRun(tests)).run(texts, values, failed)
    return values, failed


def test_a_fault_of_a_measure_is_one_of_all_its_tests_and_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_texts: TextSet) -> float:
        raise ZeroDivisionError

    measure, sound = alone(fail), alone(lambda _texts: 3)
    monkeypatch.setitem(EVALS, "fail", Measured(lambda low: Bound(measure, "", from_to(float(low), inf))))
    monkeypatch.setitem(EVALS, "sound", Measured(lambda low: Bound(sound, "", from_to(float(low), inf))))
    given_tests = ((1, "fail", "1"), (2, "fail", "2"), (3, "sound", "3"))
    tests = [EvalTest(slot, name, (low,), "body") for slot, name, low in given_tests]
    values, failed = run(tests)
    assert (values, sorted(failed)) == ({3: 1}, [1, 2])


def test_a_wrong_number_of_arguments_is_a_fault() -> None:
    assert run_eval("html_range(length)", mail("Subject: x")) == (0, True)
    assert run_eval("check_uri_host_listed()", mail("Subject: x")) == (0, True)
    assert run_eval("check_for_missing_to_header(x)", mail("Subject: x")) == (0, True)


def test_a_function_that_is_unknown_is_left_out() -> None:
    assert run([EvalTest(1, "no_such_function", (), "body")]) == ({}, [])


def test_what_a_message_lacks_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVALS, "always", Eval(lambda _texts: 2, needs=lambda _texts: True))
    monkeypatch.setitem(EVALS, "never", Eval(lambda _texts: 2, needs=lambda _texts: False))
    tests = [EvalTest(1, "always", (), "body"), EvalTest(2, "never", (), "body")]
    assert run(tests) == ({1: 2}, [])


def test_the_settings_of_each_rule_set_count() -> None:
    runner = EvalRun([EvalTest(1, "check_from_in_blocklist", (), "header")])
    listing = Site({"blocklist_from": ["*@b.example"]})
    assert [run([], site, runner)[0] for site in (Site(), listing, Site(), listing)] == [{}, {1: 1}, {}, {1: 1}]
