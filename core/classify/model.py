"""The model file: weights of features, how sums become a probability, and the words that a hit may quote.

    8 bytes   magic, "MXCLASS" and the version of this layout
    32 bytes  SHA-256 of all that follows
    4 bytes   length of the head, little-endian; then the head: JSON, see `Head`
    padding   zero bytes up to a multiple of 64
    table     2^bits rows of two signed bytes (unwanted or not; phishing or other), and 64 zero bytes
    words     one a line, "feature word": those of the strongest weights, the only ones a hit quotes; a feature alone
              on its line is one that so much mail has that a site cannot teach it anything

A file is mapped, not read: all processes share its pages. Whatever is wrong with it is said by ModelError; nothing of
it is executed or trusted beyond its checksum. How weights are found is train.py.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import struct
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from mxward.core.errors import EngineError
from mxward.pyx.tokens import MAX_BITS, MIN_BITS, N_SEGMENTS, Features

MAGIC: Final = b"MXCLASS\x01"
_FIXED: Final = struct.Struct("<8s32sI")
PADDING: Final = 64  # behind the table: a gather may read two bytes beyond it
MAX_HEAD: Final = 65_536
MAX_LOGIT: Final = 12.0  # no sum of words makes more certain than this
PHISH, JUNK = 1, 0  # columns of the table: PHISH among what is unwanted, JUNK against what is wanted
N_STRONGEST: Final = 64  # features that are looked at for words to quote


class ModelError(EngineError):
    """The file is no model, is damaged, or is of another version."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a model beside its weights."""

    name: str
    version: str
    format: int  # of the features (features.FORMAT)
    bits: int
    steps: tuple[float, float]  # what one unit of a weight is worth, by column
    biases: tuple[float, float]
    gains: tuple[float, ...]  # of the segments; what a feature of n counts is gain / sqrt(n + damp)
    damps: tuple[float, ...]
    slopes: tuple[float, float]  # logit = slope * margin + offset
    offsets: tuple[float, float]
    examples: dict[str, int]  # by class
    about: str = ""  # what it was trained on, in words


class Opinion(NamedTuple):
    """What a model thinks of a message: log-odds of being unwanted, and of phishing if it is."""

    junk: float
    phish: float


class Model:
    """A model in memory. Immutable; shared between threads."""

    def __init__(self, blob: bytes | mmap.mmap) -> None:
        """Raises: ModelError."""
        self.head, start = _read_head(blob)
        size = (2 << self.head.bits) + PADDING
        view = memoryview(blob)
        if len(view) < start + size:
            raise ModelError("the model is cut short")
        self.table = view[start : start + size]
        self._words = view[start + size :]
        self._names: dict[int, str] | None = None
        self._common: bytes | None = None

    @property
    def label(self) -> str:
        """`name@version`, as hits and verdicts name it."""
        return f"{self.head.name}@{self.head.version}"

    def values(self, features: Features) -> list[float]:
        """What one feature of each segment counts."""
        return values(self.head.gains, self.head.damps, features)

    def margins(self, features: Features) -> tuple[float, float]:
        """The weighted sums of both columns, before they become log-odds."""
        junk, phish = features.margins(self.table, self.head.gains, self.head.damps)
        return junk * self.head.steps[0] + self.head.biases[0], phish * self.head.steps[1] + self.head.biases[1]

    def judge(self, features: Features) -> Opinion:
        """The opinion of a message."""
        head, (junk, phish) = self.head, self.margins(features)
        return Opinion(
            _bounded(head.slopes[0] * junk + head.offsets[0]), _bounded(head.slopes[1] * phish + head.offsets[1])
        )

    def strongest(self, features: Features) -> Iterator[str]:
        """Words of the model whose features spoke for the message being unwanted, the strongest first.

        Several words can share a feature: the caller looks whether the message has the word.
        """
        names = self._named()
        found = features.strongest(self.table, self.values(features), N_STRONGEST)
        return (names[feature] for feature in found if feature in names)

    @property
    def common(self) -> bytes:
        """2^bits bytes: 1 for features that much mail has, which a site's lessons leave alone."""
        common = self._common
        if common is None:
            made = bytearray(1 << self.head.bits)
            for line in bytes(self._words).split(b"\n"):
                if line.isdigit() and int(line) < len(made):
                    made[int(line)] = 1
            self._common = common = bytes(made)
        return common

    def _named(self) -> dict[int, str]:
        names = self._names
        if names is None:
            lines = bytes(self._words).decode("utf-8", "replace").splitlines()
            pairs = (line.split(" ", 1) for line in lines if " " in line)
            self._names = names = {int(number): word for number, word in pairs if number.isdigit()}
        return names


