"""Says of each message that rules were still being loaded when it came, so that nobody takes silence for inspection.

The message is judged by the engines and rules there are. What is missing is in `not_inspected` under a reason of its
own, `engine:yara-loading` and the like; the hit ENGINES_LOADING is `degraded`, and policy decides what that means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mxward.core.message import Message
from mxward.core.rules.staged import Loading
from mxward.core.verdict import Hit, NotInspected


class LoadingDetector:
    """Stands in for rules that are not there yet. Immutable."""

    name = "loading"
    packs: tuple[str, ...] = ()

    def __init__(self, loading: Sequence[Loading]) -> None:
        self._missing = [
            NotInspected(0, f"engine:{engine}-loading", f"judged without the {engine} rules of {', '.join(packs)}")
            for engine, packs in loading
        ]
        engines = ", ".join(engine for engine, _ in loading)
        self._hit = Hit(
            "ENGINES_LOADING", "degraded", 0.0, self.name, detail=f"came while rules were being loaded ({engines})"
        )

    def detect(self, message: Message) -> Iterable[Hit]:
        """The one hit, whatever the message is."""
        message.not_inspected += self._missing
        return (self._hit,)
