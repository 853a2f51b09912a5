"""The face that every detector shows to the pipeline and to plug-in authors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from mxward.core.message import Message
from mxward.core.verdict import Hit


@runtime_checkable
class Detector(Protocol):
    """Looks at a message and reports what it found.

    Called from several threads at once on different messages: an instance must be immutable after it was
    made. Must not raise on any content; what it cannot look at it reports by appending to
    `message.not_inspected`. An EngineError it raises becomes a `degraded` hit that policy decides about.
    """

    name: str  # "yara", "literal", "filetype", ...
    packs: tuple[str, ...]  # pack@version of every pack it uses

    def detect(self, message: Message) -> Iterable[Hit]:
        """Hits of this message, in any order."""
        ...
