"""Weights from labelled messages, and probabilities from messages that the weights had not seen.

Each source of messages (a folder, a template) is left out as a whole once, judged by what the others taught, and the
margins so found are what the probability is fitted to: a new site's mail is from a new source too. Everything is in a
fixed order and in IEEE arithmetic, so the same messages give the same file. Not here: reading messages, the command.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from mxward.core.classify.features import BITS, FORMAT, SITE
from mxward.core.classify.model import JUNK, PHISH, Head, pack, values
from mxward.pyx.linear import fit, quantise, spread
from mxward.pyx.tokens import N_SEGMENTS, Features

LABELS: Final = ("ham", "spam", "phish")
# By cross-validation over the sources that train: facts say less than words, words of the text most.
GAINS: Final = (0.5, 0.6, 0.4, 2.4, 0.8, 0.6, 0.2, 0.0)
DAMPS: Final = (8.0, 4.0, 4.0, 15.0, 10.0, 10.0, 20.0, 10.0)
COST: Final = 1.0
LEAST: Final = 3  # messages that must have a feature before it may weigh anything
EPOCHS, TOLERANCE = 200, 0.001
N_FOLDS: Final = 6
MIN_EACH: Final = 20  # messages of ham and of junk without which nothing is trained
N_WORDS: Final = 3000  # that hits may quote
COMMON: Final = 0.08  # of wanted messages: a feature that so many have is beyond a site's lessons
MIN_QUOTED: Final = 10  # messages that must have a word before a hit may quote it: no name of a person has


class Example(NamedTuple):
    """A labelled message. `words` are what its features may be called, for those that are words."""

    features: Features
    label: str
    source: str


class TooFew(ValueError):
    """There are not enough messages to train on."""


class Fitted(NamedTuple):
    """One column: quantised weights, the worth of a unit, the bias."""

    table: bytes
    step: float
    bias: float

    def margin(self, features: Features) -> float:
        return features.margins(self.table, GAINS, DAMPS)[0] * self.step + self.bias


class Judged(NamedTuple):
    """A message judged by weights that had not seen its source."""

    label: str
    source: str
    junk: float  # log-odds
    phish: float


def _unseen(done: int, of: int) -> None:
    """Progress that nobody watches."""


def train(
    examples: Sequence[Example], *, name: str, version: str, about: str = "", words: dict[int, str] | None = None,
    progress: Callable[[int, int], None] = _unseen,
) -> tuple[bytes, list[Judged]]:  # fmt: skip
    """A model file, and how each message was judged when its source was left out.

    Args: words: what features may be quoted as. Raises: TooFew.
    """
    counts = Counter(example.label for example in examples)
    if counts["ham"] < MIN_EACH or counts["spam"] + counts["phish"] < MIN_EACH:
        raise TooFew(f"training needs {MIN_EACH} wanted and {MIN_EACH} unwanted messages at least")
    margins = _left_out(examples, progress)
    junk = fit_column(examples, JUNK)
    phish = fit_column([e for e in examples if e.label != "ham"], PHISH) if _has_both(counts) else _flat()
    slopes, offsets = zip(
        platt([m[0] for m in margins], [e.label != "ham" for e in examples]),
        platt(
            [m[1] for m, e in zip(margins, examples, strict=True) if e.label != "ham"],
            [e.label == "phish" for e in examples if e.label != "ham"],
        ) if _has_both(counts) else (0.0, -4.0 if counts["spam"] else 4.0),
        strict=True,
    )  # fmt: skip
    head = Head(
        name, version, FORMAT, BITS, (junk.step, phish.step), (junk.bias, phish.bias), GAINS, DAMPS,
        (slopes[0], slopes[1]), (offsets[0], offsets[1]), dict(sorted(counts.items())), about,
    )  # fmt: skip
    table = bytearray(2 << BITS)
    table[0::2], table[1::2] = junk.table[0 : 2 << BITS : 2], phish.table[0 : 2 << BITS : 2]
    judged = [
        Judged(e.label, e.source, slopes[0] * m[0] + offsets[0], slopes[1] * m[1] + offsets[1])
        for e, m in zip(examples, margins, strict=True)
    ]
    return pack(head, table, _quotable(examples, table, words or {}), _common(examples)), judged


def _has_both(counts: Counter[str]) -> bool:
    return counts["spam"] >= MIN_EACH and counts["phish"] >= MIN_EACH


def _flat() -> Fitted:
    return Fitted(bytes((2 << BITS) + 64), 1.0, 0.0)


def fit_column(examples: Sequence[Example], column: int) -> Fitted:
    """Weights that part junk from ham, or phishing from other junk."""
    signs = [1 if (e.label == "phish" if column == PHISH else e.label != "ham") else -1 for e in examples]
    n = Counter(signs)
    costs = [COST * len(examples) / (2 * n[sign]) for sign in signs]
    features = [e.features for e in examples]
    rows = [values(GAINS, DAMPS, f) for f in features]
    weights, bias = fit(features, rows, signs, costs, spread(features, BITS, LEAST), EPOCHS, TOLERANCE)
    largest = max(map(abs, memoryview(weights).cast("d")), default=0.0)
    step = round(largest / 127, 9) or 1.0
    table = bytearray((2 << BITS) + 64)
    quantise(weights, BITS, step, table, 0)
    return Fitted(bytes(table), step, round(bias, 9))


def folds(examples: Sequence[Example]) -> list[int]:
    """A fold for each message: sources go as a whole, the largest first, each to the fold that has least of its class.

    A source with more than half of its class is cut into runs, as there would be nothing left to learn from.
    """
    sizes = Counter((e.label == "ham", e.source) for e in examples)
    totals = Counter(e.label == "ham" for e in examples)
    load: Counter[tuple[bool, int]] = Counter()
    chosen: dict[tuple[bool, str], int] = {}
    for key, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        if 2 * size > totals[key[0]]:
            chosen[key] = -1
            continue
        chosen[key] = min(range(N_FOLDS), key=lambda k: (load[key[0], k], k))
        load[key[0], chosen[key]] += size
    seen: Counter[tuple[bool, str]] = Counter()
    out = []
    for example in examples:
        key = (example.label == "ham", example.source)
        fold = chosen[key]
        if fold < 0:
            fold = seen[key] * N_FOLDS // sizes[key]
            seen[key] += 1
        out.append(fold)
    return out


def _left_out(examples: Sequence[Example], progress: Callable[[int, int], None]) -> list[tuple[float, float]]:
    """Margins of each message by what the other folds taught."""
    numbers = folds(examples)
    out = [(0.0, 0.0)] * len(examples)
    for k in range(N_FOLDS):
        progress(k, N_FOLDS)
        rest = [e for e, fold in zip(examples, numbers, strict=True) if fold != k]
        counts = Counter(e.label for e in rest)
        mine = [i for i, fold in enumerate(numbers) if fold == k]
        if not mine or not counts["ham"] or not counts["spam"] + counts["phish"]:
            continue
        junk = fit_column(rest, JUNK)
        both = counts["spam"] and counts["phish"]
        phish = fit_column([e for e in rest if e.label != "ham"], PHISH) if both else _flat()
        for i in mine:
            out[i] = (junk.margin(examples[i].features), phish.margin(examples[i].features))
    progress(N_FOLDS, N_FOLDS)
    return out


def platt(margins: Sequence[float], truths: Sequence[bool]) -> tuple[float, float]:
    """Slope and offset of the log-odds of margins, both classes counted alike, rounded to a millionth.

    Source: Lin, Lin, Weng, "A note on Platt's probabilistic outputs for support vector machines" (2007): Newton's
    method on the regularised targets.
    """
    n_true = sum(truths)
    n_false = len(truths) - n_true
    if not n_true or not n_false:
        return 1.0, 0.0
    share = {True: 0.5 / n_true, False: 0.5 / n_false}
    target = {True: (n_true + 1.0) / (n_true + 2.0), False: 1.0 / (n_false + 2.0)}
    slope, offset = 1.0, 0.0
    for _ in range(100):
        gradient = [0.0, 0.0]
        curve = [1e-9, 0.0, 1e-9]
        for margin, truth in zip(margins, truths, strict=True):
            p = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, slope * margin + offset))))
            error, weight = (p - target[truth]) * share[truth], p * (1.0 - p) * share[truth]
            gradient[0] += error * margin
            gradient[1] += error
            curve[0] += weight * margin * margin
            curve[1] += weight * margin
            curve[2] += weight
        determinant = curve[0] * curve[2] - curve[1] * curve[1]
        by_slope = (curve[2] * gradient[0] - curve[1] * gradient[1]) / determinant
        by_offset = (curve[0] * gradient[1] - curve[1] * gradient[0]) / determinant
        pace = min(1.0, 1.0 / (abs(by_slope) + abs(by_offset) + 1e-12))
        slope, offset = slope - pace * by_slope, offset - pace * by_offset
        if abs(by_slope) + abs(by_offset) < 1e-9:
            break
    return round(max(slope, 0.0), 6), round(offset, 6)


def _quotable(examples: Sequence[Example], table: bytearray, words: dict[int, str]) -> dict[int, str]:
    """The words with the largest weights that enough messages have."""
    common = spread([e.features for e in examples], BITS, MIN_QUOTED)
    signed = memoryview(table).cast("b")
    listed = [(abs(signed[2 * f]), f) for f in words if common[f] and signed[2 * f]]
    listed.sort(key=lambda pair: (-pair[0], pair[1]))
    return {f: words[f] for _, f in listed[:N_WORDS]}


def _common(examples: Sequence[Example]) -> list[int]:
    """Features that so many wanted messages have that they say nothing of a site's own."""
    wanted = [e.features for e in examples if e.label == "ham"]
    mask = spread(wanted, BITS, max(2, int(len(wanted) * COMMON)))
    return [number for number, is_common in enumerate(mask) if is_common]


def digest(features: Features) -> str:
    """A short name of a set of features; two messages with the same are the same to the classifier."""
    text = ",".join(str(i) for s, part in enumerate(features.indices) if s != SITE for i in part)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def unique(examples: Sequence[Example]) -> Iterator[Example]:
    """Each message once, by what the classifier sees of it."""
    seen: set[str] = set()
    for example in examples:
        name = digest(example.features)
        if name not in seen:
            seen.add(name)
            yield example


assert len(GAINS) == len(DAMPS) == N_SEGMENTS, "a gain and a damp a segment"
