"""Passwords that a message tells: words of its subject and text that may open its encrypted attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mxward.core.extract import views
from mxward.core.message import Message

MAX_CANDIDATES: Final = 200
_MAX_TEXT: Final = 65_536  # characters that are looked through
# "password: x", "Passwort ist x", "pw = x", "PIN x", "code: x"
_ANNOUNCED: Final = re.compile(
    r"(?i)\b(?:pass\s?(?:word|wd|code|phrase|wort)?|pw[d]?|pin|code|key)\b\W{0,3}(?:\w{0,12}\s+){0,3}?\W{0,3}(\S{3,64})"
)
_TOKEN: Final = re.compile(r"\S{3,64}")
_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb()[]{}<>.,;:!?*"


def candidates(message: Message) -> Iterator[str]:
    """Likely passwords, most likely first, each once; at most MAX_CANDIDATES."""
    seen: set[str] = set()
    for word in _all(message):
        for form in (word, word.strip(_QUOTES)):
            if 3 <= len(form) <= 64 and form not in seen:
                seen.add(form)
                yield form
                if len(seen) >= MAX_CANDIDATES:
                    return


def _all(message: Message) -> Iterator[str]:
    texts = [views.subject(message), *(text[:_MAX_TEXT] for _, text in views.texts(message))]
    for text in texts:
        yield from _ANNOUNCED.findall(text)
    yield from ("infected", "password", "1234", "12345", "123456")
    for text in texts:  # words that look made up first: letters and digits, or signs
        yield from (word for word in _TOKEN.findall(text) if _looks_made(word))
    for text in texts:
        yield from _TOKEN.findall(text)


def _looks_made(word: str) -> bool:
    return any(c.isdigit() for c in word) and "://" not in word
