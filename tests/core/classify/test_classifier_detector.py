"""The classifier as a detector: its hits, their words and weights, tricks against it, and what a site teaches."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.model import invent
from mxtest import corpus, mailkit
from mxward.core.classify import read
from mxward.core.classify.features import features_of
from mxward.core.classify.model import MAGIC, Model, ModelError
from mxward.core.classify.site import FOLDER, MODEL_FILE, Site
from mxward.core.detect import classifier
from mxward.core.detect.classifier import ALONE_LOGIT, MOST, SHIPPED, SHY, ClassifierDetector, shipped
from mxward.core.errors import RulePackError
from mxward.core.pipeline import load_pipeline
from mxward.core.policy.score import SPAM
from mxward.core.verdict import Hit

LURE = (
    "<p>Dear customer, we have detected unusual activity. Your account has been suspended. To restore access please "
    "verify your identity by clicking the link below within 24 hours or your account will be closed.</p>"
    "<a href='http://secure-login.evil.example/verify/'>Verify my account</a>"
)
ROTA = "Hi all, please find attached the rota for next week. Let me know if you can cover Thursday. Thanks, Anna\r\n"


def hits(raw: bytes, detector: ClassifierDetector | None = None, *before: Hit) -> list[Hit]:
    message = mailkit.extracted(raw)
    message.hits += before
    return list((detector or classifier.make(None)).detect(message))


def test_a_lure_is_found_and_explained() -> None:
    (hit,) = hits(mailkit.html(LURE, subject="Your account is suspended"))
    assert (hit.name, hit.category) == ("CLASSIFIER_PHISH", "phish")
    assert 2.0 <= hit.weight <= MOST
    assert hit.pack == shipped().label
    assert hit.detail.startswith("reads like phishing or fraud (probability ")
    assert hit.detail.count('"') == 6


def test_ordinary_mail_says_nothing() -> None:
    assert hits(mailkit.plain(ROTA, subject="Rota for next week")) == []


def test_wanted_mail_with_a_finding_is_spoken_for() -> None:
    against = Hit("SOMETHING", "spam", 4.0)
    (hit,) = hits(mailkit.plain(ROTA, "Re: Rota", "In-Reply-To: <1@x.example>\r\n"), None, against)
    assert (hit.name, hit.weight) == ("CLASSIFIER_HAM", classifier.HAM_WEIGHT)


def test_only_words_of_the_model_that_the_message_has_are_quoted() -> None:
    named = LURE.replace("Dear customer", "Dear Zebediah Quicksilver")
    (hit,) = hits(mailkit.html(named, subject="Account suspended"))
    quoted = hit.detail.split('"')[1::2]
    assert quoted
    assert all(word in named.lower() or word in "account suspended" for word in quoted)
    known = set(shipped()._named().values())
    assert set(quoted) <= known
    assert not {"zebediah", "quicksilver"} & known


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", mailkit.plain("\r\n", subject=""), mailkit.html("")])
def test_nothing_to_read_is_no_evidence(raw: bytes) -> None:
    assert all(hit.weight < SPAM for hit in hits(raw))


GOOD = [w for t in invent.templates() if t.label == "ham" for line in t.body for w in line.split() if w.isalpha()]


def good_words(k: int) -> str:
    """Words of wanted mail."""
    return " ".join(random.Random(k).choices(GOOD, k=k))


def test_good_words_do_not_wash_a_lure_clean() -> None:
    plain = mailkit.html(LURE, subject="Your account is suspended")
    (bare,) = hits(plain)
    stuffing = good_words(400)
    (hidden,) = hits(mailkit.html(f"{LURE}<div style='display:none'>{stuffing}</div>", "Your account is suspended"))
    assert hidden.weight > bare.weight - 1.5
    for k in (100, 4000):
        text = good_words(k)
        shown = read.features(mailkit.html(f"{LURE}<p>{text}</p>", "Your account is suspended"))
        without = read.features(mailkit.html(f"<p>{text}</p>", "Your rota"))
        assert shipped().judge(shown).junk > shipped().judge(without).junk + 1.0


def test_certainty_alone_is_what_keeps_back() -> None:
    """Below 95 % the weight stays under what a verdict of spam takes."""
    model, seen = shipped(), set()
    diluted = [mailkit.html(f"{LURE}<p>{good_words(k)}</p>", "Rota") for k in range(1, 400, 10)]
    for raw in [*diluted, *(invented.raw for invented in invent.messages(3))]:
        message = mailkit.extracted(raw)
        logit = model.judge(features_of(message)).junk
        for hit in ClassifierDetector(model).detect(message):
            if hit.weight > 0:
                assert hit.weight <= (MOST if logit >= ALONE_LOGIT else SHY)
                seen.add(hit.weight >= SPAM)
            assert (hit.weight >= SPAM) == (logit >= ALONE_LOGIT)
    assert seen == {True, False}
    assert SHY < SPAM <= MOST


def test_invented_ham_and_junk_are_told_apart() -> None:
    found = {"ham": [0, 0], "spam": [0, 0], "phish": [0, 0]}
    for invented in invent.messages(20):
        found[invented.label][0] += 1
        found[invented.label][1] += any(hit.weight >= 4 for hit in hits(invented.raw))
    assert found["ham"][1] == 0
    assert found["phish"][1] > 0.9 * found["phish"][0]
    assert found["spam"][1] > 0.9 * found["spam"][0]


def test_what_a_site_teaches_is_used_when_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.core.classify.site.LOOK_EVERY_S", 0.0)
    folder = tmp_path / FOLDER
    folder.mkdir()
    detector, taught = classifier.make(tmp_path), Site()
    raw = mailkit.html(f"{LURE}<p>{ROTA}</p>", subject="Rota")
    (before,) = hits(raw, detector)
    assert before.weight > 0
    for n in range(3):
        taught.learn(bytes([n]) * 32, read.features(raw), unwanted=False, shipped=shipped())
    (folder / MODEL_FILE).write_bytes(taught.model())
    assert all(hit.weight < before.weight - 1 for hit in hits(raw, detector)), "much less, or nothing"
    for n in range(3):
        taught.forget(bytes([n]) * 32, read.features(raw), shipped())
    (folder / "new").write_bytes(taught.model())
    (folder / "new").replace(folder / MODEL_FILE)
    (hit,) = hits(raw, detector)
    assert hit.weight == before.weight
    assert hit.pack == f"{shipped().label}+site@6"


def test_a_damaged_site_model_is_named_and_mail_goes_on(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / MODEL_FILE).write_bytes(b"rubbish")
    detector = classifier.make(tmp_path)
    found = {hit.name: hit for hit in hits(mailkit.html(LURE), detector)}
    assert found["CLASSIFIER_LESSONS_UNREADABLE"].category == "info"
    assert "CLASSIFIER_PHISH" in found


def test_a_model_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / classifier.OWN_FILE).write_bytes(SHIPPED.read_bytes()[:-1])
    with pytest.raises(RulePackError, match=r"classifier/own.model: .*checksum"):
        load_pipeline(tmp_path)
    body = SHIPPED.read_bytes()[40:].replace(b'"format":1,', b'"format":9,', 1)
    other = Model(MAGIC + hashlib.sha256(body).digest() + body)
    with pytest.raises(ModelError, match="another version"):
        ClassifierDetector(other)


def test_threads_agree() -> None:
    raws = [invented.raw for invented in invent.messages(2)]
    detector = classifier.make(None)
    wanted = [hits(raw, detector) for raw in raws]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda raw: hits(raw, detector), raws * 3)) == wanted * 3


def test_scanning_loads_no_numpy() -> None:
    code = "import sys, mxward.core.pipeline as p; p.load_pipeline(None).warm(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.corpus
def test_mail_that_never_trained_is_judged_gently_and_well() -> None:
    """Sources that only test: lists (two of whose messages are spam), bulk mail, phishing."""
    corpus.need()
    kept: dict[str, list[bool]] = {}
    for label, folder in (("ham", "list-openbmc"), ("ham", "list-kasan"), ("spam", "bulk-2022-2024"),
                          ("phish", "pot-2022-2024")):  # fmt: skip
        for path in sorted((corpus.root() / "mail" / label / folder).iterdir()):
            if path.suffix != ".md":
                found = hits(corpus.fold(path.read_bytes()))
                kept.setdefault(label, []).append(any(hit.weight >= 4 for hit in found))
    rates = {label: sum(found) / len(found) for label, found in kept.items()}
    assert rates["ham"] <= 0.005
    assert rates["spam"] >= 0.65
    assert rates["phish"] >= 0.50
