"""Other scanners beside our own: what they say of a message and its parts becomes hits. How they are asked is the
server's business (server/engines).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Literal, NamedTuple, Protocol

from mxward.core.detect.hashlist import ALLOWED, is_relieved
from mxward.core.errors import EngineError, EngineTimeout
from mxward.core.extract.parts import is_inside
from mxward.core.message import Message
from mxward.core.verdict import Evidence, Hit, NotInspected

MALWARE_WEIGHT: Final = 20.0
MESSAGE, PARTS, OPENED = "message", "parts", "opened"  # as received; its decoded parts; what was found inside these
MAX_SIGNATURE: Final = 120  # characters of a name that is kept
# beginnings of names by which scanners say something else than malware -> category, weight
_MEANINGS: Final[tuple[tuple[str, str, float], ...]] = (
    ("heuristics.phishing", "phish", 6.0), ("heuristics.ole2.containsmacros", "attachment", 4.0),
    ("heuristics.structured", "policy", 4.0), ("heuristics.broken", "attachment", 2.0), ("pua.", "attachment", 4.0),
    ("sanesecurity.spam", "spam", 6.0), ("sanesecurity.phishing", "phish", 8.0), ("policy.", "policy", 4.0),
)  # fmt: skip
# names that say it was not looked into -> reason
_UNSEEN: Final = (("heuristics.encrypted", "encrypted"), ("heuristics.limits.exceeded", "limit:bytes"))
TOO_LARGE: Final = "too large"  # in place of a signature: the scanner takes no content of that size


class Said(NamedTuple):
    """What a scanner says of one content: a signature's name, or that it does not take it."""

    signature: str
    is_refusal: bool = False


class Engine(Protocol):
    """One other scanner. Called from many threads."""

    name: str  # "clamd"

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]:
        """What it says of the content, [] for nothing. Raises: EngineTimeout, EngineUnavailable."""
        ...


class EngineDetector:
    """Asks one scanner: unless told otherwise about the raw message, then about everything that our own openers found.

    Immutable.
    """

    packs: tuple[str, ...] = ()

    def __init__(
        self, engine: Engine, *, seconds: float, on_down: Literal["defer", "mark"] = "defer",
        scans: Collection[str] = (MESSAGE, OPENED), monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Args: seconds: for one message; scans: what it is given, of MESSAGE, PARTS and OPENED; on_down: "defer": what
        it cannot be asked about is degraded, as of our own engines; "mark": it is not inspected, for reason
        "engine:NAME".
        """
        self.name, self._scans = engine.name, frozenset(scans)
        self._engine, self._seconds, self._on_down, self._monotonic = engine, seconds, on_down, monotonic

    def detect(self, message: Message) -> Iterable[Hit]:
        """One hit a signature. Raises: EngineError when it is down and that is to be degraded."""
        found: dict[str, Hit] = {}
        try:
            self._ask(message, found)
        except EngineError as error:
            if self._on_down == "defer":
                message.hits += found.values()  # what it said before counts
                raise
            message.not_inspected.append(NotInspected(0, f"engine:{self.name}", str(error)[:120]))
        return found.values()

    def _ask(self, message: Message, found: dict[str, Hit]) -> None:
        end = self._monotonic() + self._seconds
        for part, view, data in _contents(message, self._scans):
            left = end - self._monotonic()
            if left <= 0 or message.is_late():
                raise EngineTimeout(f"{self.name} did not answer in {self._seconds:g} s")
            for said in self._engine.scan(data, left):
                self._note(message, part, view, said, found)

    def _note(self, message: Message, part: int, view: str, said: Said, found: dict[str, Hit]) -> None:
        if said.is_refusal:
            message.not_inspected.append(NotInspected(part, "limit:bytes", f"{self.name}: {said.signature}"[:120]))
            return
        name = _clean(said.signature)
        for beginning, reason in _UNSEEN:
            if name.lower().startswith(beginning):
                message.not_inspected.append(NotInspected(part, reason, f"{self.name}: {name}"))
                return
        category, weight = _meaning(name)
        detail = f"is found by {self.name} to be {name}"
        hit = Hit(f"{self.name}:{name}", category, weight, self.name, detail=detail,
                  evidence=(Evidence(part, view, 0, 0),))  # fmt: skip
        if not is_relieved(hit, message.views.get(ALLOWED, ())):
            found.setdefault(hit.name, hit)


def _contents(message: Message, scans: Collection[str]) -> Iterator[tuple[int, str, bytes | memoryview]]:
    if MESSAGE in scans:
        yield 0, "raw", message.raw
    seen: set[bytes | memoryview] = set()
    for part in message.parts:
        if part.data and (OPENED if is_inside(part) else PARTS) in scans and part.data not in seen:
            seen.add(part.data)
            yield part.index, "decoded", part.data


def _clean(signature: str) -> str:
    """A name as it may stand in logs and pages."""
    return "".join(c if c.isalnum() or c in "._-/:!" else "_" for c in signature)[:MAX_SIGNATURE] or "unnamed"


def _meaning(name: str) -> tuple[str, float]:
    low = name.lower()
    for beginning, category, weight in _MEANINGS:
        if low.startswith(beginning):
            return category, weight
    return "malware", MALWARE_WEIGHT
