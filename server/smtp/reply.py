"""Every fixed reply of the SMTP server, ready for the wire. Texts are public: no paths, names or reasons of ours."""

from __future__ import annotations

from typing import Final

from mxward.core.errors import Reply

# -- success
OK: Final = Reply(250, "2.0.0", "Ok")
SENDER_OK: Final = Reply(250, "2.1.0", "Ok")
RCPT_OK: Final = Reply(250, "2.1.5", "Ok")
BYE: Final = Reply(221, "2.0.0", "Bye")
VRFY: Final = Reply(252, "2.5.0", "Cannot verify, send the message and see")
HELP: Final = Reply(214, "2.0.0", "See RFC 5321; postmaster answers questions")
GO_AHEAD: Final = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
TLS_READY: Final = Reply(220, "2.0.0", "Ready to start TLS")
AUTH_OK: Final = Reply(235, "2.7.0", "Authentication successful")

# -- the service, 421 and 4xx
DRAINING: Final = Reply(421, "4.3.2", "Service restarting, try again")
UNFIT: Final = Reply(421, "4.3.0", "Service not available, try again later")
TOO_MANY: Final = Reply(421, "4.7.0", "Too many connections, try again later")
TOO_BUSY: Final = Reply(421, "4.3.2", "Too many sessions, try again later")
IDLE: Final = Reply(421, "4.4.2", "Timeout exceeded")
TOO_SLOW: Final = Reply(421, "4.4.2", "Data comes too slowly")
ERRORS: Final = Reply(421, "4.7.0", "Too many errors")
TRANSACTIONS: Final = Reply(421, "4.7.0", "Too many transactions in one session")
NO_MEMORY: Final = Reply(451, "4.3.1", "Too busy to take the message, try again later")
NO_SPACE: Final = Reply(452, "4.3.1", "Insufficient system storage, try again later")
FAULT: Final = Reply(451, "4.3.0", "Temporary fault, try again later")
NO_VERDICT: Final = Reply(451, "4.3.0", "Message could not be checked now, try again later")
DEFERRED: Final = Reply(451, "4.7.0", "Message deferred by policy, try again later")
RCPT_MANY: Final = Reply(452, "4.5.3", "Too many recipients")
NO_TLS_NOW: Final = Reply(454, "4.7.0", "TLS not available")
NO_AUTH_NOW: Final = Reply(454, "4.7.0", "Temporary authentication failure")

# -- commands, 5xx
UNKNOWN: Final = Reply(500, "5.5.2", "Command not recognised")
LONG_LINE: Final = Reply(500, "5.5.2", "Line too long")
BARE_LF: Final = Reply(500, "5.5.2", "Lines must end with <CR><LF>")
BAD_BYTES: Final = Reply(500, "5.5.2", "Control characters in command")
NO_ARGUMENT: Final = Reply(501, "5.5.4", "No argument allowed")
NEED_HELO: Final = Reply(501, "5.5.4", "Syntax: EHLO hostname")
BAD_BDAT: Final = Reply(501, "5.5.4", "Syntax: BDAT size [LAST]")
NOT_HERE: Final = Reply(502, "5.5.1", "Command not implemented")
GREET_FIRST: Final = Reply(503, "5.5.1", "Send HELO or EHLO first")
MAIL_FIRST: Final = Reply(503, "5.5.1", "Need MAIL command")
RCPT_FIRST: Final = Reply(503, "5.5.1", "Need RCPT command")
NESTED: Final = Reply(503, "5.5.1", "Sender already given")
IN_TRANSACTION: Final = Reply(503, "5.5.1", "Not allowed during a mail transaction")
IN_CHUNKS: Final = Reply(503, "5.5.1", "Only BDAT or RSET may follow BDAT")
TLS_ALREADY: Final = Reply(503, "5.5.1", "TLS already active")
AUTH_ALREADY: Final = Reply(503, "5.5.1", "Already authenticated")
PIPELINED: Final = Reply(503, "5.5.0", "Improper use of command pipelining")
NOT_SMTP: Final = Reply(554, "5.5.0", "This is an SMTP server")
EARLY: Final = Reply(554, "5.5.0", "Client spoke before the banner")

# -- security and policy, 5xx
TLS_FIRST: Final = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
AUTH_FIRST: Final = Reply(530, "5.7.0", "Authentication required")
AUTH_BAD: Final = Reply(535, "5.7.8", "Authentication credentials invalid")
AUTH_TLS: Final = Reply(538, "5.7.11", "Encryption required for authentication")
AUTH_CANCELLED: Final = Reply(501, "5.7.0", "Authentication cancelled")
AUTH_CODING: Final = Reply(501, "5.5.2", "Cannot decode the response")
AUTH_MECHANISM: Final = Reply(504, "5.5.4", "Mechanism not supported")
RELAY: Final = Reply(550, "5.7.1", "Relaying denied")
NO_MAILBOX: Final = Reply(550, "5.1.1", "No such recipient here")
ROUTED: Final = Reply(550, "5.7.1", "Routed addresses are not accepted")
ROUTED_SENDER: Final = Reply(553, "5.1.7", "Routed addresses are not accepted")
TOO_BIG: Final = Reply(552, "5.3.4", "Message exceeds the size limit")
BAD_LINES: Final = Reply(550, "5.6.0", "Message contains a bare CR, bare LF or NUL")
EIGHT_BIT_PATH: Final = Reply(553, "5.6.7", "Non-ASCII address needs SMTPUTF8")
LOOP: Final = Reply(554, "5.4.6", "Too many hops, the message loops")
REFUSED: Final = Reply(550, "5.7.1", "Message refused by policy")


def queued(queue_id: str) -> Reply:
    """The promise: said only after the durable commit."""
    return Reply(250, "2.0.0", f"Ok: queued as {queue_id}")
