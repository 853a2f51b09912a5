"""Words of a mail as features, and their sum by a model (mxward.pyx.tokens); the classifier as a whole."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench import inputs

tokens = pytest.importorskip("mxward.pyx.tokens", reason="this tree has no token kernel", exc_type=ImportError)
TABLE = random.Random(5).randbytes((2 << 18) + 64)


def features(text: bytes) -> Any:
    return tokens.Features([(3, tokens.PAIRS, text)], 18, 65536)


def varied(n_words: int) -> bytes:
    """Words of which most differ, as in real text and its pairs."""
    dice = random.Random(9)
    return " ".join("".join(dice.choices("abcdefghijklmnop", k=dice.randint(2, 9))) for _ in range(n_words)).encode()


def test_features_of_a_median_mail(benchmark: Any) -> None:
    text = varied(500)
    assert len(benchmark(features, text)) > 800


def test_sum_of_a_median_mail(benchmark: Any) -> None:
    made = features(varied(500))
    assert benchmark(made.dot, TABLE) == made.dot(TABLE, 0)


def test_sum_portable(benchmark: Any) -> None:
    made = features(varied(500))
    assert benchmark(made.dot, TABLE, 0) == made.dot(TABLE)


def test_one_word_over_and_over(benchmark: Any) -> None:
    assert len(benchmark(features, b"word " * 20_000)) == 2


def test_classifier_on_a_plain_mail(benchmark: Any) -> None:
    classifier = pytest.importorskip("mxward.core.detect.classifier", exc_type=ImportError)
    read = pytest.importorskip("mxward.core.classify.read", exc_type=ImportError)
    message = read.read(inputs.plain())
    detector = classifier.make(None)
    list(detector.detect(message))  # the views of a message are made once, whoever asks first
    assert list(benchmark(detector.detect, message)) == []


def test_growth_features(growth: Any) -> None:
    growth(lambda k: inputs.prose(4000 * k, 5).encode(), features)
