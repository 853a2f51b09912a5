"""Every expression of SpamAssassin's rules over real mail: a set finds exactly what PCRE2 finds by itself."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from mxtest import corpus
from mxward.bindings import pcre2
from mxward.core.rules.regex import Regex, RegexSet

_RULE = re.compile(rb"^\s*(?:body|rawbody|uri|full)\s+\w+\s+/(.+)/([a-z]*)\s*$|=~\s*/(.+)/([a-z]*)\s*$", re.M)
N_MAILS = 60
MAX_TEXT = 6_000
LINES = 4  # of a mail that make a segment


def expressions() -> list[Regex]:
    """By simple means: what stands between slashes at the end of a line, when PCRE2 takes it."""
    found: dict[tuple[bytes, str], Regex] = {}
    for file in sorted(corpus.need("rules/spamassassin").rglob("*.cf")):
        for match in _RULE.finditer(file.read_bytes()):
            flags = "".join(letter for letter in "imsx" if letter.encode() in (match[2] or match[4] or b""))
            regex = Regex(match[1] or match[3], flags, True, 3)
            try:
                pcre2.Patterns([(regex.pattern, flags, 3)])
            except pcre2.PatternError:
                continue
            found.setdefault((regex.pattern, flags), regex)
    return list(found.values())


def segments(mail: bytes) -> list[int]:
    """Where segments begin: every few lines."""
    starts = [0, *(match.end() for match in re.finditer(rb"\n", mail))]
    return starts[::LINES]


@pytest.mark.parametrize("cut", [True, False])
def test_the_filter_changes_nothing(cut: bool) -> None:
    patterns = expressions()
    assert len(patterns) > 1000
    filtered = RegexSet(patterns)
    plain = pcre2.Patterns([(p.pattern, p.flags, 3) for p in patterns])
    n_mails, found = 0, Counter[int]()
    paths = corpus.paths()
    for path in paths[:: max(1, len(paths) // N_MAILS)]:
        text = path.read_bytes()[:MAX_TEXT]
        starts = segments(text) if cut else None
        matches, exhausted = filtered.match_all(text, starts)
        wanted, gave_up = plain.match(text, starts)
        assert matches == wanted, path.name
        assert set(exhausted) <= set(gave_up)
        n_mails += 1
        found.update(number for number, _, _, _ in matches)
    assert n_mails >= N_MAILS
    assert len(found) > 100
