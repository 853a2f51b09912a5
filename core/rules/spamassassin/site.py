"""What the settings of a rule set mean to the texts and eval tests: known top-level domains, redirectors, lists.

Made once a rule set and shared by all messages. Which settings there are is keys.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

from mxward.bindings.pcre2 import Patterns
from mxward.core.rules.regex import Regex, RegexSet
from mxward.core.rules.spamassassin.addresslist import AddressList, compile_glob
from mxward.core.rules.spamassassin.pattern import PatternError, parse_pattern
from mxward.core.rules.spamassassin.redirector import group_alone
from mxward.pyx.saline import TopLevel

Settings = Mapping[str, Sequence[str]]
_NAMED: Final = re.compile(r"\((.+?)\)\s+(.+)", re.S)
_HOST_LISTS: Final = (
    (("blocklist_uri_host", "blacklist_uri_host"), "BLOCK"),
    (("welcomelist_uri_host", "whitelist_uri_host"), "WELCOME"),
)  # fmt: skip
MAX_REDIRECTED: Final = 2048  # bytes of an address that redirector patterns see


class Site:
    """The settings, each read on first use. Immutable after that; unknown or faulty values are left out."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings: Settings = settings or {}
        self.memo: dict[str, object] = {}  # what eval tests work out of the settings, by their name
        self._lists: dict[tuple[str, ...], AddressList] = {}

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
    def redirectors(self) -> RegexSet | None:
        """Patterns of redirector_pattern, each of which matches the address redirected to; None when there are none."""
        found = []
        for written in self._settings.get("redirector_pattern", ()):
            try:
                pattern = parse_pattern(written.strip())
                flags = "".join(flag for flag in pattern.flags if flag in "imsx")
                regex = Regex(group_alone(pattern.source).encode("latin-1", "replace"), flags)
                Patterns([(regex.pattern, regex.flags, 1)])
            except (PatternError, ValueError):
                continue
            found.append(regex)
        return RegexSet(found) if found else None

    @cached_property
    def bounce_relays(self) -> AddressList:
        """Relays of welcomelist_bounce_relays."""
        return self.listed("welcomelist_bounce_relays", "whitelist_bounce_relays")

    @cached_property
    def _named_entries(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for value in self._settings.get("enlist_addrlist", ()):
            if match := _NAMED.fullmatch(value.strip()):
                found.setdefault(match[1], []).extend(match[2].split())
        return found

    @cached_property
    def named_lists(self) -> dict[str, AddressList]:
        """The lists of enlist_addrlist by name."""
        return {name: AddressList(entries) for name, entries in self._named_entries.items()}

    @cached_property
    def in_a_named_list(self) -> AddressList:
        """What is in any list of `named_lists`."""
        return AddressList(entry for entries in self._named_entries.values() for entry in entries)

    @cached_property
    def host_lists(self) -> dict[str, dict[bytes, bool]]:
        """The lists of enlist_uri_host by name: host -> whether it is listed or excepted. delist_uri_host is heeded
        for all lines, whatever their order."""
        found: dict[str, dict[bytes, bool]] = {}
        for value in self._settings.get("enlist_uri_host", ()):
            if match := _NAMED.fullmatch(value.strip()):
                _enlist(found, match[1], match[2])
        for keys, name in _HOST_LISTS:
            for key in keys:
                for value in self._settings.get(key, ()):
                    _enlist(found, name, value)
        for value in self._settings.get("delist_uri_host", ()):
            match = _NAMED.fullmatch(value.strip())
            names = [match[1]] if match else list(found)
            for host in (match[2] if match else value).lower().split():
                for name in names:
                    found.get(name, {}).pop(host.removeprefix("!").encode(), None)
        return found

    @cached_property
    def listed_hosts(self) -> dict[bytes, list[tuple[str, bool]]]:
        """Host -> (list that names it, whether it is listed or excepted)."""
        found: dict[bytes, list[tuple[str, bool]]] = {}
        for name, known in self.host_lists.items():
            for host, is_listed in known.items():
                found.setdefault(host, []).append((name, is_listed))
        return found

    def listed(self, *keys: str) -> AddressList:
        """The addresses of some settings, without those that un-settings take off."""
        kept = self._lists.get(keys)
        if kept is None:
            gone = {word.lower() for word in self.words(*(f"un{key}" for key in keys))}
            kept = self._lists[keys] = AddressList(word for word in self.words(*keys) if word.lower() not in gone)
        return kept

    @cached_property
    def relayed(self) -> dict[str, list[tuple[re.Pattern[bytes], bytes]]]:
        """Setting -> (pattern of the author's address, name or [address] of the relay) of welcomelist_from_rcvd and
        def_welcomelist_from_rcvd."""
        found: dict[str, list[tuple[re.Pattern[bytes], bytes]]] = {}
        for name in ("welcomelist_from_rcvd", "def_welcomelist_from_rcvd"):
            gone = {word.lower() for word in self.words(f"un{name}", f"un{name.replace('welcome', 'white')}")}
            for key in (name, name.replace("welcome", "white")):
                for value in self._settings.get(key, ()):
                    words = value.lower().split()
                    if len(words) == 2 and words[0] not in gone:
                        entry = (compile_glob(words[0].encode("utf-8", "replace")), words[1].encode("utf-8", "replace"))
                        found.setdefault(name, []).append(entry)
        return found

    def may_redirect(self, address: bytes) -> bool:
        """Whether a redirector's pattern matches an address."""
        return self.redirected(address) is not None

    def may_redirect_any(self, addresses: Sequence[bytes]) -> bool:
        """Whether `may_redirect` may be so of one of them; quicker than asking of each."""
        if self.redirectors is None or not addresses:
            return False
        texts = [address[:MAX_REDIRECTED] for address in addresses]
        starts = list(accumulate((len(text) for text in texts[:-1]), initial=0))
        return any(self.redirectors.match_all(b"".join(texts), starts))

    def redirected(self, address: bytes) -> bytes | None:
        """The address that a known redirector sends its visitors to, None for any other address."""
        if self.redirectors is None:
            return None
        for _, _, start, end in self.redirectors.match(address[:MAX_REDIRECTED]):
            if b"." in address[start:end]:
                return address[start:end]
        return None


def _enlist(found: dict[str, dict[bytes, bool]], name: str, hosts: str) -> None:
    for host in hosts.lower().split():
        found.setdefault(name, {})[host.removeprefix("!").encode("utf-8", "replace")] = not host.startswith("!")


def _domains(words: Iterable[str]) -> Iterable[bytes]:
    for word in words:
        try:
            yield word.lower().encode("ascii")
        except UnicodeEncodeError:
            continue


DEFAULT: Final = Site()
