"""How each engine grows, beside its references: ten times the expressions, ten times the rules, ten times the text.

Expressions are made of words of the texts, in the forms that rule authors write; YARA rules are those of two public
sets, as many of their files as it takes. Literals by number, the whole scan and the drawing are curves.py.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import curves, engines, wholes
from mxward.bindings import yara
from mxward.bindings.pcre2 import Patterns
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.regex import Regex, RegexSet
from mxward.core.rules.yara.store import open_index
from mxward.core.rules.yarasource import rule_spans

FORMS: Final = (rb"\b%s\b", rb"%s\s+(?:now|today)", rb"(?:buy|get)\s.{0,20}%s", rb"%s[-\s]?\d{2,4}", rb"^%s[^a-z]")
SIZES: Final = (1000, 10_000, 100_000, 1_000_000, 10_000_000)
HYPERSCAN_MOST: Final = 1000  # expressions; its compiler takes minutes beyond
N_LITERALS, N_EXPRESSIONS = 10_000, 100  # whose cost is told by size of the text
N_TEXTS, N_MAILS = 100, 60
Search = Callable[[bytes], Any]


def long_text(texts: Sequence[bytes], size: int) -> bytes:
    """`size` bytes of the texts one after the other, from the beginning again when there are no more."""
    whole = b"\n".join(texts)
    return (whole * (size // len(whole) + 1))[:size]


def by_size(searches: dict[str, Search], texts: Sequence[bytes]) -> curves.Series:
    """Milliseconds of one search by size of its text."""
    series = curves.Series()
    for size in SIZES:
        text = long_text(texts, size)
        for name, search in searches.items():
            seconds = curves.least(partial(search, text), 3 if size > 100_000 else 7)
            series.setdefault(name, []).append((size, seconds * 1e3))
    return series


def literal_sizes() -> curves.Series:
    """Literals by size of the text."""
    texts = curves.mail_texts()
    return by_size(curves.literal_searchers(curves.word_list(texts, N_LITERALS)), texts)


# -- regular expressions


def expressions(texts: Sequence[bytes], n: int) -> list[Regex]:
    """`n` expressions about words that look like those of the texts; hardly one matches."""
    words = [re.escape(word) for word in curves.word_list(texts, n)]
    return [Regex(FORMS[i % len(FORMS)] % word, "i") for i, word in enumerate(words)]


def regex_searchers(patterns: Sequence[Regex]) -> dict[str, Search]:
    """Every engine that takes so many expressions; a text is one segment."""
    ours, plain = RegexSet(patterns), Patterns([(p.pattern, p.flags, 1) for p in patterns])
    found: dict[str, Search] = {"mxward": ours.match_all, "PCRE2 JIT, each": plain.match}
    if len(patterns) <= HYPERSCAN_MOST:
        database = engines.hyperscan_search(patterns)
        found["Hyperscan, unconfirmed"] = lambda text: database(text, (0,))
    return found


def regex_curve(counts: Sequence[int] = (10, 100, 1000, 10_000)) -> curves.Series:
    """Microseconds a text by number of expressions."""
    texts, series = curves.mail_texts(), curves.Series()
    few = texts[:: max(1, len(texts) // N_TEXTS)]
    for n in counts:
        for name, search in regex_searchers(expressions(texts, n)).items():
            seconds = curves.least(partial(curves.each, search, few), 2 if n > 1000 else 5)
            series.setdefault(name, []).append((n, seconds / len(few) * 1e6))
    return series


def regex_sizes() -> curves.Series:
    """Expressions by size of the text."""
    texts = curves.mail_texts()
    return by_size(regex_searchers(expressions(texts, N_EXPRESSIONS)), texts)


# -- YARA


def some_rules(sources: dict[str, str], n: int) -> tuple[dict[str, str], int]:
    """Whole files of the sets, in an order of chance, until they hold `n` rules; and how many they do hold."""
    names, chosen, held = sorted(sources), dict[str, str](), 0
    random.Random(1).shuffle(names)
    for name in names:
        size = len(list(rule_spans(sources[name])))
        if held + size <= n or not held:
            chosen[name], held = sources[name], held + size
    return chosen, held


def yara_searchers(sources: dict[str, str], cache: Path) -> dict[str, Search]:
    """Ours and libyara."""
    index, libyara = open_index(sources, EXTERNALS, cache), yara.compile_rules(sources, EXTERNALS)
    return {
        "mxward": lambda data: index.scan(data, EXTERNALS, 60),
        "libyara (yara-python)": lambda data: libyara.scan(data, EXTERNALS, 60),
    }


def yara_curve(counts: Sequence[int] = (10, 100, 1000, 10_000)) -> curves.Series:
    """Microseconds a mail by number of rules."""
    sources, series, mails = engines.yara_sources(), curves.Series(), wholes.sample(N_MAILS)
    for count in counts:
        rules, n = some_rules(sources, count)
        with tempfile.TemporaryDirectory(prefix="mxward-curves-") as cache:
            for name, search in yara_searchers(rules, Path(cache)).items():
                seconds = curves.least(partial(curves.each, search, mails), 3)
                series.setdefault(name, []).append((n, seconds / len(mails) * 1e6))
    return series


def yara_sizes() -> curves.Series:
    """All rules by size of the text."""
    with tempfile.TemporaryDirectory(prefix="mxward-curves-") as cache:
        return by_size(yara_searchers(engines.yara_sources(), Path(cache)), curves.mail_texts())
