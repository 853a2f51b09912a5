"""Counts for SpamAssassin's eval tests (mxward.pyx.sacount)."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs

sacount = pytest.importorskip("mxward.pyx.sacount", reason="this tree has no sacount kernel", exc_type=ImportError)


def prose(n_words: int = 4000) -> bytes:
    return inputs.prose(n_words, 5).encode()


def test_count_a_part_of_prose(benchmark: Any) -> None:
    text = prose()
    size, longest, *_ = benchmark(sacount.count_part, text, 0, len(text), text=True)
    assert (size, longest) == (len(text) - text.count(b"\r\n"), max(map(len, text.split(b"\r\n"))) + 1)


def test_count_a_part_of_quoted_printable(benchmark: Any) -> None:
    text = prose().replace(b"e", b"=65")
    assert benchmark(lambda: sacount.count_part(text, 0, len(text), escapes=True))[3] == prose().count(b"e")


def test_count_letters_and_spaces_of_lines(benchmark: Any) -> None:
    lines = prose().splitlines(keepends=True)
    starts = [sum(map(len, lines[:at])) for at in range(len(lines))]
    assert benchmark(sacount.count_lines, b"".join(lines), starts)[0] > 0


def test_compare_words_of_two_texts(benchmark: Any) -> None:
    text = prose()
    kinds, _, left = benchmark(sacount.compare_words, [(text, False)], [(text, True)])
    assert (kinds, left) == (len(set(text.split())), 0)


def test_growth_compare_words(growth: Any) -> None:
    growth(lambda k: prose(4000 * k), lambda text: sacount.compare_words([(text, False)], [(text, False)]))
