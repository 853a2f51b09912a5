"""A new pack that matches most live mail is undone by itself; any other is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mxward.core.rules.history import read_history
from mxward.core.verdict import Hit, Verdict
from mxward.server.services import rules, rulewatch
from mxward.server.services.context import Context

Put = Callable[..., str]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "w.list").write_text("some words\n")
    return tmp_path / "ours"


def add(context: Context, pack: Path, version: str) -> None:
    (pack / "pack.toml").write_text(f'name = "ours"\nversion = "{version}"\n')
    rules.add(context, pack)


def judge(put: Put, moving_time: Any, n: int, hits: int, version: str, weight: float = 2.0) -> None:
    """Messages judged by that version of the pack, of which it hit some."""
    for number in range(n):
        moving_time.advance(0.01)
        found = (Hit("W", "spam", weight, "literal", f"ours@{version}"),) if number < hits else ()
        put(["a@trust.example"], judgement=Verdict("clean", 0.0, found, packs=(f"ours@{version}",)).to_dict())


def test_a_new_version_that_matches_most_mail_is_rolled_back(
    context: Context, pack: Path, put: Put, moving_time: Any
) -> None:
    add(context, pack, "1")
    judge(put, moving_time, 60, 2, "1")
    add(context, pack, "2")
    judge(put, moving_time, 49, 49, "2")
    assert rulewatch.check(context) == [], "too few messages to tell"
    judge(put, moving_time, 11, 1, "2")
    (done,) = rulewatch.check(context)
    assert done == {
        "pack": "ours", "version": "2", "action": "rolled back to 1",
        "reason": "it hit 50 of the 60 messages that came since (3% before)",
    }  # fmt: skip
    assert rules.entry(context.config, "ours")["version"] == "1"
    assert "it hit 50 of the 60" in read_history(context.config.data / "rules", "ours").change
    assert rulewatch.check(context) == [], "once"


def test_without_an_earlier_version_the_pack_is_disabled(
    context: Context, pack: Path, put: Put, moving_time: Any
) -> None:
    add(context, pack, "1")
    judge(put, moving_time, 60, 60, "1")
    (done,) = rulewatch.check(context)
    assert done["action"] == "disabled"
    assert not rules.entry(context.config, "ours")["enabled"]


@pytest.mark.parametrize(
    ("before", "after", "weight", "minutes"),
    [(0, 25, 2.0, 0), (50, 55, 2.0, 0), (0, 60, 0.1, 0), (0, 60, 2.0, 25 * 60)],
    ids=["below half", "as before", "notes only", "no longer new"],
)
def test_what_is_left_alone(
    context: Context, pack: Path, put: Put, moving_time: Any,
    before: int, after: int, weight: float, minutes: int,
) -> None:  # fmt: skip
    add(context, pack, "1")
    judge(put, moving_time, 60, before, "1")
    add(context, pack, "2")
    judge(put, moving_time, 60, after, "2", weight)
    moving_time.advance(minutes)
    assert rulewatch.check(context) == []
    assert rules.entry(context.config, "ours")["version"] == "2"


def test_an_administrator_may_want_to_do_it_alone(context: Context, pack: Path, put: Put, moving_time: Any) -> None:
    add(context, pack, "1")
    judge(put, moving_time, 60, 60, "1")
    by_hand = msgspec.structs.replace(context.config.rules, automatic_rollback=False)
    config = msgspec.structs.replace(context.config, rules=by_hand)
    assert rulewatch.check(Context(config, context.store, "jobs", context.clock)) == []
