"""YARA over the raw message, each decoded part that is not already in it, and the readable text.

Content that stands in the message verbatim is scanned once, as part of the raw message, but for rules that ask for the
text and not for the raw message: a text is a text, however it was sent. Which metadata count is told in
core/rules/pack.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from mxward.bindings.yara import Finding, YaraFailure, YaraTimeout
from mxward.core.detect.hashlist import ALLOWED, is_relieved
from mxward.core.errors import EngineError
from mxward.core.extract import views
from mxward.core.extract.parts import is_text, is_verbatim
from mxward.core.limits import MAX_EVIDENCE, YARA_TIMEOUT_S
from mxward.core.message import Message, Part
from mxward.core.rules.compile import EXTERNALS, SEPARATOR, RuleSet
from mxward.core.rules.yara.index import YaraIndex
from mxward.core.verdict import CATEGORIES, Evidence, Hit, NotInspected

Externals = dict[str, str | int | bool]
_MALWARE_WORDS: Final = (
    "malware", "trojan", "ransom", "rat", "backdoor", "worm", "virus", "exploit", "apt", "stealer", "loader", "dropper",
)  # fmt: skip
DEFAULT_CATEGORY, DEFAULT_WEIGHT = "attachment", 4.0
MALWARE_WEIGHT: Final = 15.0
# Is any rule for the text and not for the raw message? One that stands in a comment costs a second look at plain text.
_VIEWS_OF_TEXT: Final = re.compile(r'\bviews\b[^"]{0,999}"(?![^"\n]*\braw\b)[^"\n]*\btext\b[^"\n]*"')
_LABEL: Final = {"raw": "raw", "part": "decoded", "text": "text"}


class YaraDetector:
    """Runs the compiled yara rules of all packs. Immutable."""

    name = "yara"

    def __init__(self, rules: RuleSet) -> None:
        self.packs = tuple(pack.label for pack in rules.packs if pack.yara)
        self._rules: YaraIndex | None = rules.yara
        self._has_text_alone = any(_VIEWS_OF_TEXT.search(source.text) for pack in rules.packs for source in pack.yara)
        self._defaults = {pack.label: (pack.default_category, pack.default_weight) for pack in rules.packs}

    def detect(self, message: Message) -> Iterable[Hit]:
        """One hit a rule and message; a scan over time is reported as not inspected."""
        if self._rules is None:
            return ()
        found: dict[tuple[str, str], Hit] = {}
        for data, part, externals, is_seen in _scanned(message, again=self._has_text_alone):
            if message.is_late():
                message.not_inspected.append(NotInspected(part, "timeout", "no time left for yara from this part on"))
                break
            self._scan(self._rules, message, data, part, externals, found, is_seen=is_seen)
        return found.values()

    def _scan(
        self, rules: YaraIndex, message: Message, data: bytes | memoryview, part: int,
        externals: Externals, found: dict[tuple[str, str], Hit], *, is_seen: bool,
    ) -> None:  # fmt: skip
        """Adds the hits in one view; where the raw message showed it all, only those of rules that are not for that."""
        try:
            findings = rules.scan(data, externals, YARA_TIMEOUT_S)
        except YaraTimeout:
            message.not_inspected.append(NotInspected(part, "timeout", "YARA used up its time"))
            return
        except YaraFailure as error:
            raise EngineError(f"YARA: {error}") from error
        if not findings:
            return
        view = str(externals["view"])
        for finding in findings:
            wanted = str(finding.meta.get("views", "raw part text")).split()
            if view in wanted and not (is_seen and "raw" in wanted):
                hit = self._hit(finding, part, _LABEL[view])
                if not is_relieved(hit, message.views.get(ALLOWED, ())):
                    found.setdefault((finding.namespace, finding.name), hit)

    def _hit(self, finding: Finding, part: int, view: str) -> Hit:
        label = finding.namespace.partition(SEPARATOR)[0]
        category, weight = judge_meta(finding.meta, finding.tags, self._defaults.get(label, ("", None)))
        evidence = tuple(Evidence(part, view, at, size) for at, size in finding.spans[:MAX_EVIDENCE])
        if not evidence:
            evidence = (Evidence(part, view, 0, 0),)
        detail = str(finding.meta.get("description", "")) or f"matches the yara rule {finding.name}"
        return Hit(finding.name, category, weight, self.name, label, detail[:200], evidence)


def _scanned(message: Message, *, again: bool) -> Iterator[tuple[bytes | memoryview, int, Externals, bool]]:
    """What is scanned: content, the part that it is of, the variables of conditions, was it in what came before.

    Args: again: text is scanned also where it stands in the raw message.
    """
    externals: Externals = {**EXTERNALS, "direction": message.envelope.direction}
    yield message.raw, 0, externals, False
    seen: set[bytes | memoryview] = set()
    for part in message.parts:
        if part.data and not _stands_in_raw(part) and part.data not in seen:
            seen.add(part.data)
            yield part.data, part.index, _externals(externals, part), False
    externals = externals | {"view": "text"}
    for index, text in views.text_bytes(message):
        stands = _stands_in_raw(message.parts[index], as_text=True)
        if text and (again or not stands):
            yield text, index, externals, stands


def judge_meta(meta: dict[str, Any], tags: tuple[str, ...], defaults: tuple[str, float | None]) -> tuple[str, float]:
    """Category and weight of a rule by its metadata, its pack's defaults, or the words it uses of itself."""
    category = str(meta.get("category", "")).lower() or defaults[0]
    if category not in CATEGORIES:
        category = "malware" if _speaks_of_malware(meta, tags) else DEFAULT_CATEGORY
    weight = _number(meta.get("weight"))
    if weight is None:
        weight = defaults[1]
    if weight is None:
        weight = MALWARE_WEIGHT if category == "malware" else DEFAULT_WEIGHT
    return category, weight


def _speaks_of_malware(meta: dict[str, Any], tags: tuple[str, ...]) -> bool:
    stated = (str(meta[k]) for k in ("category", "type", "malware", "malware_type", "threat_name", "tc_detection_type")
              if k in meta)  # fmt: skip
    words = {word for text in (*stated, *tags) for word in text.lower().replace(".", " ").replace("_", " ").split()}
    return any(key in meta for key in ("malware", "malware_type", "threat_name")) or not words.isdisjoint(
        _MALWARE_WORDS
    )


def _number(value: Any) -> float | None:
    """A weight, bounded; YARA metadata have no fractions, so text is read too."""
    try:
        return None if value is None or isinstance(value, bool) else max(-100.0, min(100.0, float(value)))
    except ValueError:
        return None


def _stands_in_raw(part: Part, *, as_text: bool = False) -> bool:
    """Was this content seen when the raw message was scanned? HTML as text is another form of it."""
    if not is_verbatim(part) or not is_text(part):
        return False
    html_as_text = as_text and (part.content_type == "text/html" or part.true_type == "text/html")
    typed = part.true_type not in ("", "text/html") or bool(part.names)
    return not html_as_text and (as_text or not typed)


def _externals(externals: Externals, part: Part) -> Externals:
    name = part.names[0] if part.names else ""
    return externals | {
        "view": "part", "content_type": part.content_type, "true_type": part.true_type, "part_depth": part.depth,
        "part_reading": part.reading, "filename": name.encode("ascii", "replace").decode(),
        "extension": PurePosixPath(name.lower()).suffix.encode("ascii", "replace").decode() if name else "",
    }  # fmt: skip
