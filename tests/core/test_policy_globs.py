"""Glob patterns of policy conditions: as the standard library reads them, and linear in a sender's value."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from mxward.core.policy.condition import globs

_PIECES = st.text("ab.", max_size=3)


def _reference(pattern: str) -> re.Pattern[str]:
    """The plain translation, which backtracks."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") + r"\Z", re.S)


@given(st.lists(_PIECES, min_size=1, max_size=5).map("*".join), st.text("ab.\n", max_size=12))
def test_globs_match_what_the_plain_translation_matches(pattern: str, value: str) -> None:
    assert bool(globs([pattern]).match(value)) == bool(_reference(pattern).match(value))


@given(st.text("a?*", max_size=6).filter(lambda p: p.count("*") <= 4), st.text("ab", max_size=8))
def test_question_marks(pattern: str, value: str) -> None:
    assert bool(globs([pattern]).match(value)) == bool(_reference(re.sub(r"\*+", "*", pattern)).match(value))


def test_many_stars_over_a_long_value_stay_quick() -> None:
    matcher = globs(["*a*a*a*b"])
    began = time.process_time()
    assert matcher.match("a" * 262_000) is None
    assert time.process_time() - began < 1.0
