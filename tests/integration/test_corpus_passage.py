"""Real and hostile mail through the running product: one outcome a recipient, four accounts that agree, same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtest import corpus
from mxtest.product import Product, Settings, route_to
from mxtest.sink import Sink
from mxtest.through import Passage, pass_through

pytestmark = [pytest.mark.integration, pytest.mark.corpus, pytest.mark.timeout(400)]
EVERY = 1


@pytest.fixture(scope="module")
def passage(tmp_path_factory: pytest.TempPathFactory) -> Passage:
    corpus.need("mail")
    with Sink(keep=True) as sink:
        settings = Settings(workers=2, routes=[route_to(sink.port)])
        with Product(tmp_path_factory.mktemp("passage"), settings) as product:
            mails = [
                *corpus.mails("torture"),
                *(m for label in ("ham", "spam", "phish") for m in corpus.mails(label, every=EVERY)),
            ]
            return pass_through(product, sink, mails)


def test_accounts_agree_and_bytes_are_the_same(passage: Passage) -> None:
    assert passage.faults == [], "\n".join(passage.faults[:30])


def test_all_were_answered(passage: Passage) -> None:
    assert len(passage.sent) > 1000
    assert all(sent.answer is not None and sent.answer.code != 0 for sent in passage.sent)


def test_ordinary_mail_is_delivered_unchanged(passage: Passage) -> None:
    ham = [s for s in passage.sent if s.mail.label == "ham" and corpus.is_transportable(s.mail.folded)]
    refused = [s.mail.name for s in ham if not s.is_accepted]
    assert len(refused) <= len(ham) // 100, refused
    assert passage.n_identical >= len(ham)


def test_what_smtp_cannot_carry_is_refused_for_good(passage: Passage) -> None:
    bad = [s for s in passage.sent if not corpus.is_transportable(s.mail.folded)]
    assert bad, "the corpus has such messages"
    assert all(s.answer is not None and 500 <= s.answer.code < 600 for s in bad)


def test_eicar_in_plain_sight_never_passes(passage: Passage) -> None:
    legal = [s for s in passage.sent if "/hc-3-" in s.mail.name]
    assert legal
    assert not any(s.is_accepted and rcpt in passage.arrived for s in legal for rcpt in s.rcpts)


def test_the_ledger_knows_every_state(passage: Passage) -> None:
    ledger = passage.ledger
    parts = ("queued", "delivered", "held", "discarded", "bounced", "redirected")
    assert ledger["accepted"] == sum(ledger[part] for part in parts)
    assert ledger["queued"] == 0


def test_compare_tells_differences(tmp_path: Path) -> None:
    from mxtest.through import compare

    original = b"Subject: a\r\n\r\nbody\r\n"
    assert compare(original, b"Received: by x\r\n\tfor y\r\n" + original) == "identical"
    assert compare(original, b"Received: by x\r\n\r\n" + original).startswith("in front")
    assert compare(original, b"Received: by x\r\n" + original.replace(b"body", b"bodY")).startswith("the bytes differ")
