"""Lessons and models as a service: once, taken back, audited, whole files, one process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.model import invent
from mxtest import mailkit
from mxward.core.classify.model import ModelError, load
from mxward.core.classify.site import FOLDER, MODEL_FILE, SUMS_FILE
from mxward.core.detect import classifier
from mxward.server.services import learning, quarantine, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound, Refused
from mxward.server.store.api import QUARANTINED

MAILS = [invented.raw for invented in invent.messages(2)][:20]


def trail(context: Context) -> list[tuple[str, str, dict[str, Any]]]:
    entries = context.store.audit_entries()  # type: ignore[attr-defined]  # beyond the protocol, for readers of the trail
    return [(e.action, e.object, e.detail) for e in reversed(entries)]


def folder(context: Context) -> Path:
    return Path(context.config.data) / FOLDER


def test_a_message_is_learned_once_and_forgotten_whole(context: Context) -> None:
    done = learning.learn(context, MAILS, "spam", source="a folder")
    assert (done.changed, done.known, done.wanted, done.unwanted) == (20, 0, 0, 20)
    with_lf = [raw.replace(b"\r\n", b"\n") for raw in MAILS]
    assert learning.learn(context, with_lf, "spam").known == 20
    assert learning.lesson_of(context.config, with_lf[3]) == "spam"
    turned = learning.learn(context, MAILS[:5], "ham")
    assert (turned.changed, turned.wanted, turned.unwanted) == (5, 5, 15)
    gone = learning.learn(context, MAILS, "forget")
    assert (gone.changed, gone.wanted, gone.unwanted) == (20, 0, 0)
    assert learning.learn(context, MAILS[:1], "forget").known == 1
    assert learning.lesson_of(context.config, MAILS[0]) == ""
    assert not any(load(folder(context) / MODEL_FILE).table[:1000])
    actions = [(action, detail["changed"]) for action, _, detail in trail(context)]
    assert actions == [
        ("learn.spam", 20),
        ("learn.spam", 0),
        ("learn.ham", 5),
        ("learn.forget", 20),
        ("learn.forget", 0),
    ]
    assert trail(context)[0][1] == "a folder"


def test_an_unknown_lesson_and_a_fault_on_the_way_change_nothing(context: Context) -> None:
    with pytest.raises(BadRequest, match="no lesson"):
        learning.learn(context, MAILS, "maybe")

    def broken() -> Any:
        yield MAILS[0]
        raise NotFound("gone")

    with pytest.raises(NotFound):
        learning.learn(context, broken(), "spam")
    assert not (folder(context) / MODEL_FILE).exists()
    assert trail(context) == []


def test_damaged_lessons_are_not_overwritten(context: Context) -> None:
    learning.learn(context, MAILS[:1], "spam")
    path = folder(context) / SUMS_FILE
    path.write_bytes(path.read_bytes()[:-1])
    before = path.read_bytes()
    with pytest.raises(ModelError, match="damaged"):
        learning.learn(context, MAILS[1:2], "spam")
    assert path.read_bytes() == before


def test_a_model_one_lesson_behind_is_mended_by_the_next(context: Context) -> None:
    learning.learn(context, MAILS[:1], "spam")
    old = (folder(context) / MODEL_FILE).read_bytes()
    learning.learn(context, MAILS[1:2], "spam")
    (folder(context) / MODEL_FILE).write_bytes(old)  # as a crash between the two files would leave it
    learning.learn(context, MAILS[2:3], "spam")
    assert load(folder(context) / MODEL_FILE).head.examples == {"ham": 0, "spam": 3}


LEARNER = """
import sys
sys.path[:0] = {path!r}
from bench.model import invent
from mxward.core.classify import site
from mxward.server.services import learning
from mxward.core.scan import normalise
from mxward.core.classify.features import features_of
from mxward.core.classify import read
from mxward.core.detect import classifier
from pathlib import Path
data, first = Path(sys.argv[1]), int(sys.argv[2])
for raw in [i.raw for i in invent.messages(2)][first : first + 10]:
    with learning._open(data) as taught:
        taught.learn(site.digest_of(raw), features_of(read.read(raw)), unwanted=True, shipped=classifier.shipped())
        learning._save(data, taught)
"""


def test_processes_learn_one_after_another(context: Context) -> None:
    root = Path(__file__).resolve().parents[3]
    code = LEARNER.format(path=[str(root), str(root / "tests" / "lib")])
    command = [sys.executable, "-c", code, str(context.config.data)]
    running = [subprocess.Popen([*command, str(first)]) for first in (0, 10)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert learning.state(context.config)["lessons"] == {"ham": 0, "spam": 20}


def test_a_release_teaches_what_is_wanted(context: Context, put: Any) -> None:
    raw = mailkit.plain("Please find attached the rota.\r\n")
    first = put(["a@trust.example"], state=QUARANTINED, area="spam", raw=raw)
    quarantine.release(context, first)
    assert learning.lesson_of(context.config, raw) == "", "not unless it is asked for"
    second = put(["a@trust.example"], state=QUARANTINED, area="spam", raw=raw)
    quarantine.release(context, second, teach=True)
    assert learning.lesson_of(context.config, raw) == "ham"
    assert trail(context)[-1][:2] == ("learn.ham", second)


def test_a_forced_release_teaches_nothing(context: Context, put: Any) -> None:
    raw = mailkit.plain(r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n")
    queue_id = put(["a@trust.example"], state=QUARANTINED, area="malware", raw=raw)
    with pytest.raises(Refused):
        quarantine.release(context, queue_id, teach=True)
    assert quarantine.release(context, queue_id, force=True, reason="a sample", teach=True).released == 1
    assert learning.lesson_of(context.config, raw) == ""


def test_damaged_lessons_do_not_stop_a_release(context: Context, put: Any) -> None:
    (folder(context) / SUMS_FILE).write_bytes(b"rubbish")
    queue_id = put(["a@trust.example"], state=QUARANTINED, area="spam", raw=mailkit.plain())
    assert quarantine.release(context, queue_id, teach=True).released == 1
    assert trail(context)[-1][0] == "learn.failed"


def test_an_own_model_is_trained_used_and_given_up(context: Context) -> None:
    mails = [(i.label, i.source, i.raw) for i in invent.messages(4)]
    trained = learning.train_on(mails, version="7")
    assert trained.examples["ham"] > 50
    assert trained.figures.classes[0].name == "ham"
    assert learning.train_on(mails, version="7").blob == trained.blob
    assert learning.state(context.config)["model"] == classifier.shipped().label, "nothing is in use yet"
    assert "own@7" not in scanning.current(context.config).packs
    assert learning.use(context, trained) == {"model": "own@7", "examples": trained.examples, "reloading": False}
    assert learning.state(context.config)["model"] == "own@7"
    assert "own@7" in scanning.current(context.config).packs
    assert classifier.make(Path(context.config.data)).packs == ("own@7",)
    assert learning.use_shipped(context)["model"] == classifier.shipped().label
    assert [action for action, _, _ in trail(context)] == ["train.use", "train.shipped"]
    with pytest.raises(BadRequest, match="20 wanted"):
        learning.train_on(mails[:10], version="8")
