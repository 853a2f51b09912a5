"""What one site taught: sums that correct the shipped model where it was wrong, each lesson of which can be taken back.

A lesson moves the weights of a message's words just so far that the message would have been judged right with a margin
(passive-aggressive learning: Crammer et al., "Online passive-aggressive algorithms", 2006, PA-I), at most by a bound.
The integers it added are recorded with the message's digest, so that forgetting subtracts the same. Words that most
mail has never learn. Whatever was taught, the site's part of a judgement is at most MAX_SHARE of log-odds.

Two files: the sums with the lessons (who learns reads and writes them) and the model made of them (every worker maps
it). Files, locks, and who may teach are not here (server/services/learning.py).
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from mxward.core.classify.features import BITS, FORMAT
from mxward.core.classify.model import Head, Model, ModelError, load, pack, values
from mxward.pyx.linear import narrow
from mxward.pyx.tokens import N_SEGMENTS, Features

FOLDER: Final = "classifier"  # in the data directory
MODEL_FILE, SUMS_FILE = "site.model", "site.sums"
MAX_LESSONS: Final = 20_000  # remembered; beyond, the older half stays learned but cannot be taken back any more
MAX_SHARE: Final = 4.0  # log-odds that the site's part may add or take
LOOK_EVERY_S: Final = 0.5  # so long a worker may judge by the model before
TARGET: Final = 2.5  # log-odds that a lesson aims at: a probability of 92 %
MAX_STEP: Final = 1.0  # of one lesson
GAINS: Final = (0.5, 0.6, 0.4, 2.4, 0.8, 0.6, 0.2, 3.0)  # as in training, and the sender
DAMPS: Final = (8.0, 4.0, 4.0, 15.0, 10.0, 10.0, 20.0, 10.0)
_SCALE: Final = 4096  # units of a sum that are a weight of one
_DIVISOR: Final = 32  # units of a sum that are one of the model
_MAGIC: Final = b"MXSITE\x01\n"
_LESSON: Final = struct.Struct(f"<32sb{N_SEGMENTS}i")


class Lesson(NamedTuple):
    """A message that was learned: 1 unwanted, -1 wanted, and what it added to the words of each segment."""

    sign: int
    deltas: tuple[int, ...]


class Site:
    """The sums of a site, to be changed and saved. Not for several threads at once."""

    def __init__(self) -> None:
        self.sums = bytearray(4 << BITS)
        self.lessons: dict[bytes, Lesson] = {}  # in order of learning
        self.generation = 0  # grows with every change
        self.dropped = [0, 0]  # lessons that cannot be taken back any more: wanted, unwanted

    @property
    def taught(self) -> tuple[int, int]:
        """Messages learned as wanted, as unwanted."""
        unwanted = sum(lesson.sign > 0 for lesson in self.lessons.values())
        return self.dropped[0] + len(self.lessons) - unwanted, self.dropped[1] + unwanted

    def learn(self, digest: bytes, features: Features, *, unwanted: bool, shipped: Model) -> bool:
        """Learn a message; False when it was learned so before. Learned otherwise before, that is taken back first."""
        sign = 1 if unwanted else -1
        known = self.lessons.get(digest)
        if known is not None:
            if known.sign == sign:
                return False
            self.forget(digest, features, shipped)
        counts = values(GAINS, DAMPS, features)
        logit = shipped.judge(features).junk + share(self._logit(features))
        norm = sum(n * value * value for n, value in zip(features.counts, counts, strict=True))
        step = min(MAX_STEP, max(0.0, TARGET - sign * logit) / norm) if norm else 0.0
        deltas = tuple(round(sign * step * value * _SCALE) for value in counts)
        features.add(self.sums, deltas, shipped.common)
        self.lessons[digest] = Lesson(sign, deltas)
        self._age()
        self.generation += 1
        return True

    def forget(self, digest: bytes, features: Features, shipped: Model) -> bool:
        """Take back what a message taught; False when it is not remembered."""
        lesson = self.lessons.pop(digest, None)
        if lesson is None:
            return False
        features.add(self.sums, [-delta for delta in lesson.deltas], shipped.common)
        self.generation += 1
        return True

    def _logit(self, features: Features) -> float:
        return features.margins(self._table(), GAINS, DAMPS)[0] * _DIVISOR / _SCALE

    def _table(self) -> bytearray:
        table = bytearray((2 << BITS) + 64)
        narrow(self.sums, BITS, _DIVISOR, table, 0)
        return table

    def _age(self) -> None:
        if len(self.lessons) <= MAX_LESSONS:
            return
        for digest in list(self.lessons)[: MAX_LESSONS // 2]:
            self.dropped[self.lessons.pop(digest).sign > 0] += 1

    def model(self) -> bytes:
        """The model file that workers map."""
        wanted, unwanted = self.taught
        head = Head(
            "site", str(self.generation), FORMAT, BITS, (_DIVISOR / _SCALE, 1.0), (0.0, 0.0), GAINS, DAMPS,
            (1.0, 0.0), (0.0, 0.0), {"ham": wanted, "spam": unwanted}, "what this site taught",
        )  # fmt: skip
        return pack(head, self._table()[: 2 << BITS], {})

    def dump(self) -> bytes:
        """The sums file: magic, SHA-256 of the rest, length of the counts, counts, sums, lessons."""
        counts = orjson.dumps([FORMAT, BITS, self.generation, *self.dropped])
        sums = array("i", self.sums)
        if struct.pack("=H", 1) != struct.pack("<H", 1):
            sums.byteswap()
        lessons = b"".join(_LESSON.pack(d, lesson.sign, *lesson.deltas) for d, lesson in self.lessons.items())
        body = struct.pack("<I", len(counts)) + counts + sums.tobytes() + lessons
        return _MAGIC + hashlib.sha256(body).digest() + body


def restore(blob: bytes) -> Site:
    """The site of a sums file. Raises: ModelError when it is damaged or of another version."""
    if blob[:8] != _MAGIC or hashlib.sha256(memoryview(blob)[40:]).digest() != blob[8:40]:
        raise ModelError("what this site taught is damaged: the checksum is wrong")
    (length,) = struct.unpack_from("<I", blob, 40)
    counts = _counts(blob[44 : 44 + length])
    if tuple(counts[:2]) != (FORMAT, BITS):
        raise ModelError("what this site taught is of another version of mxward")
    site, start = Site(), 44 + length
    end = start + len(site.sums)
    if end > len(blob) or (len(blob) - end) % _LESSON.size:
        raise ModelError("what this site taught is cut short")
    sums = array("i", blob[start:end])
    if struct.pack("=H", 1) != struct.pack("<H", 1):
        sums.byteswap()
    site.sums[:] = sums.tobytes()
    for digest, sign, *deltas in _LESSON.iter_unpack(memoryview(blob)[end:]):
        site.lessons[digest] = Lesson(sign, tuple(deltas))
    site.generation, site.dropped = counts[2], counts[3:]
    return site


def _counts(text: bytes) -> list[int]:
    """Format, bits, generation, lessons dropped of both kinds. Raises: ModelError."""
    try:
        counts = orjson.loads(text)
    except orjson.JSONDecodeError:
        counts = None
    if not isinstance(counts, list) or len(counts) != 5 or not all(isinstance(n, int) and n >= 0 for n in counts):
        raise ModelError("what this site taught has no readable counts")
    return counts


def share(logit: float) -> float:
    """The site's part, within its bounds."""
    return max(-MAX_SHARE, min(MAX_SHARE, logit))


