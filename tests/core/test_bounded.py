"""core/bounded: short texts are remembered, long ones never, so that what mail says does not fill the memory."""

from __future__ import annotations

import tracemalloc

from mxward.core.bounded import MAX_CACHED, cache_short
from mxward.core.rules.spamassassin.domains import domain_of, registered_domain
from mxward.core.rules.spamassassin.relative import target
from mxward.core.rules.spamassassin.site import DEFAULT


def test_only_short_texts_are_remembered() -> None:
    calls: list[str] = []

    @cache_short(16)
    def length(text: str, more: int = 0) -> int:
        calls.append(text)
        return len(text) + more

    for text in ("a", "a" * MAX_CACHED, "a" * (MAX_CACHED + 1)):
        assert length(text) == length(text) == len(text)
        assert length(text, more=2) == len(text) + 2
    assert [len(text) for text in calls] == [1, 1, 512, 512, 513, 513, 513]


def test_long_addresses_of_mail_are_not_kept() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2000):
        address = b"http://%d.example/" % number + b"x" * 8000
        domain_of(address, DEFAULT)
        registered_domain(b"%d." % number + b"y" * 8000 + b".example", DEFAULT)
        target(b"", address + b"/.")
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < 4 << 20
