"""Which mail trains the shipped model, by whose leave, and which mail may only test it.

A source trains when its licence lets anyone use it for anything (PDDL-1.0, BSD-2-Clause, Apache-2.0), or when the
makers of mxward wrote it. Mail under a non-commercial licence, and mail of public lists, whose writers gave no
licence, only tests. docs/classifier.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bench.model.invent import messages
from mxtest import corpus

# folder of the corpus -> (class, licence)
TRAIN = {
    "ham/sa2002-easy": ("ham", "PDDL-1.0"), "ham/sa2002-hard": ("ham", "PDDL-1.0"),
    "ham/bounces": ("ham", "BSD-2-Clause"), "ham/court-notices": ("ham", "BSD-2-Clause"),
    "ham/netops-notices": ("ham", "Apache-2.0"),
    "spam/sa2002-spam1": ("spam", "PDDL-1.0"), "spam/sa2002-spam2": ("spam", "PDDL-1.0"),
}  # fmt: skip
TEST = {
    "ham/list-openbmc": ("ham", "none stated"), "ham/list-kasan": ("ham", "none stated"),
    "spam/bulk-2022-2024": ("spam", "CC-BY-NC-4.0"),
    "phish/pot-2022-2024": ("phish", "CC-BY-NC-4.0"), "phish/pot-2022-2024-attach": ("phish", "CC-BY-NC-4.0"),
}  # fmt: skip
LICENCES = frozenset(("PDDL-1.0", "BSD-2-Clause", "Apache-2.0"))  # that allow training a model for any use


class Mail(NamedTuple):
    """A message, its class, and where it is from."""

    raw: bytes
    label: str
    source: str


def of_corpus(folders: dict[str, tuple[str, str]]) -> Iterator[Mail]:
    """Messages of these folders, in a fixed order."""
    for folder, (label, _) in folders.items():
        for path in sorted((corpus.root() / "mail" / folder).iterdir()):
            if path.name != "README.md":
                yield Mail(path.read_bytes(), label, folder)


def training() -> Iterator[Mail]:
    """Everything that trains the shipped model."""
    yield from of_corpus(TRAIN)
    for invented in messages():
        yield Mail(invented.raw, invented.label, invented.source)
