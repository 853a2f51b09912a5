"""Eval tests of text and its amount (plug-ins BodyEval and VBounce)."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.chunks import chunks
from mxward.core.rules.spamassassin.evaltools import (
    Bound,
    Eval,
    above_to,
    alone,
    counted_lines,
    evals,
    from_below,
    from_to,
    has_parts,
    keep,
    measured,
    number,
)
from mxward.core.rules.spamassassin.texts import split
from mxward.pyx.sacount import compare_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mxward.core.rules.spamassassin.nodes import Node
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

_LABEL: Final = re.compile(rb"^\s*([^:\s][^:\n]{2,29})\s*:\s*\S", re.M)
_NOT_SMALL: Final = bytes(set(range(256)) - set(b"abcdefghijklmnopqrstuvwxyz"))
_STOCK: Final = re.compile(
    rb"(^trad(?:e|ing)date|company(?:name)?|s\w?(?:t\w?o\w?c\w?k|y\w?m(?:\w?b\w?o\w?l)?)|t(?:arget|icker)"
    rb"|(?:opening|current)p(?:rice)?|p(?:rojected|osition)|expectations|weeks?high|marketperformance"
    rb"|(?:year|week|month|day|price)(?:target|estimates?)|sector|r(?:ecommendation|ating))\Z"
)
_SIGNATURE: Final = re.compile(rb"^-- ?\r?$", re.M)
_SMALL_PART: Final = 4  # bytes behind a mark of a signature that do not make one
NO_SIGNATURE: Final = 10.0**6


def multipart_alternative_difference(low: str, high: str) -> Bound:
    """Whether so many percent of the words of HTML are not in the plain text beside it."""
    least, most = number(low), number(high) if high != "undef" else inf
    return Bound(_SHARE_OF_HTML, "", from_to(-inf, most) if least == 0 else above_to(least, most))


def multipart_alternative_difference_count(texts: TextSet, ratio: str, low: str) -> bool:
    """Whether the plain text has so many more words than the HTML."""
    _, n_html, n_text = keep(texts, "alternatives", _alternatives)
    return n_html > number(low) and n_text / n_html > number(ratio)


def _alternatives(texts: TextSet) -> tuple[float, int, int]:
    """(largest difference in percent, kinds of words in the last HTML, in the last plain text)."""
    whole = [node for node in texts.nodes if node.type == "multipart/alternative"]
    if not whole or _is_invitation(texts.nodes[0]):
        return 0.0, 0, 0
    rendered = {node.index: (markup, text, wide) for node, markup, text, wide in texts.rendered}
    worst, n_html, n_text = 0.0, 0, 0
    for node in whole:
        html: list[tuple[bytes, bool]] = []
        plain: list[tuple[bytes, bool]] = []
        has_image = False
        for leaf in _leaves(node):
            if not leaf.type.startswith("text") or leaf.effective_type not in ("text/plain", "text/html"):
                continue
            markup, text, wide = rendered[leaf.index]
            (plain if markup is None else html).append((text, wide))
            has_image = has_image or (markup is not None and b"img" in markup.inside)
        n_words, n_plain, left = compare_words(html, plain)
        if not n_words and has_image:
            n_words = left = 1  # stands for the image; no word can be it
        if not n_words:
            continue
        n_html, n_text = n_words, n_plain
        worst = max(worst, 100.0 * left / n_html)
    return worst, n_html, n_text


def _leaves(node: Node) -> list[Node]:
    found, stack = [], [node]
    while stack:
        one = stack.pop()
        if one.is_leaf:
            found.append(one)
        stack += reversed(one.children)
    return found


def _is_invitation(top: Node) -> bool:
    """HTML beside a calendar entry, as Exchange sends it."""
    kinds = [child.type for child in top.children]
    return top.type == "multipart/alternative" and kinds == ["text/html", "text/calendar"]


def check_blank_line_ratio(low: str, high: str, least_lines: str = "1") -> Bound:
    """Whether so many percent of the lines are blank, in a text of so many lines or more."""
    least, most = number(low), number(high)
    ranges = from_to(-inf, most) if least == 0 else above_to(least, most)
    return Bound(_blank_shares, max(1.0, number(least_lines)), ranges)


def _blank_shares(texts: TextSet, least_lines: Collection[float]) -> Iterable[tuple[float, float]]:
    n_lines, n_blank = _blank_lines(texts)
    return [(least, -1.0 if n_lines < least else 100.0 * n_blank / n_lines) for least in least_lines]


def _blank_lines(texts: TextSet) -> tuple[int, int]:
    n_lines = n_blank = 0
    for chunk in split(texts.rawbody):
        lines = chunk.split(b"\n")
        if not lines[-1]:
            lines.pop()
        n_lines += len(lines)
        n_blank += sum(not line.strip() for line in lines)
    return n_lines, n_blank


def tvd_vertical_words(low: str, high: str) -> Bound:
    """Whether there is a line with so many spaces a hundred other characters."""
    most = number(high) if number(high) < 100 else 101
    return Bound(_SPACES_IN_LINES, "", from_below(number(low), most))


def check_stock_info(low: str) -> Bound:
    """Whether a text has so many different labels of a tip for the stock exchange."""
    return Bound(_STOCK_LABELS, "", from_to(number(low) or -inf, inf))


def _stock_info(texts: TextSet) -> int:
    first = next((node for node in texts.leaves if node.type == "text/plain"), None)
    if first is None:
        return 0
    text = next((text for node, _, text, _ in texts.rendered if node is first), b"")
    labels = set()
    for chunk in split((text, chunks(text))):
        for label in _LABEL.findall(chunk):
            found = _STOCK.search(label.lower().translate(None, _NOT_SMALL))
            if found:
                labels.add(found[1])
    return len(labels)


def check_body_length(most: str) -> Bound:
    """Whether the body has at most so many bytes as it came."""
    return Bound(_size_of_body, number(most), ((-inf, number(most)),))


def _size_of_body(texts: TextSet, limits: Collection[float]) -> Iterable[tuple[float, float]]:
    """The size of the body for each limit; nothing when it is beyond all of them without a count."""
    mime = texts.message.mime
    assert mime is not None, "parse comes before texts"
    at_least = (len(texts.message.raw) - mime.parts[0].body_start) / 2  # each line end is two bytes at most
    if at_least > max(limits):
        return ()
    size = texts.body_size
    return [(limit, size) for limit in limits]


def plaintext_body_length(low: str, high: str | None = None) -> Bound:
    """Whether the first plain text has so many bytes above its signature."""
    return Bound(_ABOVE_SIGNATURE, "", from_to(number(low), number(high, inf)))


def plaintext_sig_length(low: str, high: str | None = None) -> Bound:
    """Whether the signature of the first plain text has so many bytes."""
    return Bound(_SIGNATURE_SIZE, "", from_to(number(low), number(high, inf)))


def plaintext_body_sig_ratio(low: str, high: str | None = None) -> Bound:
    """Whether the first plain text has so many bytes a byte of its signature."""
    return Bound(_RATIO_TO_SIGNATURE, "", from_to(number(low), number(high, NO_SIGNATURE)))


def _above_signature(texts: TextSet) -> int | None:
    sizes = keep(texts, "signature", _signature)
    return None if sizes is None else sizes[0]


def _signature_size(texts: TextSet) -> int | None:
    sizes = keep(texts, "signature", _signature)
    return None if sizes is None else sizes[1]


def _ratio_to_signature(texts: TextSet) -> float | None:
    sizes = keep(texts, "signature", _signature)
    return None if sizes is None else sizes[0] / sizes[1] if sizes[1] else NO_SIGNATURE


def _signature(texts: TextSet) -> tuple[int, int] | None:
    first = next((node for node in texts.nodes if node.type.startswith("text/plain")), None)
    if first is None or not first.is_leaf:
        return None
    text = first.decoded
    sizes = (len(text), 0)
    for mark in _SIGNATURE.finditer(text):
        if len(text) - mark.end() > _SMALL_PART:
            sizes = (mark.start(), len(text) - mark.end())
    return sizes


def _has_no_bounce_relays(site: Site) -> bool:
    return not site.bounce_relays


def have_any_bounce_relays(texts: TextSet) -> bool:
    """Whether relays are named that this site's bounces go through."""
    return bool(texts.site.bounce_relays)


