"""What is shown of hostile text: nothing invisible, nothing that turns the line round, dates as the NHS writes them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.verdict import VERDICTS as CORE_VERDICTS
from mxward.server.store.api import STATES as STORE_STATES
from mxward.server.web import text


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain", "plain"),
        ("a\r\nBcc: x", "a␍␊Bcc: x"),
        ("nul\x00", "nul␀"),
        ("del\x7f", "del␡"),
        ("c1\x9b31m", "c1⟨U+009B⟩31m"),
        ("exe\u202egpj.", "exe⟨U+202E⟩gpj."),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("pay\u200bpal", "pay⟨U+200B⟩pal"),
        ("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen"),
        ("line\u2028sep", "line⟨U+2028⟩sep"),
        ("no\u00a0break", "no break"),
        ("lone \ud800", "lone ⟨U+D800⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("Z" + "\u0301" * 50, "Z" + "\u0301" * 4),
        ("Ünïcödé 漢字", "Ünïcödé 漢字"),
    ],
)
def test_visible(given_text: str, shown: str) -> None:
    assert text.visible(given_text) == shown


def test_long_text_is_cut() -> None:
    assert len(text.visible("x" * 5000)) == text.MAX_SHOWN + 1


@given(st.text(max_size=200))
def test_nothing_unseen_survives(value: str) -> None:
    shown = text.visible(value)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)


@given(st.text(max_size=200))
def test_from_mail_is_inert_html(value: str) -> None:
    html = str(text.from_mail(value, "none"))
    inner = html.removeprefix("<bdi>").removesuffix("</bdi>")
    if html.startswith("<bdi>"):
        assert "<" not in inner and ">" not in inner and '"' not in inner


def test_empty_text_says_what_it_is() -> None:
    assert "no subject" in text.from_mail("  ", "no subject")


def test_dates_are_written_as_the_nhs_does() -> None:
    assert ">23 November 2026, 14:05<" in text.when(1_795_442_700_000_000)
    assert ">3 July 2026, 09:07<" in text.when(1_783_066_020_000_000)  # British summer time
    assert ">23 November 2026, 14:05:00<" in text.when_exactly(1_795_442_700_000_000)
    assert text.when(0) == "–"


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 KB"), (4200, "4.2 KB"), (31_000_000, "31 MB"),
     (999_700, "1.0 MB"), (5_000_000_000_000, "5000 GB")],
)  # fmt: skip
def test_sizes(n_bytes: int, words: str) -> None:
    assert text.size(n_bytes) == words


def test_every_state_and_verdict_of_the_product_has_words() -> None:
    assert set(text.STATES) == set(STORE_STATES)
    assert set(text.VERDICTS) == set(CORE_VERDICTS)
    words = [w for w, _ in (*text.STATES.values(), *text.VERDICTS.values())]
    assert len(words) == len(set(words)), "two of them could not be told apart"


def test_an_unknown_value_is_shown_escaped() -> None:
    assert "&lt;x&gt;" in text.tag("state", "<x>")


def test_fate_counts_only_when_recipients_differ() -> None:
    assert text.fate(["delivered", "delivered"]) == [("delivered", "Delivered")]
    assert text.fate(["delivered", "quarantined"]) == [
        ("delivered", "1 delivered"),
        ("quarantined", "1 in quarantine"),
    ]
