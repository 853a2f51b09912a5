"""One row of the tables of formats; docs/attachments.md is made from them."""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """A family of true types and what opens it."""

    title: str  # for people: "zip and its dialects"
    types: tuple[str, ...]  # as pyx/filetype gives them
    opener: str  # "container.zip:open_zip" under core/unpack; "" when it is recognised only: not_inspected
    library: str = "own code"  # who reads it
    limits: str = ""  # what is not read of it, for people
