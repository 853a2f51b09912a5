"""Eval tests of HTML parts (plug-ins HTMLEval and HTTPSMismatch)."""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from mxward.bindings.pcre2 import Patterns
from mxward.core.rules.regex.regexset import BUDGET_US, Piece
from mxward.core.rules.spamassassin.domains import domain_of, is_known, registered_domain
from mxward.core.rules.spamassassin.evaltools import (
    NEVER,
    NOT_ZERO,
    Bound,
    above_to,
    condition,
    evals,
    expression,
    from_to,
    has_html,
    matches,
    measured,
    number,
)
from mxward.core.rules.spamassassin.ip import is_address
from mxward.core.rules.spamassassin.places import starts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mxward.core.rules.spamassassin.markup import Markup
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

_WEB_HOST: Final = re.compile(rb"https?://([^/:?#]+)", re.I)
_SAFE_HOST: Final = re.compile(rb"https://([^\s/:?#]+)", re.I)
_NUMERIC: Final = re.compile(rb"https?:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+", re.I)
_NUMERIC_SAFE: Final = re.compile(rb"https:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+", re.I)


def _numbers(texts: TextSet, names: Collection[str]) -> Iterable[tuple[str, float]]:
    """Numbers and flags of the analysis of each HTML part that has them."""
    return [(name, value) for markup in texts.html for name, value in markup.numbers_of(names)]


def _left_open(texts: TextSet, tags: Collection[bytes]) -> Iterable[tuple[bytes, float]]:
    """How many elements were left open, of each HTML part that has some of that name."""
    return [(tag, markup.inside[tag]) for markup in texts.html for tag in tags if tag in markup.inside]


def _length_with_image(texts: TextSet, _keys: Collection[str]) -> Iterable[tuple[str, float]]:
    return [("", markup.length) for markup in texts.html if b"img" in markup.inside]


def _letters_a_pixel(texts: TextSet, _keys: Collection[str]) -> Iterable[tuple[str, float]]:
    areas = [(markup, markup.numbers.image_area) for markup in texts.html]
    return [("", markup.non_space_len / area) for markup, area in areas if area > 0]


def html_tag_balance(tag: str, wanted: str) -> Bound:
    """Whether the number of elements left open meets a condition."""
    return Bound(_left_open, tag.encode(), condition(wanted), has_html)


def html_tag_exists(tag: str) -> Bound:
    """Whether there is an element of that name."""
    return Bound(_left_open, tag.encode(), from_to(-inf, inf), has_html)


def html_image_only(low: str, high: str) -> Bound:
    """Whether there is an image, and a document of more than `low` and at most `high` characters around it."""
    return Bound(_length_with_image, "", above_to(number(low), number(high)), has_html)


def html_image_ratio(low: str, high: str) -> Bound:
    """Whether there are so many letters a pixel of images."""
    return Bound(_letters_a_pixel, "", above_to(number(low), number(high)), has_html)


def html_test(name: str) -> Bound:
    """Whether a flag of the analysis is set."""
    return Bound(_numbers, name, NOT_ZERO, has_html)


def html_eval(name: str, wanted: str) -> Bound:
    """Whether a number of the analysis meets a condition."""
    return Bound(_numbers, name, condition(wanted), has_html)


def html_range(name: str, low: str, high: str | None = None) -> Bound:
    """Whether a number of the analysis is more than `low` and at most `high`."""
    return Bound(_numbers, name, above_to(number(low), number(high, inf)), has_html)


_Wanted = tuple[str, str]  # name of the strings, pattern


def html_text_match(name: str, source: str) -> Bound:
    """Whether a pattern matches a comment, script, title or the words of a link."""
    return Bound(_matches, (name, source), NOT_ZERO, has_html)


class _Known(NamedTuple):
    """All patterns that tests look for in strings of HTML, as one set: each is applied to the strings of its name."""

    patterns: Patterns
    keys: list[_Wanted]  # by number of the pattern
    names: list[str]  # by kind of text


