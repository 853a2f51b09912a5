"""The model file, training, calibration, what a site teaches and takes back."""

from __future__ import annotations

import hashlib
import math
import random
import struct
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from mxward.core.classify import read, site
from mxward.core.classify import train as training
from mxward.core.classify.figures import figures
from mxward.core.classify.model import MAGIC, Model, ModelError, load, pack, probability
from mxward.core.classify.site import LOOK_EVERY_S, MAX_SHARE, Site, SiteModel, digest_of, restore, share
from mxward.core.classify.train import Example, TooFew, folds, platt, train

Mail = Callable[[str, int], bytes]


def test_new_messages_are_told_apart(model: Model, mail: Mail) -> None:
    for n in range(100, 120):
        assert model.judge(read.features(mail("ham", n))).junk < 0
        assert model.judge(read.features(mail("spam", n))).junk > 0


def test_the_same_messages_give_the_same_file(examples: list[Example]) -> None:
    first, judged = train(examples, name="a", version="1")
    again, judged_again = train(examples, name="a", version="1")
    assert first == again
    assert judged == judged_again
    assert len(first) < 1_000_000


def test_sources_are_left_out_as_a_whole(examples: list[Example]) -> None:
    numbers = folds(examples)
    chosen: dict[tuple[str, str], set[int]] = {}
    for example, fold in zip(examples, numbers, strict=True):
        chosen.setdefault((example.label, example.source), set()).add(fold)
    assert all(len(found) == 1 for found in chosen.values())
    assert set(numbers) == set(range(training.N_FOLDS))


def test_a_source_that_is_nearly_everything_is_cut(examples: list[Example]) -> None:
    one = [example._replace(source="all") for example in examples]
    assert len(set(folds(one))) == training.N_FOLDS


def test_too_few_messages_train_nothing(examples: list[Example]) -> None:
    with pytest.raises(TooFew, match="20 wanted and 20 unwanted"):
        train([e for e in examples if e.label == "ham"], name="a", version="1")


def test_without_phishing_or_without_spam_the_kind_is_known(examples: list[Example]) -> None:
    spam_only = Model(train([e for e in examples if e.label != "phish"], name="a", version="1")[0])
    phish_only = Model(train([e for e in examples if e.label != "spam"], name="a", version="1")[0])
    some = examples[-1].features
    assert spam_only.judge(some).phish < 0 < phish_only.judge(some).phish


def test_probabilities_hold_on_what_was_left_out(examples: list[Example]) -> None:
    _, judged = train(examples, name="a", version="1")
    found = figures(judged)
    assert found.error < 0.1
    assert {row.name: row.n for row in found.classes} == {"ham": 60, "phish": 60, "spam": 60}
    assert next(row for row in found.classes if row.name == "ham").shares[0] < 0.1
    assert sum(one.n for one in found.calibration) == 180
    assert found.to_dict()["levels"] == (0.5, 0.8, 0.9, 0.95, 0.99)


def test_platt_finds_the_curve_that_made_the_truths() -> None:
    dice = random.Random(4)
    margins = [dice.uniform(-3, 3) for _ in range(20_000)]
    truths = [dice.random() < 1 / (1 + math.exp(-(2.0 * m))) for m in margins]
    slope, offset = platt(margins, truths)
    assert slope == pytest.approx(2.0, abs=0.1)
    assert offset == pytest.approx(0.0, abs=0.1)
    assert platt([1.0, 2.0], [True, True]) == (1.0, 0.0)
    assert platt([-1.0, 1.0], [True, False])[0] == 0.0, "a model that is wrong decides nothing"


def test_logits_are_bounded() -> None:
    assert 0 < probability(-1e9) < 1e-5
    assert 1 - 1e-5 < probability(1e9) < 1


def test_words_and_common_features_come_back(model: Model, mail: Mail) -> None:
    words = list(model.strongest(read.features(mail("spam", 200))))
    assert words
    assert sum(model.common) > 5
    assert len(model.common) == 1 << model.head.bits


def test_a_file_is_mapped_and_reads_the_same(model: Model, examples: list[Example], tmp_path: Path) -> None:
    blob, _ = train(examples, name="a", version="1")
    (tmp_path / "m").write_bytes(blob)
    mapped = load(tmp_path / "m")
    assert mapped.label == "a@1"
    assert [mapped.judge(e.features) for e in examples[::10]] == [Model(blob).judge(e.features) for e in examples[::10]]


