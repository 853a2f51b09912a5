"""The conditions of policy rules: each key, what it takes, and the test it becomes.

    verdict         list of verdict names
    score_at_least  number; score_below number
    hit             list of hit names, "*" and "?" as in file names
    category        list of hit categories of which one must be present
    direction       list of inbound, outbound, internal
    sender          list of address patterns against the envelope sender; "<>" is the null reverse-path
    recipient       list of address patterns against the one recipient that is decided about
    author          list of address patterns against the first From address
    size_over, size_under       bytes
    attachment_name, attachment_type   lists of patterns; names also of entries in containers, declared and true types
    not_inspected   true (anything) or a list of reason patterns such as "encrypted", "limit:*"
    client_network  list of networks, "192.0.2.0/24"
    header          list of "Name" (present) or "Name: pattern"
    ambiguous       true or false: do mail programs disagree about the message?

An address pattern is "user@domain", "domain" (that domain), ".domain" (its subdomains), or has "*" or "?".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from mxward.core.message import INBOUND, INTERNAL, OUTBOUND
from mxward.core.policy.facts import Facts
from mxward.core.policy.model import Test
from mxward.core.verdict import CATEGORIES, VERDICTS

DIRECTIONS: Final = (INBOUND, OUTBOUND, INTERNAL)
MAX_PATTERNS: Final = 100_000  # of one condition


class ConditionFault(Exception):
    """A value that a key does not take; the text says what is allowed."""


def _strings(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v for v in values):
        raise ConditionFault("must be a string or a list of strings")
    if len(values) > MAX_PATTERNS:
        raise ConditionFault(f"holds more than {MAX_PATTERNS} values")
    return values


def _one_of(allowed: Iterable[str]) -> Callable[[Any], frozenset[str]]:
    names = tuple(allowed)

    def read(value: Any) -> frozenset[str]:
        values = _strings(value)
        for one in values:
            if one not in names:
                raise ConditionFault(f"{one!r} (allowed: {', '.join(names)})")
        return frozenset(values)

    return read


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConditionFault("must be a number")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConditionFault("must be true or false")
    return value


def globs(values: Iterable[str]) -> re.Pattern[str]:
    """One pattern for many globs; "*" and "?" only. Linear in the value: it is a sender's, and `re` holds the GIL."""
    return re.compile("(?:" + "|".join(_glob(value) for value in values) + r")\Z", re.S)


def _glob(pattern: str) -> str:
    """Middle pieces are taken where they first stand and never given back, which is all a glob needs."""
    head, *rest = (re.escape(piece).replace(r"\?", ".") for piece in _collapse(pattern).split("*"))
    if not rest:
        return head
    return head + "".join(f"(?>.*?{piece})" for piece in rest[:-1]) + ".*" + rest[-1]


def _collapse(pattern: str) -> str:
    if pattern.count("*") > 4:
        raise ConditionFault(f"{pattern!r} has more than four *")
    return re.sub(r"\*+", "*", pattern)


class _Any:
    """Exact values in a set, patterns in one expression: does any value match?"""

    def __init__(self, values: Iterable[str], *, is_folded: bool = True) -> None:
        listed = [v.lower() for v in values] if is_folded else list(values)
        patterns = [v for v in listed if "*" in v or "?" in v]
        self._exact = frozenset(listed) - frozenset(patterns)
        self._match = globs(patterns).match if patterns else None

    def __call__(self, values: frozenset[str]) -> bool:
        if not self._exact.isdisjoint(values):
            return True
        return self._match is not None and any(self._match(value) for value in values)


class AddressPatterns:
    """Address patterns ready to match; see the module's text for their forms."""

    def __init__(self, values: Iterable[str]) -> None:
        listed = [value.lower() for value in values]
        patterns = [v for v in listed if "*" in v or "?" in v]
        plain = [v for v in listed if v not in set(patterns)]
        self._addresses = frozenset(v for v in plain if "@" in v or v == "<>")
        self._domains = frozenset(v for v in plain if "@" not in v and not v.startswith("."))
        self._parents = tuple(v for v in plain if v.startswith("."))
        self._match = globs(patterns).match if patterns else None

    def __call__(self, address: str) -> bool:
        if address in self._addresses:
            return True
        domain = address.rpartition("@")[2]
        if domain in self._domains or (self._parents and domain.endswith(self._parents)):
            return True
        return self._match is not None and self._match(address) is not None


