"""core/policy/score: the scale, and that order does not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.policy.score import judge
from mxward.core.verdict import CATEGORIES, VERDICTS, Hit

HITS = st.lists(
    st.builds(
        Hit,
        name=st.sampled_from(["A", "B", "C"]),
        category=st.sampled_from(CATEGORIES),
        weight=st.sampled_from([-3.0, 0.0, 0.1, 0.2, 0.7, 1.0, 2.0, 4.0, 6.0, 15.0]),
    ),
    max_size=8,
)


@pytest.mark.parametrize(
    ("hits", "verdict"),
    [
        ([], "clean"),
        ([("spam", 3.9)], "clean"),
        ([("spam", 4.0)], "suspect"),
        ([("spam", 5.9)], "suspect"),
        ([("spam", 6.0)], "spam"),
        ([("spam", 3.0), ("anomaly", 3.0)], "spam"),
        ([("phish", 6.0)], "phish"),
        ([("phish", 3.0), ("spam", 3.0)], "phish"),
        ([("phish", 2.9), ("spam", 3.2)], "spam"),
        ([("malware", 0.5)], "malware"),
        ([("malware", 0.0)], "clean"),
        ([("attachment", 6.0)], "policy"),
        ([("attachment", 4.0)], "suspect"),
        ([("policy", 6.0)], "policy"),
        ([("policy", 5.0)], "clean"),
        ([("offensive", 6.0)], "offensive"),
        ([("offensive", 6.0), ("spam", 9.0)], "offensive"),
        ([("bulk", 0.0)], "clean"),
        ([("bulk", 0.0), ("spam", 2.0)], "bulk"),
        ([("bulk", 0.0), ("spam", 4.0)], "suspect"),
        ([("info", 99.0), ("not_inspected", 99.0), ("degraded", 99.0)], "clean"),
        ([("spam", 7.0), ("auth", -2.0)], "suspect"),
        ([("spam", 0.1)] * 60, "spam"),
    ],
)
def test_scale(hits: list[tuple[str, float]], verdict: str) -> None:
    made = judge([Hit(f"H{i}", category, weight) for i, (category, weight) in enumerate(hits)])
    assert made.name == verdict


@given(HITS, st.randoms())
def test_order_does_not_matter(hits: list[Hit], random: object) -> None:
    shuffled = list(hits)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis' Random has no public type
    one, other = judge(hits), judge(shuffled)
    assert one.name == other.name in VERDICTS
    assert one.score == pytest.approx(other.score)


@given(HITS)
def test_more_junk_never_lowers_the_score(hits: list[Hit]) -> None:
    assert judge([*hits, Hit("MORE", "spam", 1.0)]).score >= judge(hits).score
