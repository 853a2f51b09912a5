"""The session's state machine as a table: which verb may come in which state, and what follows.

    START --HELO/EHLO--> GREETED --MAIL--> MAIL --RCPT--> RCPT --DATA--> (end of data) GREETED
                                                           \\--BDAT--> CHUNKS --BDAT LAST--> GREETED
    RSET and HELO/EHLO lead from any state but START to GREETED; STARTTLS and XCLIENT back to START.

A cell is the state that follows when the verb succeeds (a refused verb changes nothing), or the reply that says
why the verb may not come now. What the verbs do is session.py; the test of this table drives sessions at random.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from mxward.core.errors import Reply
from mxward.server.smtp import reply


class State(IntEnum):
    """Where a session stands between two commands."""

    START = 0
    GREETED = 1
    MAIL = 2
    RCPT = 3
    CHUNKS = 4


class Mode(IntEnum):
    """How the next bytes are read: command lines, a DATA stream, a BDAT chunk."""

    LINES = 0
    BODY = 1
    CHUNK = 2


Cell = State | Reply
_S, _G, _M, _R, _C = State
_hello, _mail, _rcpt = reply.GREET_FIRST, reply.MAIL_FIRST, reply.RCPT_FIRST
_tx, _chunk, _nested = reply.IN_TRANSACTION, reply.IN_CHUNKS, reply.NESTED

# One row a verb, one column a state: START, GREETED, MAIL, RCPT, CHUNKS.
TABLE: Final[dict[bytes, tuple[Cell, Cell, Cell, Cell, Cell]]] = {
    b"HELO": (_G, _G, _G, _G, _G),
    b"EHLO": (_G, _G, _G, _G, _G),
    b"MAIL": (_hello, _M, _nested, _nested, _nested),
    b"RCPT": (_hello, _mail, _R, _R, _chunk),
    b"DATA": (_hello, _mail, _rcpt, _G, _chunk),
    b"BDAT": (_hello, _mail, _rcpt, _C, _C),
    b"RSET": (_S, _G, _G, _G, _G),
    b"NOOP": (_S, _G, _M, _R, _C),
    b"HELP": (_S, _G, _M, _R, _C),
    b"VRFY": (_S, _G, _M, _R, _C),
    b"EXPN": (_S, _G, _M, _R, _C),
    b"QUIT": (_S, _S, _S, _S, _S),
    b"STARTTLS": (_hello, _S, _tx, _tx, _tx),
    b"AUTH": (_hello, _G, _tx, _tx, _tx),
    b"XCLIENT": (_S, _S, _tx, _tx, _tx),
}
"""Verbs that exist everywhere; STARTTLS, AUTH and XCLIENT are unknown where they are not offered."""

LAST_OF_GROUP: Final = frozenset((b"HELO", b"EHLO", b"DATA", b"STARTTLS", b"AUTH", b"XCLIENT"))
"""Verbs after which a client must wait for the reply (RFC 2920 section 3.1); VRFY, EXPN, NOOP are harmless."""

JUNK: Final = frozenset((b"NOOP", b"RSET", b"VRFY", b"EXPN", b"HELP", b"HELO", b"EHLO", b"XCLIENT"))
"""Verbs that move no mail; a session may send only so many of them between two messages."""

FOREIGN: Final = frozenset((b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"PROXY"))
"""First words of other protocols that end a session at once."""
