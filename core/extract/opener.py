"""The face of what opens attachments: asked by extract, kept by the server as a pool of sandboxed processes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol

import msgspec

# Why something was not looked into. Policies name these; each has a line in docs/attachments.md.
REASONS: Final = (
    "encrypted",  # no password is known
    "damaged",  # not what its format asks for: nobody can say what another program makes of it
    "unsupported",  # a format, or a variant of one, that is recognised only
    "crashed",  # the worker that opened it died of it
    "timeout",  # its time was used up
    "unavailable",  # no worker could be had
    "limit:depth",  # containers in containers in containers
    "limit:parts",  # more things in it than anybody sends
    "limit:bytes",  # more bytes come out of it than are inspected
    "limit:ratio",  # many times its size comes out of it, as of a bomb
    "limit:memory",  # opening it takes more memory than a worker may have
)
OPEN: Final = "open"  # tell what is inside
DISARM: Final = "disarm"  # give it back without what acts in it: as the one Child, none when nothing acts


class Budget(msgspec.Struct, frozen=True, array_like=True):
    """How much one attachment may cost. Bytes and counts are of everything inside it together."""

    bytes: int
    items: int
    depth: int
    cpu_s: float


class Request(msgspec.Struct, frozen=True):
    """One attachment to be opened: what is known of it beside its bytes."""

    true_type: str
    content_type: str
    names: tuple[str, ...]
    budget: Budget
    passwords: tuple[str, ...] = ()
    task: str = OPEN


class Opened(NamedTuple):
    """What came back: the frames (extract/reply.py), and why there are no more: "" or one of REASONS."""

    frames: memoryview
    failure: str


class Session(Protocol):
    """A worker for the attachments of one message; it sees no other message."""

    def open(self, request: Request, data: bytes | memoryview) -> Opened:
        """Open one attachment. Never raises on content; waits no longer than budget and session allow.

        A worker that died of an attachment is replaced for the next one.
        """
        ...


class Opener(Protocol):
    """Gives sessions. Called from many threads."""

    def session(self, seconds: float) -> AbstractContextManager[Session]:
        """A session that must be done after `seconds` of wall time; what comes later is answered with "timeout"."""
        ...
