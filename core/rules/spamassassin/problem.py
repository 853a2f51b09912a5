"""What is wrong or doubtful in .cf files: collected, bounded, never raised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MAX_PROBLEMS: Final = 1000  # kept with their text; more are counted only


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `severity` is "error" (the line has no effect) or "warning"; `rule` is "" when none is meant."""

    file: str
    line: int
    severity: str
    text: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {f'{self.rule}: ' if self.rule else ''}{self.text}"


@dataclass(slots=True)
class Problems:
    """The findings of one reading. `n_dropped` counts those beyond MAX_PROBLEMS."""

    found: list[Problem] = field(default_factory=list)
    n_dropped: int = 0

    def add(self, file: str, line: int, severity: str, text: str, rule: str = "") -> None:
        if len(self.found) >= MAX_PROBLEMS:
            self.n_dropped += 1
        else:
            self.found.append(Problem(file, line, severity, text, rule))
