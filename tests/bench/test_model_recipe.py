"""The shipped model: made again it is the same to the byte, small, and of mail whose licence allows it."""

from __future__ import annotations

import csv

import pytest

from bench.model import invent, sources
from bench.model.__main__ import build
from mxtest import corpus
from mxward.core.detect.classifier import SHIPPED, shipped

MAX_BYTES = 1_000_000


def test_it_is_small_and_says_what_it_was_trained_on() -> None:
    assert SHIPPED.stat().st_size <= MAX_BYTES
    about = shipped().head.about
    assert "No real phishing" in about
    assert all(licence in about for licence in ("PDDL-1.0", "BSD-2-Clause", "Apache-2.0"))
    assert shipped().head.examples["ham"] > 500


def test_invented_mail_is_the_same_each_time_and_of_every_kind() -> None:
    first, again = list(invent.messages(2)), list(invent.messages(2))
    assert first == again
    assert {invented.label for invented in first} == {"ham", "spam", "phish"}
    assert len({invented.source for invented in first}) == len(invent.templates())
    assert all(b"\r\n\r\n" in invented.raw and b"\n" not in invented.raw.replace(b"\r\n", b"") for invented in first)


def test_every_slot_and_choice_of_the_templates_is_filled() -> None:
    for invented in invent.messages(4):
        text = invented.raw.decode()
        body = text.partition("\r\n\r\n")[2]
        assert "{" not in body and "}" not in body, invented.source
        assert "|" not in body, invented.source


@pytest.mark.corpus
def test_what_trains_may_train_and_what_may_not_does_not() -> None:
    corpus.need()
    with (corpus.root() / "MANIFEST.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for folder, (_, licence) in sources.TRAIN.items():
        stated = {row["licence"] for row in rows if row["path"].startswith(f"mail/{folder}/")}
        assert stated, folder
        assert licence in sources.LICENCES
        assert all(one.startswith(licence) for one in stated), (folder, stated)
    assert not set(sources.TRAIN) & set(sources.TEST)
    free = {row["path"] for row in rows if "NC" in row["licence"] or "posters" in row["licence"]}
    assert not [path for path in free if any(path.startswith(f"mail/{folder}/") for folder in sources.TRAIN)]


@pytest.mark.corpus
def test_made_again_it_is_the_same_to_the_byte() -> None:
    corpus.need()
    assert build() == SHIPPED.read_bytes(), "what the classifier sees has changed: run `python -m bench.model`"
