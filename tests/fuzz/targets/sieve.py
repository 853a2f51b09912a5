"""Expressions and texts through the sieve: what PCRE2 matches passes; blocks that are not ours are refused."""

from __future__ import annotations

from mxward.bindings import pcre2
from mxward.core.rules.regex.places import automaton
from mxward.core.rules.regex.tree import Unclear, parse
from mxward.pyx import sieve

SEEDS = [
    b"ab+c\n[a-f]{2,5}x\n\0zabbc aaax",
    b"(?:a|aa)+$\n(?:[a-z]{5,}[. ]+){4}\n\0words words. other words",
    b"(?(DEFINE)(?<t>ab|c))x(?&t)\n\0xab xc",
    b"\xc3[\xa0-\xaf]|e\n\0caf\xc3\xa9",
]
WORDS = [b"\n", b"\0", b"(?:", b")", b"|", b"{2,}", b"[^", b"]", b"\\w", b"\\b", b"(?i)", b"(?=", b"\\Q", b"\\E", b"x"]
SAMPLE = b"words and words, 12\nother\n" * 6
MAX_LINE = 200


def run(data: bytes) -> None:
    listed, _, text = data.partition(b"\0")
    try:
        sieve.Sieve(data)
    except ValueError:
        pass
    kept = []
    for pattern in listed.split(b"\n")[:8]:
        try:
            compiled = pcre2.Patterns([(pattern[:MAX_LINE], "", 1)])
            places = automaton(parse(pattern[:MAX_LINE]))
        except (pcre2.PatternError, Unclear):
            continue
        if places is not None:
            kept.append((compiled, places))
    passed = set(sieve.Sieve(sieve.compile([places for _, places in kept], SAMPLE)).seen(text))
    for number, (compiled, _) in enumerate(kept):
        matched, _ = compiled.match(text)
        assert not matched or number in passed
