"""The text that stands at a place which patterns are applied to: "body", "uri", "header From:addr", and so on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet


def place_text(texts: TextSet, place: str) -> tuple[bytes, Sequence[int] | None]:
    """The text of a place and where its segments begin; None: it is one. Not for fields of parts."""
    if place.startswith("header "):
        return texts.header(place[7:]) or b"", None
    if place == "uri":
        uris = texts.uris
        return b"".join(uris), starts_of(uris)
    if place == "full":
        return texts.full, None
    if place == "rawbody":
        return texts.rawbody
    data, starts = texts.body
    if place == "body":
        return data, starts
    if len(starts) < 2:  # "rest": the first segment is the subject
        return b"", ()
    cut = starts[1]
    return data[cut:], [start - cut for start in starts[1:]]


def starts_of(pieces: Sequence[bytes]) -> list[int]:
    """Where each piece begins when they stand one after the other."""
    return list(accumulate((len(piece) for piece in pieces[:-1]), initial=0)) if pieces else []


def field_name(name: str) -> bytes:
    """The field, in lower case, without which a header that rules name is absent; b"" when it is no single field."""
    lower = name.partition(":")[0].lower()
    is_made = lower == "all" or lower in ("tocc", "messageid", "envelopefrom") or lower.startswith(("all-", "x-spam-"))
    return b"" if is_made else lower.encode("latin-1", "replace")
