"""pyx/phrase against the obvious loop over all phrases and places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.phrase import PhraseMatcher

ALPHABET = "abß€ä1 -.\U0001d7d8"
PHRASES = st.lists(
    st.text(alphabet=ALPHABET, min_size=1, max_size=6).filter(lambda p: p[0].isalnum()), unique=True, max_size=12
)


def naive(phrases: list[str], text: str) -> set[tuple[int, int, int]]:
    """Every whole occurrence, in bytes."""
    found = set()
    for number, phrase in enumerate(phrases):
        for start in range(len(text)):
            end = start + len(phrase)
            if not text.startswith(phrase, start) or (start and text[start - 1].isalnum()):
                continue
            if end < len(text) and phrase[-1].isalnum() and text[end].isalnum():
                continue
            found.add((len(text[:start].encode()), len(text[:end].encode()), number))
    return found


@given(PHRASES, st.text(alphabet=ALPHABET, max_size=60))
def test_finds_what_the_obvious_loop_finds(phrases: list[str], text: str) -> None:
    found = PhraseMatcher(phrases).find(text, limit=255)
    assert len(found) == len(set(found))
    assert set(found) == naive(phrases, text)
    assert [start for start, _, _ in found] == sorted(start for start, _, _ in found)


@given(st.text(max_size=200))
def test_any_text_is_searched(text: str) -> None:
    PhraseMatcher(["a", "the", "ä"]).find(text)


def test_lone_surrogates_count_one_byte() -> None:
    assert PhraseMatcher(["word"]).find("\ud800 word") == [(2, 6, 0)]


def test_prefixes_of_each_other_are_all_found() -> None:
    phrases = ["free", "free money", "free money now", "money", "free-fall"]
    assert PhraseMatcher(phrases).find("free money now!") == [(0, 14, 2), (0, 10, 1), (0, 4, 0), (5, 10, 3)]


def test_each_phrase_is_noted_a_few_times_only() -> None:
    found = PhraseMatcher(["spam", "ham"]).find("spam " * 100_000 + "ham", limit=3)
    assert [number for _, _, number in found] == [0, 0, 0, 1]


def test_a_run_of_a_listed_letter_is_not_the_word() -> None:
    assert PhraseMatcher(["xxx"]).find("x" * 70_000) == []


@pytest.mark.parametrize("wrong", ["", "$$$", " a"])
def test_phrases_begin_with_a_letter_or_digit(wrong: str) -> None:
    with pytest.raises(ValueError, match="does not begin"):
        PhraseMatcher([wrong])


def test_no_phrases_find_nothing() -> None:
    assert PhraseMatcher([]).find("anything") == []
