"""Teaching the classifier: lessons from reports and releases, taking them back, and a model of one's own mail.

Lessons are kept in DATA/classifier under a lock between processes; each change replaces the files whole and durably,
and running workers see the new model with the next message. Every change is audited. How much a lesson can do is
bounded in core/classify/site.py; who may teach is the caller's business (web/role.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mxward.core.classify import read, site, train
from mxward.core.classify.features import features_of
from mxward.core.classify.figures import Figures, figures
from mxward.core.classify.model import Model, load
from mxward.core.detect import classifier
from mxward.core.scan import normalise
from mxward.server.config import Config
from mxward.server.services import messages
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotRunning
from mxward.server.services.reload import signal_supervisor
from mxward.server.store.files import locked, sync_directory

LESSONS: Final = {"spam": True, "ham": False}
MAX_EXAMPLES: Final = 500_000  # of one training; their features are held in memory, about 4 KB each


@dataclass(frozen=True, slots=True)
class Taught:
    """What became of a run of lessons, and how many the site has now."""

    changed: int
    known: int  # learned so before, or, for forgetting, not known
    wanted: int
    unwanted: int


def learn(context: Context, raws: Iterable[bytes], lesson: str, *, source: str = "") -> Taught:
    """Learn messages as "spam" or "ham", or "forget" what each taught. Nothing changes when an error comes up.

    Args: raws: as stored, any line ends; source: where they are from, for the audit trail.
    Raises: BadRequest for another lesson; ModelError when what the site taught is damaged.
    """
    if lesson not in (*LESSONS, "forget"):
        raise BadRequest(f"{lesson!r} is no lesson: spam, ham and forget are")
    base, changed, known = classifier.base(context.config.data), 0, 0
    with _open(context.config.data) as taught:
        for raw in raws:
            stored = normalise(raw)
            digest, features = site.digest_of(stored), features_of(read.read(stored))
            if lesson == "forget":
                is_new = taught.forget(digest, features, base)
            else:
                is_new = taught.learn(digest, features, unwanted=LESSONS[lesson], shipped=base)
            changed, known = changed + is_new, known + (not is_new)
        if changed:
            _save(context.config.data, taught)
    wanted, unwanted = taught.taught
    context.audit(f"learn.{lesson}", source or "messages", changed=changed, known=known, generation=taught.generation)
    return Taught(changed, known, wanted, unwanted)


def learn_message(context: Context, queue_id: str, lesson: str) -> Taught:
    """Learn a stored message, by its content as it came. Raises: as `learn`; NotFound."""
    return learn(context, [messages.body(context, queue_id)], lesson, source=queue_id)


def lesson_of(config: Config, raw: bytes) -> str:
    """What a message was learned as: "spam", "ham", or "" when it was not."""
    folder = config.data / site.FOLDER
    if not (folder / site.SUMS_FILE).is_file():
        return ""
    lesson = site.restore((folder / site.SUMS_FILE).read_bytes()).lessons.get(site.digest_of(normalise(raw)))
    return "" if lesson is None else "spam" if lesson.sign > 0 else "ham"


@contextmanager
def _open(data: Path) -> Iterator[site.Site]:
    """The site's lessons, to be changed by one process at a time."""
    folder = data / site.FOLDER
    folder.mkdir(mode=0o750, exist_ok=True)
    with locked(folder / "lock"):
        path = folder / site.SUMS_FILE
        yield site.restore(path.read_bytes()) if path.exists() else site.Site()


def _save(data: Path, taught: site.Site) -> None:
    """Sums first: a crash between the two leaves a model that is one lesson behind, and the next lesson mends it."""
    folder = data / site.FOLDER
    _replace(folder / site.SUMS_FILE, taught.dump())
    _replace(folder / site.MODEL_FILE, taught.model())


def _replace(path: Path, content: bytes) -> None:
    """Put a whole new file in the place of the old one, durably. A mapping of the old one stays what it was."""
    draft = path.with_name(f".{path.name}.new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_directory(path.parent)


def state(config: Config) -> dict[str, Any]:
    """The models in use: the base one and what the site taught."""
    base = classifier.base(config.data)
    taught = site.SiteModel(config.data / site.FOLDER / site.MODEL_FILE)
    model = taught.current()
    examples = model.head.examples if model else {}
    return {
        "model": base.label, "about": base.head.about, "examples": base.head.examples,
        "lessons": {"ham": examples.get("ham", 0), "spam": examples.get("spam", 0)}, "fault": taught.fault,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was made, and how it did on messages it had not seen."""

    blob: bytes
    figures: Figures
    examples: dict[str, int]


def _unseen(done: int, of: int) -> None:
    """Progress that nobody watches."""


def train_on(
    mails: Iterable[tuple[str, str, bytes]], *, version: str, progress: Callable[[int, int], None] = _unseen
) -> Trained:
    """Train a model of its own on labelled mail. Nothing is put in use.

    Args: mails: (class: ham, spam or phish; source, left out as a whole in its turn; message as stored).
    Raises: BadRequest when there are too few or too many.
    """
    examples: list[train.Example] = []
    words: dict[int, str] = {}
    for label, source, raw in mails:
        if len(examples) >= MAX_EXAMPLES:
            raise BadRequest(f"more than {MAX_EXAMPLES} messages cannot be trained on at once")
        message = read.read(raw)
        examples.append(train.Example(features_of(message), label, source))
        for number, word in read.words(message).items():
            words.setdefault(number, word)
    try:
        blob, judged = train.train(
            list(train.unique(examples)), name="own", version=version, words=words, about="mail of this site",
            progress=progress,
        )  # fmt: skip
    except train.TooFew as error:
        raise BadRequest(str(error)) from None
    return Trained(blob, figures(judged), Model(blob).head.examples)


def use(context: Context, trained: Trained) -> dict[str, Any]:
    """Judge by a trained model instead of the shipped one, from now on; what the site taught stays."""
    folder = context.config.data / site.FOLDER
    folder.mkdir(mode=0o750, exist_ok=True)
    with locked(folder / "lock"):
        _replace(folder / classifier.OWN_FILE, trained.blob)
    return _changed(context, "train.use", load(folder / classifier.OWN_FILE).label, trained.examples)


def use_shipped(context: Context) -> dict[str, Any]:
    """Judge by the shipped model again."""
    (context.config.data / site.FOLDER / classifier.OWN_FILE).unlink(missing_ok=True)
    return _changed(context, "train.shipped", classifier.shipped().label, classifier.shipped().head.examples)


def _changed(context: Context, action: str, label: str, examples: dict[str, int]) -> dict[str, Any]:
    context.audit(action, label, examples=examples)
    try:
        is_reloading = bool(signal_supervisor(context.config))
    except NotRunning:
        is_reloading = False
    return {"model": label, "examples": examples, "reloading": is_reloading}
