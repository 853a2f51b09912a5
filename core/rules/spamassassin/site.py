"""What the settings of a rule set mean to the texts and eval tests: known top-level domains, redirectors, lists.

Made once a rule set and shared by all messages. Which settings there are is keys.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from mxward.core.rules.spamassassin.pattern import PatternError, parse_pattern
from mxward.pyx.sarender import TopLevel

Settings = Mapping[str, Sequence[str]]
MAX_REDIRECTED: Final = 2048  # bytes of an address that redirector patterns see
_FLAGS: Final = {"i": re.I, "m": re.M, "s": re.S, "x": re.X}


class Site:
    """The settings, each read on first use. Immutable after that; unknown or faulty values are left out."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings: Settings = settings or {}

    def words(self, *keys: str) -> Iterable[str]:
        """Every word of the values of these settings, in order."""
        for key in keys:
            for value in self._settings.get(key, ()):
                yield from value.split()

    def last(self, key: str, default: str = "") -> str:
        """The last value of a setting."""
        values = self._settings.get(key, ())
        return values[-1].strip() if values else default

    @cached_property
    def top_level(self) -> frozenset[bytes]:
        """Names of util_rb_tld, in lower case, internationalised ones in their ASCII form."""
        return frozenset(_domains(self.words("util_rb_tld")))

    @cached_property
    def top_levels(self) -> TopLevel:
        """`top_level` for pyx/sarender."""
        return TopLevel(self.top_level)

    @cached_property
    def second_level(self) -> frozenset[bytes]:
        """Names of util_rb_2tld: their children are domains of their own."""
        return frozenset(_domains(self.words("util_rb_2tld")))

    @cached_property
    def third_level(self) -> frozenset[bytes]:
        """Names of util_rb_3tld."""
        return frozenset(_domains(self.words("util_rb_3tld")))

    @cached_property
    def redirectors(self) -> tuple[re.Pattern[bytes], ...]:
        """Patterns of redirector_pattern whose first group is the address redirected to."""
        found = []
        for written in self._settings.get("redirector_pattern", ()):
            try:
                pattern = parse_pattern(written.strip())
                flags = sum((int(_FLAGS.get(flag, 0)) for flag in pattern.flags), 0)
                found.append(re.compile(pattern.source.encode("latin-1", "replace"), flags))
            except (PatternError, re.error):
                continue
        return tuple(found)

    def may_redirect(self, address: bytes) -> bool:
        """Whether a redirector's pattern matches an address."""
        return self.redirected(address) is not None

    def redirected(self, address: bytes) -> bytes | None:
        """The address that a known redirector sends its visitors to, None for any other address."""
        for pattern in self.redirectors:
            found = pattern.search(address[:MAX_REDIRECTED])
            if found and found[1] and b"." in found[1]:
                return bytes(found[1])
        return None


def _domains(words: Iterable[str]) -> Iterable[bytes]:
    for word in words:
        try:
            yield word.lower().encode("ascii")
        except UnicodeEncodeError:
            continue


DEFAULT: Final = Site()
