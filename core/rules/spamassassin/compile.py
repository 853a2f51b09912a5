"""A Config to a RuleBook: which tests run, by what they look at, and why the others do not.

Nothing here looks at a message (engine.py), and regular expressions are not compiled yet (matcher.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mxward.core.rules.spamassassin.config import NETWORK, REGEX_KINDS, Condition, Config, SaTest
from mxward.core.rules.spamassassin.expression import ExpressionError, Node, Number, names
from mxward.core.rules.spamassassin.formulas import Emitter, arrange, parse_metas
from mxward.core.rules.spamassassin.pattern import Pattern, PatternError
from mxward.pyx.formula import Formulas

# Why a test does not run.
NO_SCORE: Final = "no score in this score set"
ASKS_NETWORK: Final = "asks the network"
LEARNT: Final = "needs what SpamAssassin has learnt"
UNKNOWN_FUNCTION: Final = "its function is not supported"
UNDEFINED: Final = "is named but not defined"
BAD_PATTERN: Final = "its pattern does not compile"
BAD_EXPRESSION: Final = "its expression cannot be used"
RING: Final = "uses itself through other metas"
DEAD: Final = "uses a meta that has no score, so that SpamAssassin never looks at it"
SWITCHED_OFF: Final = "was left out of the pack"
LARGE: Final = 2000  # characters from which on a pattern with tags may be too large for PCRE2, which unrolls repeats


class RegexTest(NamedTuple):
    """One pattern: the slot of its test, the text it is applied to, and how matches count.

    place: "body", "rest" (body without the subject), "rawbody", "uri", "full", "header NAME[:modifiers]" or
    "mime NAME[:raw]"; max_count 0: it matches or not, else matches are counted up to that many.
    """

    slot: int
    place: str
    pattern: Pattern
    negated: bool = False
    unset: str | None = None
    max_count: int = 0
    first_part: int = 1  # of a mime test: only parts from here …
    last_part: int = 1000  # … to here, the message itself being part 1
    joined: bool = False  # of a mime test: all parts' fields are one text
    compact: Pattern | None = None  # another way to write the pattern, should it be too large


class EvalTest(NamedTuple):
    """One test that is code: the slot, the function and its arguments, and the form of the message it is given."""

    slot: int
    function: str
    arguments: tuple[str, ...]
    form: str  # "header", "body", "rawbody" or "full"


class DetailTest(NamedTuple):
    """One test of what is known of each address."""

    slot: int
    conditions: tuple[Condition, ...]


@dataclass(slots=True)
class RuleBook:
    """Tests that run, each with a number (slot): first the plain ones, then the metas in their order."""

    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    regexes: list[RegexTest] = field(default_factory=list)
    exists: list[tuple[str, int]] = field(default_factory=list)  # header name, slot
    evals: list[EvalTest] = field(default_factory=list)
    details: list[DetailTest] = field(default_factory=list)
    metas: Formulas = field(default_factory=lambda: Formulas(b"", (), 0))
    descriptions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, list[str]] = field(default_factory=dict)
    nice: frozenset[str] = frozenset()
    idle: dict[str, str] = field(default_factory=dict)  # name of a test that does not run -> why
    faults: dict[str, str] = field(default_factory=dict)  # the same for what is wrong in it, in words
    partial: list[str] = field(default_factory=list)  # metas that run although a test they use does not


def compile_config(
    config: Config, functions: Collection[str], score_set: int = 0, left_out: Collection[str] = ()
) -> RuleBook:
    """Args: functions: names of the eval functions that can run; left_out: tests that must not run.

    Never raises on a rule set: what cannot run is in `idle` with the reason.
    """
    return _Compiler(config, functions, score_set, left_out).book()


class _Compiler:
    def __init__(self, config: Config, functions: Collection[str], score_set: int, left_out: Collection[str]) -> None:
        self._config, self._functions, self._score_set = config, functions, score_set
        self._left_out = frozenset(left_out)
        self._book = RuleBook(descriptions=config.descriptions, settings=config.settings)
        self._slots: dict[str, int] = {}

    def book(self) -> RuleBook:
        config, book = self._config, self._book
        metas: dict[str, str] = {}
        unscored: set[str] = set()
        for test in config.tests.values():
            reason = self._idle_reason(test)
            if reason:
                book.idle[test.name] = reason
                if test.kind == "meta" and reason == NO_SCORE:
                    unscored.add(test.name)
            elif test.kind == "meta":
                metas[test.name] = test.expression
            else:
                self._plain(test)
        self._metas(metas, unscored)
        book.nice = frozenset(name for name in book.names if "nice" in config.flags.get(name, ()))
        return book

    def _idle_reason(self, test: SaTest) -> str:
        flags = self._config.flags.get(test.name, frozenset())
        if test.name in self._left_out:
            return SWITCHED_OFF
        if test.kind == "empty":
            return UNDEFINED
        if test.kind == NETWORK or (test.kind == "eval" and "net" in flags):
            return ASKS_NETWORK
        if self._config.score(test.name, self._score_set) == 0:
            return NO_SCORE
        if test.kind == "eval" and "learn" in flags:
            return LEARNT
        if test.kind == "eval" and test.function not in self._functions:
            return UNKNOWN_FUNCTION
        return ""

    def _slot(self, test: SaTest) -> int:
        book = self._book
        slot = self._slots[test.name] = len(book.names)
        book.names.append(test.name)
        book.kinds.append(test.kind)
        book.scores.append(self._config.score(test.name, self._score_set))
        return slot

    def _plain(self, test: SaTest) -> None:
        if test.kind == "exists":
            self._book.exists.append((test.target, self._slot(test)))
        elif test.kind == "eval":
            self._book.evals.append(EvalTest(self._slot(test), test.function, test.arguments, test.target))
        elif test.kind == "uri_detail":
            self._book.details.append(DetailTest(self._slot(test), test.conditions))
        elif test.kind in REGEX_KINDS:
            self._regex(test)

    def _regex(self, test: SaTest) -> None:
        pattern, compact = test.pattern, None
        if test.name in self._config.replaced and test.kind != "mimeheader":
            tags = self._config.tags
            try:
                full = pattern._replace(source=tags.apply(pattern.source))
                if len(full.source) > LARGE:
                    compact = pattern._replace(source=tags.compact(pattern.source))
                pattern = full
            except PatternError as error:
                self._book.idle[test.name] = BAD_PATTERN
                self._book.faults[test.name] = str(error)
                return
        flags = self._config.flags.get(test.name, frozenset())
        first, last = _parts(flags)
        self._book.regexes.append(RegexTest(
            self._slot(test), _place(test, flags), pattern, test.negated, test.unset,
            0 if test.negated else self._config.max_hits(test.name), first, last, "concat" in flags, compact,
        ))  # fmt: skip

    def _metas(self, texts: Mapping[str, str], unscored: Collection[str]) -> None:
        config, book = self._config, self._book
        trees, faults = parse_metas(texts, config.tests.keys() | config.scores.keys())
        for name, fault in faults.items():
            book.idle[name], book.faults[name] = BAD_EXPRESSION, fault
            trees[name] = Number(0.0)
        order = arrange(trees, unscored)
        book.idle |= dict.fromkeys(order.rings, RING) | dict.fromkeys(order.dead, DEAD)
        unseen = {name for name, reason in book.idle.items() if reason not in (NO_SCORE, UNDEFINED)}
        book.partial = sorted(name for name in order.order if not unseen.isdisjoint(names(trees[name])))
        self._emit(trees, [name for name in order.order if name not in faults])

    def _emit(self, trees: Mapping[str, Node], order: list[str]) -> None:
        config, book = self._config, self._book
        emitter = Emitter(self._slots)
        for name in order:
            slot = len(book.names)
            try:
                emitter.add(trees[name], slot)
            except ExpressionError as error:
                book.idle[name], book.faults[name] = BAD_EXPRESSION, str(error)
                continue
            self._slot(config.tests[name])
        book.metas = emitter.program(len(book.names))


def _place(test: SaTest, flags: frozenset[str]) -> str:
    if test.kind == "header":
        return f"header {test.target}"
    if test.kind == "mimeheader":
        return f"mime {test.target}"
    return "rest" if test.kind == "body" and "nosubject" in flags else test.kind


def _parts(flags: frozenset[str]) -> tuple[int, int]:
    """The parts that `range=x-y` names, counted from 1; an end that is missing is open."""
    text = next((flag[6:] for flag in flags if flag.startswith("range=")), "")
    first, dash, last = text.partition("-")
    if not all(number.isdecimal() or not number for number in (first, last)) or not (first or last):
        return 1, 1000
    return int(first or 1), int(last) if last else (1000 if dash else int(first))
