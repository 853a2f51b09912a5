"""One message through a RuleBook: which tests fire, and how often.

The forms of the message are texts.py, tests that are code evals.py, regular expressions matcher.py. What the result
means for the message is core/detect/spamassassin.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mxward.core.rules.spamassassin.compile import BAD_PATTERN, RegexTest, RuleBook
from mxward.core.rules.spamassassin.details import DetailTests
from mxward.core.rules.spamassassin.evalrun import EvalRun
from mxward.core.rules.spamassassin.fill import Filler
from mxward.core.rules.spamassassin.matcher import Found, PlaceSet
from mxward.core.rules.spamassassin.places import field_name, place_text, starts_of
from mxward.core.rules.spamassassin.site import Site

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet


@dataclass(slots=True)
class Outcome:
    """What fired in one message, sub-rules too.

    values: slot -> how often or how much; places: slot of a pattern test -> where it matched first;
    exhausted: slots of tests that gave up at their limits, so that it is not known whether they fire;
    failed: slots of tests whose code failed.
    """

    values: dict[int, float] = field(default_factory=dict)
    places: dict[int, Found] = field(default_factory=dict)
    exhausted: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)


class _HeaderTests:
    """The tests of one header. `absent`: what fires when there is no such field."""

    def __init__(self, name: str, unset: str | None, tests: Sequence[RegexTest], cache: Path | None) -> None:
        self.name, self.key = name, field_name(name)
        self.tests = PlaceSet(f"header {name}", tests, cache)
        self.absent: list[Found] = []
        self.tests.match((unset or "").encode("latin-1"), None, self.absent, [])


class _PartTests:
    """Tests of one field of every part, or of some of them."""

    def __init__(self, first: RegexTest, tests: Sequence[RegexTest], cache: Path | None) -> None:
        self.name = first.place[5:]
        self.first, self.last, self.joined = first.first_part, first.last_part, first.joined
        self.unset = (first.unset or "").encode("latin-1")
        self.key = field_name(self.name)
        self.is_counting = any(test.max_count for test in tests)
        self.tests = PlaceSet(first.place, tests, cache)
        self.absent: list[Found] = []
        self.tests.match(self.unset, None, self.absent, [])

    def match(self, texts: TextSet, found: list[Found], exhausted: list[int]) -> None:
        key, name = self.key, self.name
        nodes = texts.mimeheaders[self.first - 1 : self.last]
        there = [node for node in nodes if not key or key in node.fields.names]
        if not there and nodes and not self.joined:  # the usual case: no part has the field
            found += self.absent
            return
        fields = [self.unset if value is None else value for node in nodes for value in (texts.mimeheader(node, name),)]
        if self.joined:
            fields = [b"".join(value if value.endswith(b"\n") else value + b"\n" for value in fields)]
        if not self.is_counting:
            self.tests.match(b"".join(fields), starts_of(fields), found, exhausted)
            return
        settled: set[int] = set()  # matches are counted in the first part that has some
        for value in fields:
            here: list[Found] = []
            self.tests.match(value, None, here, exhausted)
            found += [entry for entry in here if entry.slot not in settled]
            settled.update(entry.slot for entry in here)


class Engine:
    """Runs the tests of one rule book. Immutable; may be used by several threads at once."""

    def __init__(self, book: RuleBook, cache: Path | None = None) -> None:
        """Args: cache: directory for what was worked out of the patterns; None: it is worked out now.

        Tests whose pattern does not compile go to `book.idle` and never fire.
        """
        self.book = book
        self.site = Site(book.settings)
        texts: dict[str, list[RegexTest]] = {}
        headers: dict[tuple[str, str | None], list[RegexTest]] = {}
        parts: dict[tuple[Any, ...], list[RegexTest]] = {}
        for test in book.regexes:
            if test.place.startswith("header "):
                headers.setdefault((test.place[7:], test.unset), []).append(test)
            elif test.place.startswith("mime "):
                kind = (test.place, test.unset, test.first_part, test.last_part, test.joined)
                parts.setdefault(kind, []).append(test)
            else:
                texts.setdefault(test.place, []).append(test)
        self._headers = [_HeaderTests(name, unset, tests, cache) for (name, unset), tests in headers.items()]
        self._texts = [PlaceSet(place, tests, cache) for place, tests in texts.items()]
        self._parts = [_PartTests(tests[0], tests, cache) for tests in parts.values()]
        self._exists = [(key, slot) for name, slot in book.exists if (key := field_name(name))]
        self._exists_made = [(name, slot) for name, slot in book.exists if not field_name(name)]
        self._details = DetailTests(book)
        self._filler = Filler(book)
        self._evals = EvalRun(book.evals)
        self._note_faults()

    def _note_faults(self) -> None:
        sets = (*self._texts, *(h.tests for h in self._headers), *(p.tests for p in self._parts))
        for slot, fault in [item for tests in sets for item in tests.faults.items()]:
            name = self.book.names[slot]
            self.book.idle[name], self.book.faults[name] = BAD_PATTERN, fault

    def run(self, texts: TextSet) -> Outcome:
        """Never raises on content."""
        outcome = self.run_plain(texts)
        self.conclude(outcome)
        return outcome

    def run_plain(self, texts: TextSet) -> Outcome:
        """The tests that are no metas."""
        outcome = Outcome()
        found: list[Found] = []
        exhausted = outcome.exhausted
        names, joined = texts.nodes[0].fields.names, texts.headers.joined
        for header in self._headers:
            value = joined(header.name) if not header.key or header.key in names else None
            if value is None:
                found += header.absent
            else:
                header.tests.match(value, None, found, exhausted)
        for tests in self._texts:
            tests.match(*place_text(texts, tests.place), found, exhausted)
        for part in self._parts:
            part.match(texts, found, exhausted)
        if self._filler.is_needed:
            found = self._filler.confirm(found, texts, exhausted)
        values = outcome.values
        values.update([(entry[0], entry[1]) for entry in found])
        outcome.places = {entry[0]: entry for entry in found}
        values.update([(slot, 1) for key, slot in self._exists if key in names])
        values.update([(slot, 1) for name, slot in self._exists_made if joined(name) is not None])
        self._details.match(texts, values, exhausted)
        self._evals.run(texts, values, outcome.failed)
        return outcome

    def conclude(self, outcome: Outcome) -> None:
        """Add the metas that follow from what fired."""
        outcome.values.update(self.book.metas.evaluate(outcome.values.items()))
