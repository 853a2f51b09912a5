"""Folding of text for comparison, and reading of look-alike letters."""

import re

INVISIBLE: re.Pattern[str]
"""Runs of characters that show nothing: soft hyphens, zero-width characters, direction marks, variation selectors."""
COMPOSING: re.Pattern[str]
"""A mark or vowel that joins the character before it under NFC."""
SHORT: int

def fold(text: str) -> str:
    """What a reader would call the same words becomes the same characters.

    Compatibility forms (full-width, ligatures, mathematical letters) are resolved (NFKC), case is folded, characters
    that show nothing are dropped, curly quotes and en dashes become plain, runs of white space become one space, outer
    ones go. Homoglyphs of other scripts stay. Never raises but for MemoryError.

    Cost: linear; for ASCII 0.1 to 0.6 ns a byte, else about 3 ns a character; runs with joining marks 100 ns a
    character. Source: Unicode Standard Annex 15, The Unicode Standard 3.13 (case folding).
    """

def fold_bytes(text: bytes, *, wide: bool = True) -> bytes:
    """`fold` of UTF-8 as UTF-8. Invalid sequences become U+FFFD. The GIL is released for more than 4 KiB.

    Args: wide: False: without AVX-512, whatever the processor has.
    """

def skeleton(folded: bytes) -> tuple[bytes, int]:
    """Folded UTF-8 with what looks like Latin letters read as them, and how many words mix scripts.

    Letters of other scripts and Latin letters with marks become the ASCII letters they look like; other characters
    stay. A word mixes scripts when it has two Latin letters and look-alikes of another script, and nothing else.

    Returns: the text, the same object when nothing changes (ASCII never does); the number of mixed words.
    Source: Unicode Technical Standard 39, section 4.
    """
