"""How well a model does on messages it had not seen: what is found and flagged at each probability, and calibration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from mxward.core.classify.model import probability
from mxward.core.classify.train import Judged

LEVELS: Final = (0.5, 0.8, 0.9, 0.95, 0.99)
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A class or a source: messages, and the share of them at or above each of LEVELS."""

    name: str
    label: str
    n: int
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Messages whose probability was in a tenth: how many, what was said on average, what was true."""

    n: int
    said: float
    true: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is printed of a training. `error` is the expected calibration error, `loss` the log loss."""

    levels: tuple[float, ...]
    classes: tuple[Row, ...]
    sources: tuple[Row, ...]
    calibration: tuple[Bin, ...]
    error: float
    loss: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def figures(judged: Sequence[Judged]) -> Figures:
    """Figures of messages judged by weights that had not seen them. `judged` is not empty."""
    bins = [found for k in range(_BINS) if (found := [one for one in judged if _bin(one) == k])]
    calibration = tuple(
        Bin(
            len(found), round(math.fsum(probability(one.junk) for one in found) / len(found), 4),
            round(sum(one.label != "ham" for one in found) / len(found), 4),
        ) for found in bins
    )  # fmt: skip
    return Figures(
        LEVELS,
        _rows(judged, by_source=False), _rows(judged, by_source=True),
        calibration,
        round(math.fsum(b.n * abs(b.said - b.true) for b in calibration) / len(judged), 4),
        round(math.fsum(_loss(one) for one in judged) / len(judged), 4),
    )  # fmt: skip


def _bin(one: Judged) -> int:
    return min(_BINS - 1, int(probability(one.junk) * _BINS))


def _loss(one: Judged) -> float:
    p = probability(one.junk)
    return -math.log(1 - p if one.label == "ham" else p)


def _rows(judged: Sequence[Judged], *, by_source: bool) -> tuple[Row, ...]:
    found: dict[str, list[Judged]] = {}
    for one in judged:
        found.setdefault(one.source if by_source else one.label, []).append(one)
    return tuple(_row(name, mine[0].label, mine) for name, mine in sorted(found.items()))


def _row(name: str, label: str, found: Iterable[Judged]) -> Row:
    values = [probability(one.junk) for one in found]
    return Row(name, label, len(values), tuple(round(sum(p >= x for p in values) / len(values), 4) for x in LEVELS))