def rebuilt(blob: bytes, old: bytes, new: bytes) -> bytes:
    """A model whose head was changed and whose checksum is right."""
    assert len(old) == len(new)
    body = blob[40:].replace(old, new, 1)
    assert body != blob[40:]
    return MAGIC + hashlib.sha256(body).digest() + body


def test_damage_is_seen(examples: list[Example], tmp_path: Path) -> None:
    blob, _ = train(examples, name="a", version="1")
    dice = random.Random(1)
    for _ in range(200):
        at = dice.randrange(len(blob))
        with pytest.raises(ModelError):
            Model(blob[:at] + bytes([blob[at] ^ (1 << dice.randrange(8))]) + blob[at + 1 :])
    for size in (0, 7, 43, 60, 1000, len(blob) - 1):
        with pytest.raises(ModelError):
            Model(blob[:size])
    (tmp_path / "empty").touch()
    with pytest.raises(ModelError, match="empty"):
        load(tmp_path / "empty")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"bits":18', b'"bits":28'),
        (b'"bits":18', b'"bits":"8'),
        (b'"format":', b'"formal":'),
        (b'"gains":[0.5,', b'"gains":[   0'),
        (b'"damps":[8.0,', b'"damps":[0.0,'),
        (b'"name":"a"', b'"name":12 '),
        (b'"steps":[', b'"steps":{'),
    ],
)
def test_an_impossible_head_is_refused(examples: list[Example], old: bytes, new: bytes) -> None:
    blob, _ = train(examples, name="a", version="1")
    with pytest.raises(ModelError):
        Model(rebuilt(blob, old, new))


def test_a_head_longer_than_the_file_is_refused() -> None:
    for length in (70_000, 1 << 31):
        body = struct.pack("<I", length) + bytes(100)
        with pytest.raises(ModelError, match="too long"):
            Model(MAGIC + hashlib.sha256(body).digest() + body)


# -- what a site teaches


def logit(taught: Site, model: Model, raw: bytes) -> float:
    features = read.features(raw)
    return model.judge(features).junk + share(Model(taught.model()).judge(features).junk)


def test_a_lesson_changes_the_judgement_of_the_message(model: Model, mail: Mail) -> None:
    taught, raw = Site(), mail("spam", 300)
    before = logit(taught, model, raw)
    assert taught.learn(digest_of(raw), read.features(raw), unwanted=False, shipped=model)
    assert logit(taught, model, raw) < before - 1
    assert taught.taught == (1, 0)


def test_learning_twice_is_learning_once(model: Model, mail: Mail) -> None:
    taught, raw = Site(), mail("ham", 300)
    features = read.features(raw)
    assert taught.learn(b"d" * 32, features, unwanted=True, shipped=model)
    once = taught.dump()
    assert not taught.learn(b"d" * 32, features, unwanted=True, shipped=model)
    assert taught.dump() == once


def test_forgetting_takes_back_exactly_what_was_learned(model: Model, mail: Mail) -> None:
    taught = Site()
    lessons = [(mail(label, 400 + n), label != "ham") for n in range(20) for label in ("ham", "spam")]
    for raw, unwanted in lessons:
        taught.learn(digest_of(raw), read.features(raw), unwanted=not unwanted, shipped=model)
    assert any(taught.sums)
    random.Random(2).shuffle(lessons)
    for raw, _ in lessons:
        assert taught.forget(digest_of(raw), read.features(raw), model)
    assert not any(taught.sums)
    assert taught.taught == (0, 0)
    assert not taught.forget(digest_of(lessons[0][0]), read.features(lessons[0][0]), model)


def test_a_message_can_change_sides(model: Model, mail: Mail) -> None:
    raw, turned, straight = mail("spam", 500), Site(), Site()
    features = read.features(raw)
    turned.learn(b"a" * 32, features, unwanted=True, shipped=model)
    turned.learn(b"a" * 32, features, unwanted=False, shipped=model)
    straight.learn(b"a" * 32, features, unwanted=False, shipped=model)
    assert turned.sums == straight.sums
    assert turned.taught == (1, 0)


