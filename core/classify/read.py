"""From the bytes of a message to what training and learning need of it: features, and what they may be called."""

from __future__ import annotations

import re
from typing import Final

from mxward.core.classify.features import BITS, LINK, SUBJECT, TEXT, features_of, pieces
from mxward.core.extract.container import list_containers
from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message
from mxward.core.scan import normalise
from mxward.pyx.mime import parse
from mxward.pyx.tokens import Features, feature

_WORD: Final = re.compile(rb"(?<![^ \n])([a-z]{4,18})(?= ([a-z]{2,18})(?![^ .,!?\n])|(?![^ .,!?\n]))")


def read(raw: bytes) -> Message:
    """A message as the pipeline would see it, parsed and taken apart. `raw`: as stored, any line ends."""
    stored = normalise(raw)
    message = Message(stored, Envelope("", ()))
    message.mime = parse(stored)
    extract(message)
    list_containers(message)
    return message


def features(raw: bytes) -> Features:
    """The features of a stored message."""
    return features_of(read(raw))


def words(message: Message) -> dict[int, str]:
    """Plain English-like words and pairs of the message, by their feature, as a hit could quote them."""
    found: dict[int, str] = {}
    for segment, _, data in pieces(message):
        if segment not in (SUBJECT, TEXT, LINK):
            continue
        for match in _WORD.finditer(data):
            for name in filter(None, (match[1], match[1] + b" " + match[2] if match[2] else b"")):
                found.setdefault(feature(segment, name, BITS), name.decode())
    return found
