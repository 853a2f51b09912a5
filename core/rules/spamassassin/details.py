"""uri_detail tests: conditions on what is known of one address, all of which must hold for the same address.

Source: Mail::SpamAssassin::Plugin::URIDetail(3pm).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from mxward.core.errors import RulePackError
from mxward.core.rules.regex import RegexSet
from mxward.core.rules.spamassassin.compile import BAD_PATTERN, RuleBook
from mxward.core.rules.spamassassin.matcher import single

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet
    from mxward.core.rules.spamassassin.uris import Uri


class _Condition(NamedTuple):
    target: str
    negated: bool
    pattern: RegexSet


class DetailTests:
    """All uri_detail tests of a rule book. Immutable."""

    def __init__(self, book: RuleBook) -> None:
        """Tests with a pattern that does not compile go to `book.idle`."""
        self._tests: list[tuple[int, list[_Condition]]] = []
        for test in book.details:
            try:
                conditions = [_Condition(c.target, c.sign == "!~", single(c.pattern)) for c in test.conditions]
            except RulePackError as error:
                name = book.names[test.slot]
                book.idle[name], book.faults[name] = BAD_PATTERN, error.reason
                continue
            self._tests.append((test.slot, conditions))

    def match(self, texts: TextSet, values: dict[int, float], exhausted: list[int]) -> None:
        """Note the tests that hold for an address of the message."""
        if not self._tests:
            return
        addresses = list(texts.uri_detail.items())
        is_late = texts.message.is_late
        for slot, conditions in self._tests:
            gave_up: list[int] = []
            for raw, uri in addresses:
                if is_late():
                    gave_up.append(slot)
                    break
                if all(_holds(c, raw, uri, gave_up) for c in conditions):
                    values[slot] = 1
                    break
            if gave_up and slot not in values:
                exhausted.append(slot)


def _holds(condition: _Condition, raw: bytes, uri: Uri, gave_up: list[int]) -> bool:
    """Whether one of the forms matches, or for a negated condition one of them does not."""
    for form in _forms(condition.target, raw, uri):
        matched, exhausted = condition.pattern.match_all(form)
        gave_up += exhausted
        if not exhausted and bool(matched) != condition.negated:
            return True
    return False


def _forms(target: str, raw: bytes, uri: Uri) -> Iterable[bytes]:
    match target:
        case "raw":
            return (raw,)
        case "type":
            return uri.types
        case "cleaned":
            return uri.cleaned
        case "text":
            return uri.texts
        case "domain":
            return uri.domains
        case _:
            return uri.hosts
