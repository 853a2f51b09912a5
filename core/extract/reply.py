"""What a sandboxed worker answers about one attachment: frames of a record (JSON) and the bytes it speaks of.

The writer is the worker (core/unpack), which may have been taken over by what it read; so the reader trusts nothing:
lengths, numbers and words are checked, and the first frame that is wrong ends the reading. Frames are written as things
are found: what stands complete before a crash still counts.

Item 0 is the attachment itself; each Child is the next item.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

FRAME: Final = struct.Struct("<II")  # bytes of the record, bytes of content after it
MAX_RECORD: Final = 65_536
MAX_NAME: Final = 1024  # characters of one name
MAX_RECORDS: Final = 200_000  # of one answer; what limits.MAX_CHILDREN things make is a tenth of it
MAX_NAMES: Final = 8  # names one item has


class ReplyError(Exception):
    """The bytes are not what an honest worker writes."""


class _Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    pass


class Opening(_Record, frozen=True, tag="o"):
    """An item is being looked into: what is to blame when nothing comes after it."""

    item: int


class Child(_Record, frozen=True, tag="c"):
    """A new item; its content is the content of the frame."""

    parent: int
    names: tuple[str, ...]
    content_type: str = ""
    charset: str = ""


class Listed(_Record, frozen=True, tag="n"):
    """A name that stands inside an item, without content that could be read."""

    item: int
    name: str


class Text(_Record, frozen=True, tag="t"):
    """Readable text of an item, UTF-8, as the content of the frame; more than one of an item are joined."""

    item: int


class Address(_Record, frozen=True, tag="a"):
    """A link that an item holds: kind says where ("pdf", "ooxml", "qr", ...)."""

    item: int
    kind: str
    url: str


class Found(_Record, frozen=True, tag="f"):
    """A finding by its name in the table of findings."""

    item: int
    name: str


class Unseen(_Record, frozen=True, tag="u"):
    """Something of an item could not be inspected: a reason of REASONS and a few words without content."""

    item: int
    reason: str
    detail: str


class Fact(_Record, frozen=True, tag="m"):
    """Metadata that the item states of itself, such as its author."""

    item: int
    key: str
    value: str


class End(_Record, frozen=True, tag="e"):
    """Everything was looked at; without it the worker did not finish."""


Record = Opening | Child | Listed | Text | Address | Found | Unseen | Fact | End
_DECODER: Final = msgspec.json.Decoder(Record)
_ENCODER: Final = msgspec.json.Encoder()


def frame(record: Record, content: bytes | memoryview = b"") -> tuple[bytes, bytes | memoryview]:
    """One frame as (head, content), to be written one after the other. Raises: ReplyError for a record too long."""
    body = _ENCODER.encode(record)
    if len(body) > MAX_RECORD:
        raise ReplyError(f"a record of {len(body)} bytes")
    return FRAME.pack(len(body), len(content)) + body, content


def read(data: memoryview) -> Iterator[tuple[Record, memoryview]]:
    """The frames of an answer, in order; an incomplete last frame is left out.

    Raises: ReplyError when a frame is malformed. Numbers of items are checked here, meanings by the caller.
    """
    at, n_items, n_records = 0, 1, 0
    while len(data) - at >= FRAME.size:
        n_records += 1
        if n_records > MAX_RECORDS:
            raise ReplyError("too many records")
        n_record, n_content = FRAME.unpack_from(data, at)
        if n_record > MAX_RECORD:
            raise ReplyError("a record too long")
        body = at + FRAME.size
        if len(data) - body < n_record + n_content:
            return
        record = _record(data[body : body + n_record], n_items)
        n_items += isinstance(record, Child)
        at = body + n_record + n_content
        yield record, data[body + n_record : at]


def _record(body: memoryview, n_items: int) -> Record:
    try:
        record: Record = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReplyError("a record that is none") from error
    if isinstance(record, End):
        return record
    item = record.parent if isinstance(record, Child) else record.item
    if not 0 <= item < n_items:
        raise ReplyError("an item that is not there")
    return record