def values(gains: tuple[float, ...], damps: tuple[float, ...], features: Features) -> list[float]:
    """What one feature counts, by segment: less the more there are, so that length alone decides nothing."""
    return [gain / math.sqrt(n + damp) for gain, damp, n in zip(gains, damps, features.counts, strict=True)]


def probability(logit: float) -> float:
    """Log-odds to a probability."""
    return 1.0 / (1.0 + math.exp(-_bounded(logit)))


def _bounded(logit: float) -> float:
    return max(-MAX_LOGIT, min(MAX_LOGIT, logit))


def _read_head(blob: bytes | mmap.mmap) -> tuple[Head, int]:
    """The head and where the table begins. Raises ModelError."""
    if len(blob) < _FIXED.size:
        raise ModelError("the model is cut short")
    magic, digest, length = _FIXED.unpack_from(blob)
    if magic != MAGIC:
        raise ModelError("this is no model of the classifier, or one of another version")
    if hashlib.sha256(memoryview(blob)[40:]).digest() != digest:
        raise ModelError("the model is damaged: its checksum is wrong")
    if length > MAX_HEAD or _FIXED.size + length > len(blob):
        raise ModelError("the head of the model is too long")
    try:
        head = _head_of(orjson.loads(blob[_FIXED.size : _FIXED.size + length]))
    except (orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise ModelError(f"the head of the model does not read: {error}") from None
    return head, _start(length)


def _head_of(doc: dict[str, Any]) -> Head:
    """Raises: TypeError, ValueError for fields that are missing, unknown, or not of their kind."""
    made: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in doc.items()}
    head = Head(**made)
    sizes = {"steps": 2, "biases": 2, "slopes": 2, "offsets": 2, "gains": N_SEGMENTS, "damps": N_SEGMENTS}
    for name, n in sizes.items():
        found = getattr(head, name)
        if len(found) != n or not all(isinstance(x, float | int) and math.isfinite(x) for x in found):
            raise ValueError(f"{name} is not {n} numbers")
    if any(damp <= 0 for damp in head.damps):
        raise ValueError("damps are above 0")
    if not isinstance(head.bits, int) or not MIN_BITS <= head.bits <= MAX_BITS or not isinstance(head.format, int):
        raise ValueError("bits or format is out of range")
    if not (isinstance(head.name, str) and isinstance(head.version, str) and isinstance(head.examples, dict)):
        raise ValueError("name, version or examples is of another kind")
    return head


def _start(length: int) -> int:
    return -(-(_FIXED.size + length) // 64) * 64


def pack(head: Head, table: bytes | bytearray, words: dict[int, str], common: Iterable[int] = ()) -> bytes:
    """A model file. `table`: two bytes a row, without padding; words, common: see the words of a file."""
    text = orjson.dumps(asdict(head))
    body = struct.pack("<I", len(text)) + text
    body += bytes(_start(len(text)) - 40 - len(body)) + bytes(table) + bytes(PADDING)
    body += "".join(f"{number} {word}\n" for number, word in sorted(words.items())).encode()
    body += "".join(f"{number}\n" for number in sorted(common)).encode()
    return MAGIC + hashlib.sha256(body).digest() + body


def load(path: Path) -> Model:
    """Map a model file. Raises: ModelError, OSError."""
    with path.open("rb") as file:
        try:
            return Model(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:
            raise ModelError(f"{path.name} is empty") from None