_QUOTED_RECEIVED: Final = re.compile(rb"[> ]*Received:", re.I)
_WORD: Final = re.compile(rb"\s(\S++)")
_SPACES: Final = b" \t\n\v\f\r"


def check_welcomelist_bounce_relays(texts: TextSet) -> bool:
    """Whether a Received field quoted in the body names one of these relays."""
    known = texts.site.bounce_relays
    if not known:
        return False
    lines = (line for line in texts.body_lines if _QUOTED_RECEIVED.match(line))
    if any(known.has(name) for line in lines for name in _names(line, b" ")):
        return True
    fields = _quoted_fields(texts.pristine_body)
    return any(known.has(name) for field in fields for name in _names(field, _SPACES))


def _quoted_fields(body: bytes) -> Iterable[bytes]:
    """Received fields in a body with what follows them folded, without line ends."""
    field: list[bytes] = []
    for line in body.split(b"\n"):
        if field and line[:1].isspace():
            field.append(line)
            continue
        if field:
            yield b"".join(field)
        field = [line] if _QUOTED_RECEIVED.match(line) else []
    if field:
        yield b"".join(field)


def _names(text: bytes, spaces: bytes) -> Iterable[bytes]:
    """Words with a dot inside that have such spaces on both sides; one space alone does not part two of them."""
    taken = -1
    for word in _WORD.finditer(text):
        start, end = word.span()
        if start == taken or end == len(text) or text[start] not in spaces or text[end] not in spaces:
            continue
        if b"." in word[1][1:-1]:
            taken = end
            yield word[1]


_SHARE_OF_HTML: Final = alone(lambda texts: keep(texts, "alternatives", _alternatives)[0])
_SPACES_IN_LINES: Final = alone(lambda texts: counted_lines(texts)[3])
_STOCK_LABELS: Final = alone(_stock_info)
_ABOVE_SIGNATURE: Final = alone(_above_signature)
_SIGNATURE_SIZE: Final = alone(_signature_size)
_RATIO_TO_SIGNATURE: Final = alone(_ratio_to_signature)
_BOUNCE: Final = Eval(check_welcomelist_bounce_relays, is_idle=_has_no_bounce_relays)
TABLE: Final = (
    measured(
        multipart_alternative_difference, check_blank_line_ratio, tvd_vertical_words, check_stock_info,
        check_body_length, plaintext_body_length, plaintext_sig_length, plaintext_body_sig_ratio,
    )
    | evals(multipart_alternative_difference_count, needs=has_parts)
    | {
        "have_any_bounce_relays": Eval(have_any_bounce_relays, is_idle=_has_no_bounce_relays),
        "check_welcomelist_bounce_relays": _BOUNCE, "check_whitelist_bounce_relays": _BOUNCE,
    }
)  # fmt: skip
