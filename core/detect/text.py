"""What texts do so that filters and readers see different words: hidden text, mixed alphabets, reversed writing.

Newsletters hide their preview line and titles, so little hidden text weighs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from mxward.core.extract import views
from mxward.core.message import Message
from mxward.core.verdict import Hit

MUCH: Final = 600  # bytes of hidden words that no preview line has
MOSTLY: Final = 3  # times as much hidden as shown
MIXED_FEW, MIXED_MANY = 3, 12  # words of mixed alphabets
# overrides make the text behind them run the other way; isolates and marks, which Arabic and Hebrew need, do not
_OVERRIDE: Final = re.compile("[\u202d\u202e][^\u202c\r\n]{0,80}?[0-9A-Za-z]{2}")
_OVERRIDE_BYTES: Final = (b"\xe2\x80\xae", b"\xe2\x80\xad")


class TextDetector:
    """Judges how the texts of a message are written. Immutable."""

    name = "text"
    packs: tuple[str, ...] = ()

    def detect(self, message: Message) -> Iterable[Hit]:
        """At most one hit of each kind."""
        hits = list(_hidden(message)) if views.hidden_bytes(message) else []
        subject = views.subject(message)
        if subject.isascii() and views.is_ascii(message):
            return hits  # the rest is about other letters
        mixed = views.mixed_words(message)
        if mixed >= MIXED_FEW:
            weight = 2.5 if mixed >= MIXED_MANY else 1.0
            hits.append(
                _hit("TEXT_MIXED_ALPHABETS", "spam", weight, "has words whose letters come from several alphabets")
            )
        if any(_is_reversed(text) for _, text in views.text_bytes(message)):
            hits.append(_hit("TEXT_REVERSED", "spam", 1.5, "has text that is written backwards to hide what it says"))
        if _OVERRIDE.search(subject):
            hits.append(_hit("SUBJECT_REVERSED", "spam", 2.0, "has a subject that is written backwards in part"))
        return hits


@cache
def _hit(name: str, category: str, weight: float, detail: str) -> Hit:
    return Hit(name, category, weight, "text", detail=detail)


def _hidden(message: Message) -> Iterator[Hit]:
    hiding = views.hiding(message)
    # words that only Outlook hides, and titles, deceive nobody; one word may be hidden in several ways
    size = max(hiding[:-2])  # without mso and aside
    if size < MUCH:
        return
    shown = sum(len(text) for _, text in views.visible_bytes(message))
    if size > MOSTLY * shown:
        yield _hit("HTML_MOSTLY_HIDDEN", "spam", 1.5, "hides most of its text from the reader")
    else:
        yield _hit("HTML_HIDDEN_TEXT", "spam", 0.5, "hides text from the reader")


def _is_reversed(text: bytes) -> bool:
    return (
        any(mark in text for mark in _OVERRIDE_BYTES) and _OVERRIDE.search(text.decode("utf-8", "replace")) is not None
    )
