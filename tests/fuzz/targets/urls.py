"""Addresses in text and their hosts: in order, within the text, never beyond the host's bound."""

from __future__ import annotations

from mxward.pyx import urls

SEEDS = [
    b"See https://a.example/x?y=1. and (www.b.example), hxxp://evil[.]example/x",
    b"http://user@0x7f.1/a#x@y.example",
    b"https://xn--bcher-kva.example:80\\x %61",
]
WORDS = [
    b"http://",
    b"https:",
    b"www.",
    b"[.]",
    b"hxxp://",
    b"@",
    b"%2e",
    b"0x",
    b".",
    b"#",
    b"\\",
    b"xn--",
    b"\xc2\xa0",
]


def run(data: bytes) -> None:
    at = 0
    for start, end, kind in urls.find(data):
        assert at <= start < end <= len(data)
        assert kind in urls.KINDS
        urls.split(data[start:end])
        at = end
    found = urls.split(data)
    if found is not None:
        assert len(found[0]) <= 256
        assert found[2] <= len(data)
