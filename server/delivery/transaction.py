"""One mail transaction to be made: envelope, content and, afterwards, a reply for each recipient.

A transaction serves recipients of one message that share destination and content. How it is spoken is in
session.py, which connection speaks it in lane.py, and what its replies come to in outcome.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mxward.server.delivery.reply import PeerReply

if TYPE_CHECKING:
    from mxward.server.delivery.body import Body
    from mxward.server.store.api import WorkRecipient


@dataclass(slots=True, eq=False)
class Transaction:
    """What to send, to whom, and what came of it. `replies` runs parallel to `rcpts`; None: nothing said yet."""

    sender: str
    rcpts: list[WorkRecipient]
    body: Body
    additions: tuple[tuple[str, str], ...]
    done: Callable[[Transaction], None]
    ret: str = ""
    envid: str = ""
    needs_utf8: bool = False
    content: list[bytes] = field(default_factory=list)  # canonical and dot-stuffed; filled before it is spoken
    size: int = 0  # octets of content before stuffing, for SIZE=
    is_8bit: bool = False
    replies: list[PeerReply | None] = field(default_factory=list)
    route: str = ""
    tls: str = ""
    peer_has_dsn: bool = False
    is_final: bool = False  # the next hop is the mailbox itself (LMTP, Maildir)
    tries: int = 0  # connections that broke before any content went out; not counted as attempts
    body_error: Exception | None = None  # why the stored message could not be read
    is_ambiguous: bool = False  # the connection broke between the final dot and its reply

    def __post_init__(self) -> None:
        if not self.replies:
            self.replies = [None] * len(self.rcpts)

    def settle(self, reply: PeerReply) -> None:
        """Give `reply` to every recipient that has none yet."""
        self.replies = [r or reply for r in self.replies]

    def forget(self) -> None:
        """Forget replies, before another attempt of the same transaction."""
        self.replies = [None] * len(self.rcpts)
