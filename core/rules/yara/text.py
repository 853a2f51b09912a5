"""The literals of which one stands wherever a declared string matches: all its encodings, or parts of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from mxward.core.rules.yara.hexstring import parse_hex
from mxward.core.rules.yara.lexer import unescape
from mxward.core.rules.yara.pattern import (
    MAX_MASKED,
    MIN_BITS,
    MIN_LITERAL,
    Literals,
    Masked,
    Near,
    chosen,
    cut,
    masked,
    rarity,
    requirement,
)  # fmt: skip
from mxward.core.rules.yara.regex import parse_regex
from mxward.core.rules.yara.tree import NotUnderstood, String

MAX_KEYS: Final = 256  # of an xor string
MAX_MASKS: Final = 4  # of one string
CONFIRMED: Final = 8  # bytes; shorter literals are confirmed by a pattern
_STANDARD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_RANGE: Final = re.compile(r"([0-9A-Fa-fx]+)(?:\s*-\s*([0-9A-Fa-fx]+))?")


class Required(NamedTuple):
    """Sets of literals, of each of which one occurs wherever the string matches; none: nothing is known.

    `reason` says why nothing is known, for the author of the rule.
    """

    sets: tuple[Literals, ...]
    is_caseless: bool = False
    reason: str = ""
    masks: tuple[Masked | Near, ...] = ()  # one of these occurs, too; none: nothing is known


@lru_cache(maxsize=4096)
def required(string: String) -> Required:
    """What a match of the string needs. Never raises: what is not understood needs nothing."""
    try:
        if string.kind == "text":
            return _text(string)
        if string.kind == "hex":
            return _hex(string)
        return _regex(string)
    except (NotUnderstood, RecursionError, ValueError) as error:
        return Required((), reason=str(error) or "it is not understood")


def _named(found: Required, reason: str) -> Required:
    return found if found.sets or found.masks else found._replace(reason=reason)


def _are_weak(sets: Sequence[Literals]) -> bool:
    """Are there none, or only short ones, which a longer pattern with wildcards may confirm?"""
    return not sets or max(min(map(len, literals)) for literals in sets) < CONFIRMED


def _hex(string: String) -> Required:
    node = parse_hex(string.body)
    sets = tuple(requirement(node))
    mask = masked(node) if _are_weak(sets) else None
    return _named(Required(sets, masks=(mask,) if mask else ()), "no four fixed bytes in a row, nor 16 bits near by")


def _regex(string: String) -> Required:
    is_caseless = string.has("nocase") or "i" in string.flags
    node = parse_regex(string.body, is_caseless=is_caseless)
    sets = requirement(node)
    if string.has("wide"):
        both = [frozenset(_widened(text) for text in literals) for literals in sets]
        if string.has("ascii"):  # which form matches is not known: one set of both
            both = [narrow | other for narrow, other in zip(sets[:1], both[:1], strict=True)]
        sets = chosen(both)
    mask = masked(node, is_caseless=is_caseless) if _are_weak(sets) else None
    masks: list[Masked | Near] = [] if mask is None else [mask]
    if mask is not None and string.has("wide"):
        masks = [mask, _wide_mask(mask)] if string.has("ascii") else [_wide_mask(mask)]
    found = Required(tuple(sets), is_caseless, masks=tuple(masks))
    return _named(found, "the regex has no four fixed characters in a row, nor two at a fixed distance")


def _wide_mask(mask: Masked | Near) -> Masked | Near:
    if isinstance(mask, Near):
        first, second = _wide_mask(mask.first), _wide_mask(mask.second)
        assert isinstance(first, Masked) and isinstance(second, Masked), "parts of a pair are no pairs"
        return Near(first, second, 2 * mask.low, 2 * mask.high)
    return Masked(_widened(mask.text), b"".join(bytes((byte, 0xFF)) for byte in mask.mask))


def _text(string: String) -> Required:
    text = unescape(string.body)
    forms = _forms(string, text)
    if string.has("xor"):
        low, high = _keys(string)
        forms = [cut(form) for form in forms]
        forms = [bytes(byte ^ key for byte in form) for form in forms for key in range(low, high + 1)]
        # a run of one byte stays one under any key; short ones would be everywhere in 256 disguises
        if any(len(set(form)) < 3 for form in forms):
            return Required((), reason="too short, or a run of one byte, to be searched under every xor key")
    literals = frozenset(cut(form.lower() if string.has("nocase") else form) for form in forms)
    if not literals or any(rarity(form) <= 0 for form in literals):
        reason = f"shorter than {MIN_LITERAL} bytes, or a run of one byte"
        short = [_mask(form, is_caseless=string.has("nocase")) for form in sorted(literals)]
        usable = len(short) <= MAX_MASKS and all(8 * len(mask.mask) >= MIN_BITS for mask in short)
        return Required((), masks=tuple(short)) if usable else Required((), reason=reason)
    return Required((literals,), string.has("nocase"))


def _mask(text: bytes, *, is_caseless: bool) -> Masked:
    mask = bytes(0xDF if is_caseless and chr(byte).isalpha() and byte < 0x80 else 0xFF for byte in text)
    return Masked(bytes(byte & bits for byte, bits in zip(text, mask, strict=True)), mask)


def absent_texts(strings: Iterable[String]) -> list[bytes]:
    """Texts that stand nowhere when none of these strings matches: plain ones, each in all its forms."""
    return [form for string in strings for form in _plain_forms(string)]


@lru_cache(maxsize=1024)
def _plain_forms(string: String) -> tuple[bytes, ...]:
    if string.kind != "text" or any(name not in ("ascii", "wide", "private") for name, _ in string.modifiers):
        return ()
    try:
        return tuple(_forms(string, unescape(string.body)))
    except NotUnderstood:
        return ()


def masks_of_text(string: String) -> list[Masked]:
    """How the beginning of a plain text looks, plain and wide; none when it is not a text, or is in disguise."""
    if string.kind != "text" or any(string.has(name) for name in ("xor", "base64", "base64wide")):
        return []
    try:
        forms = _forms(string, unescape(string.body))
    except NotUnderstood:
        return []
    masks = [_mask(form[:MAX_MASKED], is_caseless=string.has("nocase")) for form in forms]
    return masks if all(len(mask.text) >= 2 for mask in masks) else []


def _forms(string: String, text: bytes) -> list[bytes]:
    """The text as it is searched for before xor: plain, wide, base64."""
    plain = [text] if string.has("ascii") or not string.has("wide") else []
    if string.has("wide"):
        plain.append(_widened(text))
    if not (string.has("base64") or string.has("base64wide")):
        return plain
    coded = []
    for name, argument in string.modifiers:
        if name in ("base64", "base64wide"):
            alphabet = unescape(argument[1:-1]) if argument else _STANDARD
            inner = [piece for form in plain for piece in _base64(form, alphabet)]
            coded += [_widened(piece) for piece in inner] if name == "base64wide" else inner
    return coded


def _widened(text: bytes) -> bytes:
    return b"".join(bytes((byte, 0)) for byte in text)


def _base64(text: bytes, alphabet: bytes) -> list[bytes]:
    """At each of three alignments, the characters that depend on nothing but the text."""
    if len(alphabet) != 64:
        raise NotUnderstood("an unknown base64 alphabet")
    table = bytes.maketrans(_STANDARD, alphabet)
    found = []
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + text).rstrip(b"=")
        begin = (8 * shift + 5) // 6
        found.append(coded[begin : 8 * (shift + len(text)) // 6].translate(table))
    return found


def _keys(string: String) -> tuple[int, int]:
    argument = next(argument for name, argument in string.modifiers if name == "xor")
    if not argument:
        return 0, 255
    ends = _RANGE.fullmatch(argument)
    if ends is None:
        raise NotUnderstood("an unknown range of xor keys")
    low = int(ends[1], 0)
    high = int(ends[2], 0) if ends[2] else low
    if not 0 <= low <= high < MAX_KEYS:
        raise NotUnderstood("an unknown range of xor keys")
    return low, high
