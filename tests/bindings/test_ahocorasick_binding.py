"""bindings/ahocorasick against the obvious loop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mxward.bindings.ahocorasick import MAX_FINDINGS, LiteralMatcher

WORDS = st.lists(st.text(alphabet="abß€", min_size=1, max_size=4), unique=True, max_size=8)


def naive(words: list[str], text: str) -> set[tuple[int, int]]:
    return {
        (start + len(word), number)
        for number, word in enumerate(words)
        for start in range(len(text))
        if text.startswith(word, start)
    }


@given(WORDS, st.text(alphabet="abß€ ", max_size=40))
def test_finds_what_the_obvious_loop_finds(words: list[str], text: str) -> None:
    found = LiteralMatcher(words).find(text)
    assert set(found) == naive(words, text)
    assert len(found) == len(set(found))


def test_no_words_find_nothing() -> None:
    assert LiteralMatcher([]).find("anything") == []


def test_findings_are_bounded() -> None:
    assert len(LiteralMatcher(["a"]).find("a" * (MAX_FINDINGS + 5))) == MAX_FINDINGS
