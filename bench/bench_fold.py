"""Folding of text and look-alikes (mxward.pyx.fold)."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs

fold = pytest.importorskip("mxward.pyx.fold", reason="this tree has no fold kernel", exc_type=ImportError)
GERMAN = "Die Überweisung für Ihr Konto wäre möglich, bitte prüfen Sie es größtenteils.\r\n" * 40
RUSSIAN = "Уважаемый клиент, ваш счёт заблокирован.\r\n" * 80


def test_fold_ascii(benchmark: Any) -> None:
    text = inputs.prose(600, 5).encode()
    assert benchmark(fold.fold_bytes, text) == b" ".join(text.lower().split())


def test_fold_ascii_portable(benchmark: Any) -> None:
    text = inputs.prose(600, 5).encode()

    def portable() -> bytes:
        folded: bytes = fold.fold_bytes(text, wide=False)
        return folded

    assert benchmark(portable) == b" ".join(text.lower().split())


def test_fold_german(benchmark: Any) -> None:
    folded = benchmark(fold.fold_bytes, GERMAN.encode())
    assert folded == " ".join(GERMAN.casefold().split()).encode()


def test_fold_russian(benchmark: Any) -> None:
    folded = benchmark(fold.fold_bytes, RUSSIAN.encode())
    assert folded == " ".join(RUSSIAN.casefold().split()).encode()


def test_skeleton_russian(benchmark: Any) -> None:
    looks, mixed = benchmark(fold.skeleton, fold.fold_bytes(RUSSIAN.encode()))
    assert mixed == 0 and len(looks) < len(RUSSIAN.encode())


def test_growth_fold(growth: Any) -> None:
    growth(lambda k: GERMAN.encode() * k, fold.fold_bytes)