def digest_of(raw: bytes) -> bytes:
    """What a message is known by: SHA-256 of its normalised bytes."""
    return hashlib.sha256(raw).digest()


class SiteModel:
    """The site's model as workers see it: mapped again when its file was replaced.

    May be used by several threads: a judgement takes the model once, and models do not change.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._seen: tuple[tuple[int, int, int] | None, Model | None, str] = (None, None, "")
        self._next_look_s = 0.0
        self._present: Model | None = None
        self._look()

    @property
    def fault(self) -> str:
        """Why there is a file and no model; "" when all is well."""
        return self._seen[2]

    def current(self) -> Model | None:
        """The model, not older than LOOK_EVERY_S; None when the site taught nothing, or the file is not whole."""
        if self._monotonic() >= self._next_look_s:
            self._look()
        return self._present

    def _look(self) -> None:
        self._next_look_s = self._monotonic() + LOOK_EVERY_S
        try:
            info = os.stat(self._path)
        except OSError:
            self._present = None
            return
        stamp = (info.st_ino, info.st_mtime_ns, info.st_size)
        if stamp != self._seen[0]:
            self._seen = (stamp, *_loaded(self._path))
        self._present = self._seen[1]


def _loaded(path: Path) -> tuple[Model | None, str]:
    try:
        model = load(path)
    except (ModelError, OSError) as error:
        return None, str(error)
    if model.head.format != FORMAT:
        return None, "it is of another version of mxward"
    return model, ""
