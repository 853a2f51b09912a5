"""The public SpamAssassin rules over a message, texts and all (mxward.core.rules.spamassassin)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from bench import inputs
from mxtest import corpus

pytest.importorskip(
    "mxward.core.rules.spamassassin.load", reason="this tree has no SpamAssassin rules", exc_type=ImportError
)
RULES = corpus.root() / "rules" / "spamassassin" / "debian-4.0.1"
if not RULES.is_dir():
    pytest.skip(f"the shared corpus is absent: {RULES}", allow_module_level=True)


@functools.cache
def files() -> dict[str, str]:
    """The .cf files."""
    return {path.name: path.read_text("latin-1") for path in sorted(RULES.glob("*.cf"))}


@functools.cache
def engine() -> Any:
    """All rules, compiled."""
    from mxward.core.rules.spamassassin.load import load_engine
    from mxward.core.rules.spamassassin.source import CfOptions, CfSource

    cache = Path(corpus.REPOSITORY) / "build" / "bench-cache"
    return load_engine([CfSource(*item) for item in files().items()], CfOptions(), (), cache)[0]


def message(raw: bytes) -> Any:
    from mxtest.saparity import message_of

    return message_of(raw)


def judge(parsed: Any) -> Any:
    """What fires, by name; the texts are made anew."""
    from mxward.core.rules.spamassassin.texts import TextSet

    made = engine()
    outcome = made.run(TextSet(parsed, made.site))
    return {made.book.names[slot] for slot in outcome.values}


def test_all_rules_over_a_plain_mail(benchmark: Any) -> None:
    assert "__HAS_SUBJECT" in benchmark(judge, message(inputs.plain()))


def test_all_rules_over_a_newsletter(benchmark: Any) -> None:
    assert {"__HAS_SUBJECT", "__CT"} <= benchmark(judge, message(inputs.newsletter()))


def test_rules_alone_over_a_plain_mail(benchmark: Any) -> None:
    from mxward.core.rules.spamassassin.texts import TextSet

    texts = TextSet(message(inputs.plain()), engine().site)
    engine().run(texts)  # makes the texts, which are kept
    assert len(benchmark(engine().run, texts).values) > 20


def test_read_the_rule_files(benchmark: Any) -> None:
    from mxward.core.rules.spamassassin.parse import parse_files

    assert len(benchmark(parse_files, files()).tests) > 2500


def test_growth_rules_over_text(growth: Any) -> None:
    growth(lambda k: message(inputs.plain(400 * k)), judge)
