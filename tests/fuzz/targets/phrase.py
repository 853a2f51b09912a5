"""Phrases of a list: every place that is reported holds the phrase, whole, and none is reported too often."""

from __future__ import annotations

from mxward.pyx.phrase import PhraseMatcher

SEEDS = [
    b"your account\nyour account has\nxxx\n\0your account has been xxx xxxx, your\xc2\xa0account",
    "é\nétude\nétude op\n\0étude opus, é é\U0001f600é".encode(),
    b"a\nab\nab c\n\0a ab abc ab c ab cd",
]
WORDS = [
    b"\n",
    b"\0",
    b" ",
    b"a",
    b"ab",
    b"xxx",
    b"\xc3\xa9",
    b"\xf0\x9f\x98\x80",
    b"-",
    b"account",
    b"1",
    b"\xed\xa0\x80",
]
LIMIT = 3


def run(data: bytes) -> None:
    listed, _, body = data.partition(b"\0")
    lines = listed.decode("utf-8", "surrogateescape").split("\n")
    phrases = list(dict.fromkeys(p for p in lines if p and p[0].isalnum()))
    text = body.decode("utf-8", "surrogateescape")
    raw = text.encode("utf-8", "replace")
    seen: dict[int, int] = {}
    for start, end, number in PhraseMatcher(phrases).find(text, LIMIT):
        assert raw[start:end] == phrases[number].encode("utf-8", "replace")
        seen[number] = seen.get(number, 0) + 1
    assert all(count <= LIMIT for count in seen.values())
