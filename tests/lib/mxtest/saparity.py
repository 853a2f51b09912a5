"""Decisions of SpamAssassin's rules here and in Debian's spamassassin, message by message, compared."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mxtest import corpus, spamassassin
from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.rules.pack import parse_pack
from mxward.core.rules.spamassassin.engine import Engine
from mxward.core.rules.spamassassin.importer import pack_of_folder
from mxward.core.rules.spamassassin.load import load_engine
from mxward.core.rules.spamassassin.report import Report
from mxward.core.rules.spamassassin.texts import TextSet
from mxward.pyx.mime import parse

ENVELOPE = Envelope("sender@partner.example", (Recipient("staff@trust.example"),))


@dataclass(slots=True)
class Parity:
    """Counts over messages times tests. `fired`: decisions where either side fired."""

    n_messages: int = 0
    decisions: int = 0
    equal: int = 0
    fired: int = 0
    fired_equal: int = 0
    cpu_us: list[float] = field(default_factory=list)  # here, a message, texts included
    their_cpu_us: list[float] = field(default_factory=list)
    only_here: Counter[str] = field(default_factory=Counter)
    only_there: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of all decisions, those that are equal."""
        return self.equal / max(1, self.decisions)

    @property
    def strict_share(self) -> float:
        """Of the decisions where either side fired, those that are equal."""
        return self.fired_equal / max(1, self.fired)

    def to_dict(self) -> dict[str, Any]:
        here, there = sorted(self.cpu_us), sorted(self.their_cpu_us)
        middle = self.n_messages // 2
        return {
            "messages": self.n_messages, "decisions": self.decisions, "equal": self.equal, "share": self.share,
            "fired": self.fired, "fired_equal": self.fired_equal, "strict_share": self.strict_share,
            "median_cpu_us": round(here[middle], 1), "spamassassin_median_cpu_us": round(there[middle], 1),
            "only_here": self.only_here.most_common(40), "only_there": self.only_there.most_common(40),
            "examples": dict(list(self.examples.items())[:80]),
        }  # fmt: skip


@cache
def stock_engine(cache: Path | None = None) -> tuple[Engine, Report]:
    """The engine over the rule set of the oracle, and its report."""
    pack = parse_pack(pack_of_folder(spamassassin.rules_dir()), Path("spamassassin"))
    return load_engine(pack.spamassassin, pack.spamassassin_options, (), cache)


def message_of(stored: bytes) -> Message:
    """A mail file as the pipeline has it after extract."""
    message = Message(corpus.fold(stored), ENVELOPE)
    message.mime = parse(message.raw)
    extract(message)
    return message


def sample(count: int, labels: Iterable[str] = ("ham", "spam", "phish")) -> list[Path]:
    """That many files of the corpus, spread over the labels, always the same ones."""
    paths = [path for label in labels for path in corpus.paths(label)]
    return sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())[:count]


def compare(paths: Sequence[Path], engine: Engine) -> Parity:
    """Both judgements of each mail. Tests that cannot run here count when SpamAssassin says they fired."""
    parity = Parity()
    stored = [path.read_bytes() for path in paths]
    for path, mail, theirs in zip(paths, stored, spamassassin.judge(stored), strict=True):
        message = message_of(mail)
        started = time.process_time()
        outcome = engine.run(TextSet(message, engine.site))
        parity.cpu_us.append((time.process_time() - started) * 1e6)
        parity.their_cpu_us.append(theirs.cpu_s * 1e6)
        ours = {engine.book.names[slot] for slot in outcome.values}
        _count(parity, path, ours, set(theirs.hits), engine)
    return parity


def _count(parity: Parity, path: Path, ours: set[str], theirs: set[str], engine: Engine) -> None:
    judged = set(engine.book.names) | theirs
    parity.n_messages += 1
    parity.decisions += len(judged)
    parity.fired += len(ours | theirs)
    parity.fired_equal += len(ours & theirs)
    parity.equal += len(judged) - len(ours ^ theirs)
    parity.only_here.update(ours - theirs)
    parity.only_there.update(theirs - ours)
    for name in ours ^ theirs:
        parity.examples.setdefault(name, path.name)
