"""Eval tests of text and its amount (plug-ins BodyEval and VBounce)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.chunks import chunks
from mxward.core.rules.spamassassin.evaltools import Eval, keep, number
from mxward.core.rules.spamassassin.texts import split

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.nodes import Node
    from mxward.core.rules.spamassassin.texts import TextSet

MAX_WORDS: Final = 200_000  # of one part that are compared
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


def multipart_alternative_difference(texts: TextSet, low: str, high: str) -> bool:
    """Whether so many percent of the words of HTML are not in the plain text beside it."""
    percent = keep(texts, "alternatives", _alternatives)[0]
    least, most = number(low), number(high) if high != "undef" else float("inf")
    return (least == 0 or percent > least) and percent <= most


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
        html: Counter[bytes] = Counter()
        plain: Counter[bytes] = Counter()
        has_image = False
        for leaf in _leaves(node):
            if not leaf.type.startswith("text") or leaf.effective_type not in ("text/plain", "text/html"):
                continue
            markup, text, wide = rendered[leaf.index]
            (plain if markup is None else html).update(_words(text, wide=wide))
            has_image = has_image or (markup is not None and b"img" in markup.inside)
        if not html and has_image:
            html[b"\n"] = 1  # stands for the image; no word can be it
        if not html:
            continue
        n_html, n_text = len(html), len(plain)
        left = sum(1 for word, count in html.items() if count > plain.get(word, 0))
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


_WORD_SIGN: Final = re.compile(r"\w")
_WORD_BYTE: Final = re.compile(rb"\w")


def _words(text: bytes, *, wide: bool) -> Counter[bytes]:
    """Words and how often each stands there; what has neither letter nor digit is none."""
    if wide:
        found = Counter(
            [word.encode("utf-8", "replace") for word in text.decode("utf-8", "replace").split()[:MAX_WORDS]]
        )
    else:
        found = Counter(text.split()[:MAX_WORDS])
    for word in [word for word in found if not _WORD_BYTE.search(word)]:
        if word.isascii() or not wide or not _WORD_SIGN.search(word.decode("utf-8", "replace")):
            del found[word]
    return found


def check_blank_line_ratio(texts: TextSet, low: str, high: str, least_lines: str = "1") -> bool:
    """Whether so many percent of the lines are blank, in a text of so many lines or more."""
    n_lines, n_blank = keep(texts, "blank_lines", _blank_lines)
    percent = -1.0 if n_lines < max(1.0, number(least_lines)) else 100.0 * n_blank / n_lines
    return (number(low) == 0 or percent > number(low)) and percent <= number(high)


def _blank_lines(texts: TextSet) -> tuple[int, int]:
    n_lines = n_blank = 0
    for chunk in split(texts.rawbody):
        lines = chunk.split(b"\n")
        if not lines[-1]:
            lines.pop()
        n_lines += len(lines)
        n_blank += sum(not line.strip() for line in lines)
    return n_lines, n_blank


def tvd_vertical_words(texts: TextSet, low: str, high: str) -> bool:
    """Whether there is a line with so many spaces a hundred other characters."""
    most = number(high) if number(high) < 100 else 101
    return number(low) <= keep(texts, "vertical_words", _vertical_words) < most


def _vertical_words(texts: TextSet) -> int:
    worst = -1
    for line in texts.body_lines:
        if len(line) > 5:
            n_spaces = line.count(b" ")
            rest = len(line) - n_spaces
            worst = max(worst, 100 if n_spaces > rest or rest == 0 else 100 * n_spaces // rest)
    return worst


def check_stock_info(texts: TextSet, low: str) -> bool:
    """Whether a text has so many different labels of a tip for the stock exchange."""
    return number(low) == 0 or keep(texts, "stock_info", _stock_info) >= number(low)


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


def check_body_length(texts: TextSet, most: str) -> bool:
    """Whether the body has at most so many bytes as it came."""
    return texts.body_size <= number(most)


def plaintext_body_length(texts: TextSet, low: str, high: str | None = None) -> bool:
    """Whether the first plain text has so many bytes above its signature."""
    sizes = keep(texts, "signature", _signature)
    return sizes is not None and number(low) <= sizes[0] <= number(high, float("inf"))


def plaintext_sig_length(texts: TextSet, low: str, high: str | None = None) -> bool:
    """Whether the signature of the first plain text has so many bytes."""
    sizes = keep(texts, "signature", _signature)
    return sizes is not None and number(low) <= sizes[1] <= number(high, float("inf"))


def plaintext_body_sig_ratio(texts: TextSet, low: str, high: str | None = None) -> bool:
    """Whether the first plain text has so many bytes a byte of its signature."""
    sizes = keep(texts, "signature", _signature)
    if sizes is None:
        return False
    ratio = sizes[0] / sizes[1] if sizes[1] else NO_SIGNATURE
    return number(low) <= ratio <= number(high, NO_SIGNATURE)


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


def have_any_bounce_relays(texts: TextSet) -> bool:
    """Whether relays are named that this site's bounces go through."""
    return bool(texts.site.bounce_relays)


_QUOTED_RECEIVED: Final = re.compile(rb"[> ]*Received:", re.I)
_NAME_IN_LINE: Final = re.compile(rb" (\S+\.\S+) ")
_NAME: Final = re.compile(rb"\s(\S+\.\S+)\s")


def check_welcomelist_bounce_relays(texts: TextSet) -> bool:
    """Whether a Received field quoted in the body names one of these relays."""
    known = texts.site.bounce_relays
    if not known:
        return False
    for line in texts.body_lines:
        if _QUOTED_RECEIVED.match(line) and any(known.has(name) for name in _NAME_IN_LINE.findall(line)):
            return True
    field, has_begun = b"", False
    for line in texts.pristine_body.split(b"\n"):
        has_begun = has_begun or _QUOTED_RECEIVED.match(line) is not None
        if has_begun:
            field = field + line if line[:1].isspace() else line
            if _QUOTED_RECEIVED.match(field) and any(known.has(name) for name in _NAME.findall(field[-4096:])):
                return True
    return False


TABLE: Final = {
    run.__name__: Eval(run)
    for run in (
        multipart_alternative_difference, multipart_alternative_difference_count, check_blank_line_ratio,
        tvd_vertical_words, check_stock_info, check_body_length, plaintext_body_length, plaintext_sig_length,
        plaintext_body_sig_ratio, have_any_bounce_relays, check_welcomelist_bounce_relays,
    )
} | {"check_whitelist_bounce_relays": Eval(check_welcomelist_bounce_relays)}  # fmt: skip