def _verdict(value: Any) -> Test:
    names = _one_of(VERDICTS)(value)
    return lambda facts, rcpt: facts.verdict.name in names


def _score_at_least(value: Any) -> Test:
    least = _number(value)
    return lambda facts, rcpt: facts.verdict.score >= least


def _score_below(value: Any) -> Test:
    limit = _number(value)
    return lambda facts, rcpt: facts.verdict.score < limit


def _hit(value: Any) -> Test:
    matches = _Any(_strings(value), is_folded=False)
    return lambda facts, rcpt: matches(facts.hit_names)


def _category(value: Any) -> Test:
    names = _one_of(CATEGORIES)(value)
    return lambda facts, rcpt: not names.isdisjoint(facts.categories)


def _direction(value: Any) -> Test:
    names = _one_of(DIRECTIONS)(value)
    return lambda facts, rcpt: facts.message.envelope.direction in names


def _sender(value: Any) -> Test:
    matches = AddressPatterns(_strings(value))
    return lambda facts, rcpt: matches(facts.sender)


def _recipient(value: Any) -> Test:
    matches = AddressPatterns(_strings(value))
    return lambda facts, rcpt: matches(rcpt.lower())


def _author(value: Any) -> Test:
    matches = AddressPatterns(_strings(value))
    return lambda facts, rcpt: matches(facts.author)


def _size_over(value: Any) -> Test:
    limit = _number(value)
    return lambda facts, rcpt: facts.size > limit


def _size_under(value: Any) -> Test:
    limit = _number(value)
    return lambda facts, rcpt: facts.size < limit


def _attachment_name(value: Any) -> Test:
    matches = _Any(_strings(value))
    return lambda facts, rcpt: matches(facts.attachment_names)


def _attachment_type(value: Any) -> Test:
    matches = _Any(_strings(value))
    return lambda facts, rcpt: matches(facts.attachment_types)


def _not_inspected(value: Any) -> Test:
    if isinstance(value, bool):
        return lambda facts, rcpt: bool(facts.verdict.not_inspected) is value
    matches = _Any(_strings(value), is_folded=False)
    return lambda facts, rcpt: matches(frozenset(n.reason for n in facts.verdict.not_inspected))


def _client_network(value: Any) -> Test:
    try:
        networks = [ipaddress.ip_network(text) for text in _strings(value)]
    except ValueError as error:
        raise ConditionFault(f"{error} (allowed: networks such as 192.0.2.0/24 or 2001:db8::/32)") from None

    def test(facts: Facts, rcpt: str) -> bool:
        client = facts.client
        return client is not None and any(client in network for network in networks)

    return test


def _header(value: Any) -> Test:
    wanted: list[tuple[str, re.Pattern[str] | None]] = []
    for text in _strings(value):
        name, colon, pattern = text.partition(":")
        if not re.fullmatch(r"[!-9;-~]{1,76}", name):
            raise ConditionFault(f"{name!r} is no header field name")
        wanted.append((name, globs([pattern.strip().lower()]) if colon else None))

    def test(facts: Facts, rcpt: str) -> bool:
        for name, pattern in wanted:
            values = facts.header(name)
            if values and (pattern is None or any(pattern.match(v) for v in values)):
                return True
        return False

    return test


def _ambiguous(value: Any) -> Test:
    wanted = _flag(value)
    return lambda facts, rcpt: facts.is_ambiguous is wanted


KEYS: Final[dict[str, Callable[[Any], Test]]] = {
    "verdict": _verdict, "score_at_least": _score_at_least, "score_below": _score_below, "hit": _hit,
    "category": _category, "direction": _direction, "sender": _sender, "recipient": _recipient, "author": _author,
    "size_over": _size_over, "size_under": _size_under, "attachment_name": _attachment_name,
    "attachment_type": _attachment_type, "not_inspected": _not_inspected, "client_network": _client_network,
    "header": _header, "ambiguous": _ambiguous,
}  # fmt: skip
"""Every condition key and what makes a test of its value; raises ConditionFault."""
