"""Received fields to what they say, by templates: who handed the message over, under which names."""

from collections.abc import Callable, Sequence
from typing import final

UNREAD: int  # what came of a field that tells of no relay
SKIPPED: int
FETCHED: int
ASK: int
STAGES: tuple[str, ...]

@final
class Relay:
    """One hand-over. Names as the field has them, characters that could confuse a pattern replaced by "!"."""

    ip: bytes
    rdns: bytes
    helo: bytes
    by: bytes
    ident: bytes
    envelope_from: bytes | None
    id: bytes
    auth: bytes
    has_no_rdns: bool  # the host that wrote the field looked for a name and found none
    is_private: bool
    is_internal: bool
    is_msa: bool

    def __init__(
        self, ip: bytes, rdns: bytes, helo: bytes, by: bytes, ident: bytes, envelope_from: bytes | None, id: bytes,
        auth: bytes, *, has_no_rdns: bool, is_private: bool,
    ) -> None: ...  # fmt: skip
    @property
    def text(self) -> bytes:
        """The form that header rules match against; the order of its entries is fixed."""

@final
class Hops:
    """Templates of Received fields. Immutable; may be shared between threads."""

    def __init__(
        self,
        code: Sequence[int],
        classes: Sequence[bytes],
        stages: Sequence[Sequence[tuple[bytes, int, int]]],
        is_private: Callable[[bytes], bool],
        /,
    ) -> None:
        """Args: code, classes: programs of core/rules/spamassassin/template.py, which are trusted; stages: the
        templates of each of STAGES as (text without which it is not tried, where its program begins, flags);
        is_private: asked about addresses that are not plain IPv4.

        Raises: ValueError for tables of another shape, OverflowError for numbers out of range.
        """
    def read(self, value: bytes, /) -> Relay | int:
        """What a decoded, unfolded Received field says. Never raises on any bytes.

        Returns: the relay; or UNREAD; SKIPPED for what is no hand-over by network; FETCHED for mail fetched from a
        mailbox; ASK for forms that are left to received_line.py. Cost: bounded by a budget of steps; only the first
        1000 bytes are looked at.
        """
