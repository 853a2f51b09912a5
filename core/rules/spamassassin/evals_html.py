"""Eval tests of HTML parts (plug-ins HTMLEval and HTTPSMismatch)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.domains import domain_of, is_known, registered_domain
from mxward.core.rules.spamassassin.evaltools import Eval, holds, matches, number, pattern
from mxward.core.rules.spamassassin.ip import is_address

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.markup import Markup
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

_WEB_HOST: Final = re.compile(rb"https?://([^/:?#]+)", re.I)
_SAFE_HOST: Final = re.compile(rb"https://([^\s/:?#]+)", re.I)
_NUMERIC: Final = re.compile(rb"https?:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+", re.I)
_NUMERIC_SAFE: Final = re.compile(rb"https:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+", re.I)


def html_tag_balance(texts: TextSet, tag: str, wanted: str) -> bool:
    """Whether the number of elements left open meets a condition."""
    name = tag.encode()
    return any(name in markup.inside and holds(markup.inside[name], wanted) for markup in texts.html)


def html_tag_exists(texts: TextSet, tag: str) -> bool:
    """Whether there is an element of that name."""
    name = tag.encode()
    return any(name in markup.inside for markup in texts.html)


def html_image_only(texts: TextSet, low: str, high: str) -> bool:
    """Whether there is an image, and a document of more than `low` and at most `high` characters around it."""
    least, most = number(low), number(high)
    return any(b"img" in markup.inside and least < markup.length <= most for markup in texts.html)


def html_image_ratio(texts: TextSet, low: str, high: str) -> bool:
    """Whether there are so many letters a pixel of images."""
    least, most = number(low), number(high)
    areas = ((markup, markup.numbers.image_area) for markup in texts.html)
    return any(area > 0 and least < markup.non_space_len / area <= most for markup, area in areas)


def html_test(texts: TextSet, name: str) -> bool:
    """Whether a flag of the analysis is set."""
    return any(markup.number(name) for markup in texts.html)


def html_eval(texts: TextSet, name: str, wanted: str) -> bool:
    """Whether a number of the analysis meets a condition."""
    values = (markup.number(name) for markup in texts.html)
    return any(value is not None and holds(value, wanted) for value in values)


def html_range(texts: TextSet, name: str, low: str, high: str | None = None) -> bool:
    """Whether a number of the analysis is more than `low` and at most `high`."""
    least, most = number(low), number(high, float("inf"))
    return any(value is not None and least < value <= most for value in (markup.number(name) for markup in texts.html))


def html_text_match(texts: TextSet, name: str, source: str) -> bool:
    """Whether a pattern matches a comment, script, title or the words of a link."""
    return any(matches(source, string) for markup in texts.html for string in markup.strings(name))


def html_text_not_match(texts: TextSet, name: str, source: str) -> bool:
    """Whether there is a string that a pattern does not match."""
    if pattern(source) is None:
        return False
    return any(not matches(source, string) for markup in texts.html for string in markup.strings(name))


def html_title_subject_ratio(texts: TextSet, ratio: str) -> bool:
    """Whether a title is that much longer than the Subject."""
    subject = texts.headers.first("Subject")
    longest = max(
        (len(title.decode("utf-8", "replace")) for markup in texts.html for title in markup.titles), default=0
    )
    return bool(subject) and longest / len(subject) > number(ratio)


def html_charset_faraway(texts: TextSet) -> bool:
    """Never: SpamAssassin 4.0.1 looks for what its own analysis does not keep."""
    return False


def check_iframe_src(texts: TextSet) -> bool:
    """Whether a frame shows an address."""
    return any(b"iframe" in link.types for markup in texts.html for link in markup.uris.values())


def check_https_http_mismatch(texts: TextSet, low: str = "1", high: str | None = None) -> bool:
    """Whether the words of a link name a secure address of another domain than it leads to."""
    least, most = number(low) or 1, number(high, float("inf"))
    for markup in texts.html:
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
        for address, link in markup.uris.items()
        for words in link.texts
    )


TABLE: Final = {
    run.__name__: Eval(run, "html")
    for run in (
        html_tag_balance, html_tag_exists, html_image_only, html_image_ratio, html_test, html_eval, html_range,
        html_text_match, html_text_not_match, html_title_subject_ratio, html_charset_faraway, check_iframe_src,
        check_https_http_mismatch, check_https_ip_mismatch,
    )
}  # fmt: skip
