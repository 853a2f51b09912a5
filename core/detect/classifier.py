"""The statistical classifier as a detector: how probably a message is unwanted, as one hit.

The shipped model and what the site taught (core/classify/site.py) add up; the site's part is bounded. The hit's weight
follows the log-odds; its detail quotes words of the model, never words that only the message has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from mxward.core.classify.features import BITS, FORMAT, LINK, MAX_FEATURES, SUBJECT, TEXT, Piece, pieces
from mxward.core.classify.model import Model, ModelError, Opinion, load, probability
from mxward.core.classify.site import FOLDER, MODEL_FILE, SiteModel, share
from mxward.core.errors import RulePackError
from mxward.core.message import Message
from mxward.core.verdict import Hit
from mxward.pyx.tokens import Features

SHIPPED: Final = Path(__file__).resolve().parents[1] / "classify" / "shipped.model"
OWN_FILE: Final = "own.model"  # in the data directory's FOLDER: what `mxward train --use` made
START: Final = 2.0  # weight of what is as probably unwanted as wanted
PER_LOGIT: Final = 2.0  # and of each unit of log-odds more
ALONE_LOGIT: Final = 3.0  # log-odds (95 %) from which it keeps a message back with nothing else against it
SHY, MOST = 5.5, 6.5  # the most it weighs below and above that; a verdict of spam takes 6
HAM_LOGIT: Final = -3.0  # log-odds below which a message is surely wanted mail
HAM_WEIGHT: Final = -0.5  # little: good words are cheap
N_QUOTED: Final = 3
_QUOTABLE: Final = frozenset((SUBJECT, TEXT, LINK))
MAX_TRIED: Final = 12  # words that are looked for in the message


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
        made = pieces(message)
        features = Features(made, BITS, MAX_FEATURES)
        opinion, label, found = self._model.judge(features), self._model.label, []
        site = self._site.current() if self._site is not None else None
        if site is not None:
            opinion = Opinion(opinion.junk + share(site.judge(features).junk), opinion.phish)
            label = f"{label}+{site.label}"
        elif self._site is not None and self._site.fault:
            detail = f"was judged without what this site taught ({self._site.fault})"
            found.append(Hit("CLASSIFIER_LESSONS_UNREADABLE", "info", 0.0, self.name, label, detail))
        if opinion.junk > 0:
            found.append(self._unwanted(features, opinion, label, made))
        elif opinion.junk < HAM_LOGIT and message.hits:
            detail = f"reads like wanted mail (probability {_percent(1 - probability(opinion.junk))})"
            found.append(Hit("CLASSIFIER_HAM", "spam", HAM_WEIGHT, self.name, label, detail))
        return found

    def _unwanted(self, features: Features, opinion: Opinion, label: str, made: list[Piece]) -> Hit:
        is_phish = opinion.phish > 0
        words = self._quoted(features, made)
        because = ", above all for " + ", ".join(f'"{word}"' for word in words) if words else ""
        what = "phishing or fraud" if is_phish else "spam"
        detail = f"reads like {what} (probability {_percent(probability(opinion.junk))}){because}"
        name, category = ("CLASSIFIER_PHISH", "phish") if is_phish else ("CLASSIFIER_SPAM", "spam")
        weight = min(MOST if opinion.junk >= ALONE_LOGIT else SHY, START + opinion.junk * PER_LOGIT)
        return Hit(name, category, round(weight, 2), self.name, label, detail)

    def _quoted(self, features: Features, made: list[Piece]) -> list[str]:
        """The model's own words that spoke most for it, of those that the message has."""
        text = b"\n".join([data for segment, _, data in made if segment in _QUOTABLE])
        found: list[str] = []
        for word in islice(self._model.strongest(features), MAX_TRIED):
            if word not in found and word.encode() in text:
                found.append(word)
                if len(found) == N_QUOTED:
                    break
        return found


def _percent(p: float) -> str:
    """A probability in words that do not claim more than is known."""
    return "over 99 %" if p > 0.99 else f"{round(p * 100)} %"


@cache
def shipped() -> Model:
    """The model that mxward ships, mapped once."""
    return load(SHIPPED)


def base(data_dir: Path | None) -> Model:
    """The model that judges: the site's own when it trained one, else the shipped one. Raises: ModelError, OSError."""
    own = data_dir / FOLDER / OWN_FILE if data_dir else None
    return load(own) if own is not None and own.is_file() else shipped()


def make(data_dir: Path | None) -> ClassifierDetector:
    """The detector of a data directory: its model, and what the site taught.

    Raises: RulePackError when the site's own model cannot be used: nothing is judged by another one unasked.
    """
    site = SiteModel(data_dir / FOLDER / MODEL_FILE) if data_dir else None
    try:
        return ClassifierDetector(base(data_dir), site)
    except (ModelError, OSError) as error:
        raise RulePackError(str(error), pack=f"{FOLDER}/{OWN_FILE}") from error
