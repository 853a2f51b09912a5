"""The statistical classifier as a detector: how probably a message is unwanted, as one hit.

The shipped model and what the site taught (core/classify/site.py) add up; the site's part is bounded. The hit's weight
follows the log-odds; its detail quotes words of the model, never words that only the message has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from mxward.core.classify.features import FORMAT, features_of
from mxward.core.classify.model import Model, ModelError, Opinion, load, probability
from mxward.core.classify.site import FOLDER, MODEL_FILE, SiteModel, share
from mxward.core.message import Message
from mxward.core.verdict import Hit
from mxward.pyx.tokens import Features

SHIPPED: Final = Path(__file__).resolve().parents[1] / "classify" / "shipped.model"
FLOOR: Final = 1.0  # log-odds from which a hit weighs anything: what is less certain is not worth saying
PER_LOGIT: Final = 2.0  # weight of each unit above
MOST: Final = 6.5  # as much as a verdict of spam takes, for what is certain beyond doubt
HAM_LOGIT: Final = -3.0  # log-odds below which a message is surely wanted mail
HAM_WEIGHT: Final = -0.5  # little: good words are cheap
N_QUOTED: Final = 3


class ClassifierDetector:
    """Judges by a model. Immutable."""

    name = "classifier"

    def __init__(self, model: Model, site: SiteModel | None = None) -> None:
        """Raises: ModelError for a model of features that this version does not make."""
        if model.head.format != FORMAT:
            raise ModelError("the model is for another version of mxward")
        self._model, self._site = model, site
        self.packs: tuple[str, ...] = (model.label,)

    def detect(self, message: Message) -> Iterable[Hit]:
        """CLASSIFIER_SPAM, CLASSIFIER_PHISH or CLASSIFIER_HAM; nothing when it is not sure."""
        features = features_of(message)
        opinion = self._model.judge(features)
        site = self._site.current() if self._site is not None else None
        label = self._model.label
        if site is not None:
            part = share(site.judge(features).junk)
            opinion = Opinion(opinion.junk + part, opinion.phish)
            label = f"{label}+{site.label}"
        if opinion.junk > FLOOR:
            return (self._unwanted(features, opinion, label),)
        if opinion.junk < HAM_LOGIT and message.hits:
            detail = f"reads like wanted mail (probability {_percent(1 - probability(opinion.junk))})"
            return (Hit("CLASSIFIER_HAM", "spam", HAM_WEIGHT, self.name, label, detail),)
        return ()

    def _unwanted(self, features: Features, opinion: Opinion, label: str) -> Hit:
        is_phish = opinion.phish > 0
        words = self._model.strongest(features, N_QUOTED)
        because = ", above all for " + ", ".join(f'"{word}"' for word in words) if words else ""
        what = "phishing or fraud" if is_phish else "spam"
        detail = f"reads like {what} (probability {_percent(probability(opinion.junk))}){because}"
        name, category = ("CLASSIFIER_PHISH", "phish") if is_phish else ("CLASSIFIER_SPAM", "spam")
        weight = round(min(MOST, (opinion.junk - FLOOR) * PER_LOGIT), 2)
        return Hit(name, category, weight, self.name, label, detail)


def _percent(p: float) -> str:
    """A probability in words that do not claim more than is known."""
    return "over 99 %" if p > 0.99 else f"{round(p * 100)} %"


@cache
def shipped() -> Model:
    """The model that mxward ships, mapped once."""
    return load(SHIPPED)


def make(data_dir: Path | None) -> ClassifierDetector:
    """The detector of a data directory: the shipped model, and what the site taught. Raises: ModelError, OSError."""
    return ClassifierDetector(shipped(), SiteModel(data_dir / FOLDER / MODEL_FILE) if data_dir else None)
