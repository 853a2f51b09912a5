"""The shared corpus of real and hostile mail beside the checkout (`../shared/corpus`), or MXWARD_CORPUS.

The files are as their sources had them: most with bare LF, some with CRLF, some with both, old ones behind an mbox
`From ` line. `folded` gives the form that can travel by SMTP. Nothing of the corpus is ever copied into the project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
LABELS = ("ham", "spam", "phish", "torture")
_BREAKS = re.compile(rb"\r*\n")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message file: its path below the corpus, its label, and its bytes as stored."""

    name: str
    label: str
    stored: bytes

    @property
    def folded(self) -> bytes:
        """CRLF line ends, no mbox `From ` line, a line end at the end; other bytes (NUL, bare CR) stay."""
        return fold(self.stored)


def root() -> Path:
    """Where the corpus is expected."""
    chosen = os.environ.get("MXWARD_CORPUS")
    return Path(chosen) if chosen else REPOSITORY.parent / "shared" / "corpus"


def need(subfolder: str = "mail") -> Path:
    """The folder of the corpus; skips the calling test with a clear reason when it is absent."""
    folder = root() / subfolder
    if not folder.is_dir():
        pytest.skip(f"the shared corpus is absent: {folder} (set MXWARD_CORPUS to its place)")
    return folder


def is_present() -> bool:
    return (root() / "mail").is_dir()


def fold(stored: bytes) -> bytes:
    """Any mixture of line ends to CRLF; an mbox envelope line is dropped.

    CR that stands before LF, however many, belongs to the line end; a CR elsewhere is content and stays.
    """
    if stored.startswith((b"From ", b">From ")):
        stored = stored.partition(b"\n")[2]
    text = _BREAKS.sub(b"\r\n", stored)
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def is_transportable(message: bytes) -> bool:
    """True when SMTP can carry it as it is: no NUL and neither CR nor LF outside CRLF (RFC 5321 2.3.8)."""
    bare = message.replace(b"\r\n", b"")
    return b"\0" not in message and b"\r" not in bare and b"\n" not in bare


@cache
def paths(label: str = "") -> tuple[Path, ...]:
    """All message files of a label, or of all labels, in a fixed order; empty when the corpus is absent."""
    base = root() / "mail"
    labels = (label,) if label else LABELS
    return tuple(
        path
        for one in labels
        for path in sorted((base / one).rglob("*"))
        if path.is_file() and path.name != "README.md"
    )


def mails(label: str = "", *, every: int = 1) -> Iterator[Mail]:
    """Messages of a label, or of all; `every` n-th one for a fast subset."""
    base = root() / "mail"
    for path in paths(label)[::every]:
        name = str(path.relative_to(base))
        yield Mail(name, name.partition("/")[0], path.read_bytes())
