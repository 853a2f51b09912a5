"""A small model trained on messages that the tests write themselves."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mxtest import mailkit
from mxward.core.classify import read
from mxward.core.classify.model import Model
from mxward.core.classify.train import Example, train

GOOD = [
    "meeting",
    "agenda",
    "minutes",
    "rota",
    "clinic",
    "ward",
    "referral",
    "letter",
    "theatre",
    "patient",
    "discharge",
    "summary",
    "pharmacy",
]
BAD = [
    "winner",
    "prize",
    "claim",
    "lottery",
    "bitcoin",
    "wallet",
    "verify",
    "suspended",
    "account",
    "urgent",
    "refund",
    "congratulations",
]
SHARED = [
    "the",
    "of",
    "and",
    "to",
    "for",
    "with",
    "please",
    "your",
    "our",
    "this",
    "that",
    "will",
    "from",
    "have",
    "been",
    "about",
    "number",
    "today",
]
Mail = Callable[[str, int], bytes]


def written(label: str, number: int) -> bytes:
    """A message of a class; the same number gives the same message."""
    dice = random.Random(f"{label} {number}")
    own = GOOD if label == "ham" else BAD
    words = dice.choices(own, k=20) + dice.choices(SHARED, k=40)
    dice.shuffle(words)
    return mailkit.plain(" ".join(words) + "\r\n", subject=" ".join(dice.choices(own, k=3)))


@pytest.fixture(scope="session")
def mail() -> Mail:
    return written


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """60 messages of each class, from 6 sources each."""
    return [
        Example(read.features(written(label, n)), label, f"{label} {n % 6}")
        for label in ("ham", "spam", "phish")
        for n in range(60)
    ]


@pytest.fixture(scope="session")
def model(examples: list[Example]) -> Model:
    words: dict[int, str] = {}
    for label in ("ham", "spam"):
        for n in range(60):
            words |= read.words(read.read(written(label, n)))
    return Model(train(examples, name="small", version="1", words=words)[0])
