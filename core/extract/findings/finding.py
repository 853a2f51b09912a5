"""One row of the tables of findings."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """What a finding means. `detail` is one plain English clause: "holds a macro that runs when it is opened"."""

    category: str  # of verdict.CATEGORIES
    weight: float
    detail: str