def test_whatever_was_taught_its_share_is_bounded(model: Model, mail: Mail) -> None:
    """Poisoning: hundreds of false lessons move a judgement by no more than the site's share."""
    taught = Site()
    for n in range(300):
        raw = mail("ham", 600 + n)
        taught.learn(digest_of(raw), read.features(raw), unwanted=True, shipped=model)
    for label in ("ham", "spam"):
        raw = mail(label, 5000)
        moved = logit(taught, model, raw) - model.judge(read.features(raw)).junk
        assert abs(moved) <= MAX_SHARE


def test_words_that_all_mail_has_are_not_taught(model: Model, mail: Mail) -> None:
    taught, raw = Site(), mail("ham", 700)
    features = read.features(raw)
    taught.learn(digest_of(raw), features, unwanted=True, shipped=model)
    sums = memoryview(taught.sums).cast("i")
    common = [i for part in features.indices for i in part if model.common[i]]
    assert common
    assert not any(sums[i] for i in common)


def test_lessons_survive_a_file(model: Model, mail: Mail) -> None:
    taught = Site()
    for n in range(5):
        raw = mail("ham", 800 + n)
        taught.learn(digest_of(raw), read.features(raw), unwanted=bool(n % 2), shipped=model)
    back = restore(taught.dump())
    assert back.dump() == taught.dump()
    assert back.model() == taught.model()
    assert (back.taught, back.generation) == ((3, 2), 5)
    for wrong in (b"", taught.dump()[:-1], b"x" + taught.dump()[1:], taught.dump() + b"x"):
        with pytest.raises(ModelError):
            restore(wrong)


def test_old_lessons_are_kept_and_can_no_longer_be_taken_back(
    model: Model, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "MAX_LESSONS", 10)
    taught, raws = Site(), [mail("ham", 900 + n) for n in range(11)]
    for raw in raws:
        taught.learn(digest_of(raw), read.features(raw), unwanted=True, shipped=model)
    assert taught.taught == (0, 11)
    assert len(taught.lessons) == 6
    assert not taught.forget(digest_of(raws[0]), read.features(raws[0]), model)
    assert taught.forget(digest_of(raws[10]), read.features(raws[10]), model)
    assert restore(taught.dump()).taught == (0, 10)


def test_a_replaced_file_is_taken_up_and_a_broken_one_is_named(model: Model, mail: Mail, tmp_path: Path) -> None:
    path, taught, raw = tmp_path / "site.model", Site(), mail("ham", 950)
    seen = SiteModel(path, monotonic=count().__next__)
    assert seen.current() is None
    assert seen.fault == ""
    for unwanted in (True, False):
        taught.learn(digest_of(raw), read.features(raw), unwanted=unwanted, shipped=model)
        (tmp_path / "new").write_bytes(taught.model())
        (tmp_path / "new").replace(path)
        current = seen.current()
        assert current is not None
        assert current.label == f"site@{taught.generation}"
        assert seen.current() is current, "the same file is mapped once"
    (tmp_path / "new").write_bytes(taught.model()[:-3])
    (tmp_path / "new").replace(path)
    assert seen.current() is None
    assert "checksum" in seen.fault


def test_the_file_is_looked_at_now_and_then(mail: Mail, model: Model, tmp_path: Path) -> None:
    path, taught, now = tmp_path / "site.model", Site(), [0.0]
    seen = SiteModel(path, monotonic=lambda: now[0])
    taught.learn(digest_of(mail("ham", 1)), read.features(mail("ham", 1)), unwanted=True, shipped=model)
    path.write_bytes(taught.model())
    assert seen.current() is None, "it was looked for a moment ago"
    now[0] += LOOK_EVERY_S
    assert seen.current() is not None


def test_a_model_of_other_features_is_not_used(examples: list[Example], tmp_path: Path) -> None:
    blob = rebuilt(train(examples, name="a", version="1")[0], b'"format":1', b'"format":9')
    (tmp_path / "m").write_bytes(blob)
    seen = SiteModel(tmp_path / "m")
    assert seen.current() is None
    assert "another version" in seen.fault


def test_pack_is_what_model_reads(model: Model) -> None:
    table = bytes(2 << model.head.bits)
    made = Model(pack(model.head, table, {7: "word"}, [9, 11]))
    assert made.head == model.head
    assert [i for i, is_common in enumerate(made.common) if is_common] == [9, 11]
