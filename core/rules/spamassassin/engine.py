"""One message through a RuleBook: which tests fire, and how often.

The forms of the message are texts.py, tests that are code evals.py, regular expressions matcher.py. What the result
means for the message is core/detect/spamassassin.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mxward.core.rules.regex import Piece
from mxward.core.rules.spamassassin.compile import BAD_PATTERN, RegexTest, RuleBook
from mxward.core.rules.spamassassin.details import DetailTests
from mxward.core.rules.spamassassin.evalrun import EvalRun
from mxward.core.rules.spamassassin.fill import Filler
from mxward.core.rules.spamassassin.matcher import Found, Match, PlaceSet, kind
from mxward.core.rules.spamassassin.places import field_name, place_text, starts_of
from mxward.core.rules.spamassassin.site import Site

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet


@dataclass(slots=True)
class Outcome:
    """What fired in one message, sub-rules too.

    values: slot -> how often or how much; found: slot of a pattern test -> its match (Engine.where tells the place);
    exhausted: slots of tests that gave up at their limits, so that it is not known whether they fire;
    failed: slots of tests whose code failed; is_late: the time for the message was over before all tests had run.
    """

    values: dict[int, float] = field(default_factory=dict)
    found: dict[int, Match] = field(default_factory=dict)
    exhausted: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    is_late: bool = False


class _PartTests:
    """Tests of one field of every part, or of some of them."""

    def __init__(self, number: int, first: RegexTest, is_counting: bool, tests: PlaceSet) -> None:
        """Args: number: of the kind of text; first: one of the tests, which all look at the same."""
        self.number, self.name = number, first.place[5:]
        self.first, self.last, self.joined = first.first_part, first.last_part, first.joined
        self.unset = (first.unset or "").encode("latin-1")
        self.key = field_name(self.name)
        self.is_counting, self.tests = is_counting, tests
        self.absent = tests.absent(number, first.unset)

    def pieces(self, texts: TextSet, found: dict[int, Match], exhausted: list[int]) -> list[Piece]:
        """What the tests are applied to; what is known without it is added to `found`."""
        key, name = self.key, self.name
        nodes = texts.mimeheaders[self.first - 1 : self.last]
        there = [node for node in nodes if not key or key in node.fields.names]
        if not there and nodes and not self.joined:  # the usual case: no part has the field
            found.update(self.absent)
            return []
        fields = [self.unset if value is None else value for node in nodes for value in (texts.mimeheader(node, name),)]
        if self.joined:
            fields = [b"".join(value if value.endswith(b"\n") else value + b"\n" for value in fields)]
        if not self.is_counting:
            return [(self.number, b"".join(fields), starts_of(fields))]
        for value in fields:  # matches are counted in the first part that has some
            if texts.message.is_late():
                break
            here: dict[int, Match] = {}
            self.tests.match([(self.number, value, None)], here, exhausted)
            found.update([(slot, match) for slot, match in here.items() if slot not in found])
        return []


class Engine:
    """Runs the tests of one rule book. Immutable; may be used by several threads at once."""

    def __init__(self, book: RuleBook, cache: Path | None = None) -> None:
        """Args: cache: directory for what was worked out of the patterns; None: it is worked out now.

        Tests whose pattern does not compile go to `book.idle` and never fire.
        """
        self.book = book
        self.site = Site(book.settings)
        self._tests = PlaceSet(book.regexes, cache)
        self._headers: list[tuple[int, list[tuple[int, Match]]]] = []  # kind of text, and what fires without the field
        self._texts: list[tuple[int, str]] = []
        self._parts: list[_PartTests] = []
        members: dict[int, list[RegexTest]] = {}
        for test in self._tests.tests:
            members.setdefault(self._tests.kinds[kind(test)], []).append(test)
        for number, tests in members.items():
            self._add_kind(number, tests)
        self._names = tuple(members[number][0].place[7:] for number, _ in self._headers)
        self._exists = [(key, slot) for name, slot in book.exists if (key := field_name(name))]
        self._exists_made = [(name, slot) for name, slot in book.exists if not field_name(name)]
        self._details = DetailTests(book)
        self._filler = Filler(book)
        self._evals = EvalRun(book.evals)
        for slot, fault in self._tests.faults.items():
            name = self.book.names[slot]
            self.book.idle[name], self.book.faults[name] = BAD_PATTERN, fault

    def _add_kind(self, number: int, tests: list[RegexTest]) -> None:
        """Args: tests: those of one kind of text."""
        place = tests[0].place
        if place.startswith("header "):
            values = dict.fromkeys(test.unset for test in tests)
            self._headers.append((number, [entry for unset in values for entry in self._tests.absent(number, unset)]))
        elif place.startswith("mime "):
            self._parts.append(_PartTests(number, tests[0], any(test.max_count for test in tests), self._tests))
        else:
            self._texts.append((number, place))

    def where(self, outcome: Outcome, slot: int) -> Found | None:
        """Where the pattern of a test matched first; None for other tests."""
        match = outcome.found.get(slot)
        return None if match is None else self._tests.where(match)

    def run(self, texts: TextSet) -> Outcome:
        """Never raises on content."""
        outcome = self.run_plain(texts)
        self.conclude(outcome)
        return outcome

    def run_plain(self, texts: TextSet) -> Outcome:
        """The tests that are no metas."""
        outcome = Outcome()
        found, values, exhausted = outcome.found, outcome.values, outcome.exhausted
        pieces: list[Piece] = []
        for (number, absent), value in zip(self._headers, texts.header_values(self._names), strict=True):
            if value is None:
                found.update(absent)
            else:
                pieces.append((number, value, None))
        pieces += [(number, *place_text(texts, place)) for number, place in self._texts]
        for part in self._parts:
            pieces += part.pieces(texts, found, exhausted)
        if not texts.message.is_late():
            self._tests.match(pieces, found, exhausted)
        if self._filler.is_needed:
            self._filler.confirm(found, texts, exhausted)
        values.update([(slot, match[1]) for slot, match in found.items()])
        names, joined = texts.nodes[0].fields.names, texts.headers.joined
        values.update([(slot, 1) for key, slot in self._exists if key in names])
        values.update([(slot, 1) for name, slot in self._exists_made if joined(name) is not None])
        self._details.match(texts, values, exhausted)
        self._evals.run(texts, values, outcome.failed)
        outcome.is_late = texts.message.is_late()
        return outcome

    def conclude(self, outcome: Outcome) -> None:
        """Add the metas that follow from what fired."""
        outcome.values.update(self.book.metas.evaluate(outcome.values.items()))
