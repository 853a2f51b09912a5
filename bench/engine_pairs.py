"""Comparisons of the scanning engines for gate 3, on inputs made here: no corpus is needed.

The figures on real mail and real rules are engines.py's; these hold what a change must not lose.
"""

from __future__ import annotations

import random
import re
from itertools import pairwise

import ahocorasick

from bench import curves, inputs
from bench.ratios import Pair
from mxward.bindings import yara
from mxward.core.rules.regex import Regex, RegexSet
from mxward.core.rules.yara.store import open_index
from mxward.pyx import literals

_STRINGS = ["wallet", "stealer", "payload", "beacon", "mutex", "injected", "loader", "dropper", "keylog", "botnet"]


def _texts() -> list[bytes]:
    return [mail.lower() for mail in (inputs.plain(), inputs.newsletter(), inputs.many_fields(), inputs.many_parts())]


def literal_pair() -> Pair:
    """10,000 host names, a few of which stand in the texts."""
    texts = [text + b"visit ba7.com and koti12.ru now" for text in _texts()]
    names = [*curves.host_names(texts, 10_000 - 2), b"koti12.ru", b"boundary"]
    ours = literals.Literals(literals.compile(names, literals.CASELESS))
    automaton = ahocorasick.Automaton()
    for number, name in enumerate(names):
        automaton.add_word(name.decode("ascii"), number)
    automaton.make_automaton()
    decoded = [text.decode("utf-8") for text in texts]
    return Pair(
        "literals_vs_pyahocorasick", lambda: sum(len(ours.counts(text)) for text in texts),
        lambda: sum(len({number for _, number in automaton.iter(text)}) for text in decoded),
        lambda a, b: a == b > 0, sum(map(len, texts)),
    )  # fmt: skip


def regex_pair() -> Pair:
    """300 expressions of the kinds that rule authors write, over paragraphs."""
    dice = random.Random(7)
    words = [bytes(dice.choices(b"etaoinshrdlucmfwypvbgkqjxz", k=dice.randint(5, 9))) for _ in range(300)]
    forms = (rb"\b%s\b", rb"%s\s+(?:now|today)", rb"(?:buy|get)\s.{0,20}%s", rb"[%s]{3}\d{4}-%s", rb"^%s[^a-z]")
    sources = [forms[n % 5] % ((word, word) if n % 5 == 3 else (word,)) for n, word in enumerate(words)]
    text = b"".join(_texts()) + b"\r\n\r\n" + words[0] + b" " + words[1] + b" now"
    starts = [0, *(m.end() for m in re.finditer(rb"\r\n\r\n", text))]
    ours = RegexSet([Regex(source, "i") for source in sources])
    compiled = [re.compile(source, re.I) for source in sources]
    pieces = [text[begin:end] for begin, end in pairwise((*starts, len(text)))]

    def python() -> int:
        return sum(any(expression.search(piece) for piece in pieces) for expression in compiled)

    return Pair("regex_vs_re", lambda: len(ours.match(text, starts)), python, lambda a, b: a == b > 0, len(text))


def yara_pair() -> Pair:
    """5,000 rules over ordinary messages: the rules are about other things, but for one."""
    conditions = ("any of them", "all of them", "2 of them", "uint16(0) == 0x5A4D and filesize < 900KB and any of them")
    rules = "\n".join(
        f'rule r{n} {{ strings: $a = "{_STRINGS[n % 10]}-{n:04x}" $b = "{_STRINGS[n * 7 % 10]}/{n}" nocase wide ascii '
        f"$c = {{ 4D 5A {n % 256:02X} ?? {n * 13 % 256:02X} }} $d = /{_STRINGS[n % 10]}[0-9]{{2,4}}x{n}/ "
        f"condition: {conditions[n % 4]} }}"
        for n in range(5000)
    ) + '\nrule found { strings: $a = "Fields" condition: $a }'  # fmt: skip
    externals: dict[str, str | int | bool] = {"view": "raw"}
    ours, theirs = open_index({"x": rules}, externals, None), yara.compile_rules({"x": rules}, externals)
    mails = [inputs.plain(), inputs.newsletter(), inputs.many_fields(), inputs.many_parts()]
    return Pair(
        "yara_vs_libyara", lambda: [ours.scan(mail, externals, 60) for mail in mails],
        lambda: [theirs.scan(mail, externals, 60) for mail in mails],
        lambda a, b: a == b and sum(map(len, a)) == 1, sum(map(len, mails)),
    )  # fmt: skip


def pairs() -> list[Pair]:
    """All of them."""
    return [literal_pair(), regex_pair(), yara_pair()]