@lru_cache(maxsize=32)
def _known(keys: tuple[_Wanted, ...]) -> _Known:
    names = list(dict.fromkeys(name for name, _ in keys))
    sound = [(key, made) for key in keys if (made := expression(key[1])) is not None]
    patterns = Patterns([made for _, made in sound], None, [names.index(key[0]) for key, _ in sound])
    return _Known(patterns, [key for key, _ in sound], names)


def _matches(texts: TextSet, keys: Iterable[_Wanted]) -> Iterable[tuple[_Wanted, float]]:
    patterns, known, names = _known(tuple(keys))
    found: list[tuple[_Wanted, float]] = []
    for markup in texts.html:
        pieces: list[Piece] = []
        for kind, name in enumerate(names):
            strings = markup.strings(name)
            filled = [string for string in strings if string]
            if filled:
                pieces.append((kind, b"".join(filled), starts_of(filled)))
            if len(filled) < len(strings):
                found += [(key, 1) for key in known if key[0] == name and matches(key[1], b"")]
        if pieces:
            found += [(known[number], 1) for number, _, _, _ in patterns.match_pieces(pieces, BUDGET_US)[0]]
    return found


def html_text_not_match(texts: TextSet, name: str, source: str) -> bool:
    """Whether there is a string that a pattern does not match."""
    if expression(source) is None:
        return False
    return any(not matches(source, string) for markup in texts.html for string in markup.strings(name))


def html_title_subject_ratio(texts: TextSet, ratio: str) -> bool:
    """Whether a title is that much longer than the Subject."""
    subject = texts.headers.first("Subject")
    longest = max(
        (len(title.decode("utf-8", "replace")) for markup in texts.html for title in markup.titles), default=0
    )
    return bool(subject) and longest / len(subject) > number(ratio)


def check_iframe_src(texts: TextSet) -> bool:
    """Whether a frame shows an address."""
    return any(b"iframe" in link.types for markup in texts.html for link in markup.uris.values())


def check_https_http_mismatch(texts: TextSet, low: str = "1", high: str | None = None) -> bool:
    """Whether the words of a link name a secure address of another domain than it leads to."""
    least, most = number(low) or 1, number(high, inf)
    for markup in texts.html:
        if not any(b"://" in words for words in markup.anchors):
            continue
        anchors, is_found = _mismatches(markup, texts.site)
        if is_found and least <= anchors < most:
            return True
    return False


def _mismatches(markup: Markup, site: Site) -> tuple[int, bool]:
    anchors, is_found = 0, False
    for address, link in markup.uris.items():
        host = _WEB_HOST.match(address) if link.texts else None
        if host is None or is_address(host[1]):
            continue
        domain = registered_domain(host[1], site)
        known = domain_of(domain, site)
        if known is None or not is_known(known[0], site):
            continue
        anchors += 1
        is_found = is_found or any(_names_another(words, domain, site) for words in link.texts)
    return anchors, is_found


def _names_another(words: bytes, domain: bytes, site: Site) -> bool:
    named = _SAFE_HOST.search(words)
    if named is None:
        return False
    if is_address(named[1]):
        return named[1] != domain
    other = registered_domain(named[1], site)
    return is_known(other, site) and other != domain


def check_https_ip_mismatch(texts: TextSet) -> bool:
    """Whether the words of a link to a bare IP address name a secure address."""
    return any(
        _NUMERIC.match(address) and b"https:" in words.lower() and not _NUMERIC_SAFE.match(words)
        for markup in texts.html
        if any(b":" in words for words in markup.anchors)
        for address, link in markup.uris.items()
        for words in link.texts
    )


TABLE: Final = (
    measured(
        html_tag_balance, html_tag_exists, html_image_only, html_image_ratio, html_test, html_eval, html_range,
        html_text_match,
    )
    | evals(
        html_text_not_match, html_title_subject_ratio, check_iframe_src, check_https_http_mismatch,
        check_https_ip_mismatch, needs=has_html,
    )
    | {"html_charset_faraway": NEVER}
)  # fmt: skip
