"""What each SMTP verb does. A handler returns the reply (below 400: the table's next state follows) or None when
it answered itself; a Refusal becomes its reply. Whether a verb may come at all is table.py's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mxward.core.errors import Refusal, Reply
from mxward.server.smtp import access, reply
from mxward.server.smtp.action import START_TLS
from mxward.server.smtp.address import is_helo_name
from mxward.server.smtp.auth import Sasl
from mxward.server.smtp.parameters import RcptParameters, parse_mail, parse_rcpt
from mxward.server.smtp.settings import OUTBOUND
from mxward.server.smtp.table import Mode, State
from mxward.server.smtp.transaction import Transaction
from mxward.server.smtp.xclient import xclient

if TYPE_CHECKING:
    from mxward.server.smtp.session import Session

_BDAT = re.compile(rb"([0-9]{1,20})(?: +(LAST))? *", re.IGNORECASE)


def may_start_tls(session: Session) -> bool:
    return not session.client.tls and session.listener.tls == "starttls" and session.settings.tls is not None


def may_authenticate(session: Session) -> bool:
    """AUTH belongs to the outbound side, and to TLS unless the administrator said otherwise."""
    return session.listener.side == OUTBOUND and bool(session.client.tls or not session.settings.auth_requires_tls)


def may_xclient(session: Session) -> bool:
    return session.client.peer_ip in session.settings.xclient


def _greeted(session: Session, argument: bytes, *, is_esmtp: bool) -> None:
    name = argument.strip(b" ")
    if not is_helo_name(name):
        raise Refusal(reply.NEED_HELO, "malformed HELO name")
    session.abandon()
    session.client.helo, session.client.is_esmtp = name.decode("ascii"), is_esmtp


def helo(session: Session, argument: bytes) -> Reply | None:
    _greeted(session, argument, is_esmtp=False)
    return Reply(250, "", session.settings.hostname)


def ehlo(session: Session, argument: bytes) -> Reply | None:
    _greeted(session, argument, is_esmtp=True)
    session.state = State.GREETED
    session.out.append(
        session.settings.ehlo(
            starttls=may_start_tls(session),
            auth=may_authenticate(session) and not session.client.auth_user,
            xclient=may_xclient(session),
        )
    )
    return None


def mail(session: Session, argument: bytes) -> Reply | None:
    """MAIL: everything that can be refused before a byte of the message came is refused here."""
    settings = session.settings = session.front.settings
    limits, client = settings.limits, session.client
    if session.listener.require_tls and not client.tls:
        raise Refusal(reply.TLS_FIRST, "TLS required")
    access.check_client(settings, session.listener.side, client.ip, client.auth_user)
    if session.transactions >= limits.max_transactions_per_session:
        session.end(reply.TRANSACTIONS)
        return None
    parameters = parse_mail(argument, esmtp=client.is_esmtp)
    if parameters.size > limits.max_message_bytes:
        raise Refusal(reply.TOO_BIG, "declared size")
    refusal = session.front.load.refuse_mail(parameters.size, limits)
    if refusal is not None:
        return refusal
    access.check_sender(parameters.sender)
    session.transactions += 1
    session.tx = Transaction(settings, client, parameters)
    return reply.SENDER_OK


def rcpt(session: Session, argument: bytes) -> Reply | None:
    """RCPT: a recipient named twice is taken once (the second reply is the same)."""
    tx = session.tx
    assert tx is not None  # the table says so
    settings, side = tx.settings, session.listener.side
    given = parse_rcpt(argument, smtputf8=tx.mail.smtputf8, esmtp=session.client.is_esmtp)
    if len(tx.rcpts) >= settings.limits.max_recipients:
        return reply.RCPT_MANY
    address = access.check_recipient(settings, side, given.address)
    if address.text not in tx.texts:
        tx.texts.add(address.text)
        tx.rcpts.append(given if address is given.address else RcptParameters(address, given.notify, given.orcpt))
    return reply.RCPT_OK


def _set_direction(session: Session) -> None:
    tx = session.tx
    assert tx is not None
    tx.direction = access.direction(tx.settings, session.listener.side, [r.address for r in tx.rcpts])


def data(session: Session, argument: bytes) -> Reply | None:
    if argument:
        raise Refusal(reply.NO_ARGUMENT, "DATA with argument")
    refusal = session.front.load.refuse_mail(0, session.settings.limits)
    if refusal is not None:
        return refusal
    _set_direction(session)
    session.begin_body(Mode.BODY)
    return reply.GO_AHEAD


def bdat(session: Session, argument: bytes, refusal: Reply | None = None) -> Reply | None:
    """BDAT: the chunk is read in any case, so that commands and content are never confused (RFC 3030 section 2)."""
    match = _BDAT.fullmatch(argument)
    limits = session.settings.limits
    if not match:  # where the chunk ends cannot be known: nothing that follows can be read
        session.end(reply.BAD_BDAT)
        return None
    size, tx = int(match[1]), session.tx
    so_far = tx.reader.size if tx is not None and tx.reader is not None else 0
    if so_far + size > 2 * limits.max_message_bytes:
        session.end(reply.TOO_BIG)
        return None
    if refusal is None and session.state == State.RCPT:
        _set_direction(session)
        refusal = session.front.load.refuse_mail(size, limits)
    if refusal is None:
        session.state = State.CHUNKS
    session.chunk_left, session.chunk_last, session.chunk_refusal = size, bool(match[2]), refusal
    session.begin_body(Mode.CHUNK)
    if size == 0:
        session.end_chunk()
    return None


def rset(session: Session, argument: bytes) -> Reply | None:
    if argument:
        raise Refusal(reply.NO_ARGUMENT, "RSET with argument")
    session.abandon()
    return reply.OK


def quit_(session: Session, argument: bytes) -> Reply | None:
    if argument:
        raise Refusal(reply.NO_ARGUMENT, "QUIT with argument")
    session.abandon()
    session.has_quit = True
    session.end(reply.BYE)
    return None


def starttls(session: Session, argument: bytes) -> Reply | None:
    """STARTTLS (RFC 3207). That nothing was pipelined after it has been checked (table.LAST_OF_GROUP)."""
    if session.client.tls:
        return reply.TLS_ALREADY
    if not may_start_tls(session):
        return reply.NOT_HERE
    if argument:
        raise Refusal(reply.NO_ARGUMENT, "STARTTLS with argument")
    session.say(reply.TLS_READY)
    session.action = START_TLS
    return None


def auth(session: Session, argument: bytes) -> Reply | None:
    """AUTH: begins the exchange; its lines go to `Session.sasl` until it ends."""
    if session.listener.side != OUTBOUND:
        return reply.NOT_HERE
    if session.client.auth_user:
        return reply.AUTH_ALREADY
    if not may_authenticate(session):
        return reply.AUTH_TLS
    mechanism, _, initial = argument.partition(b" ")
    mechanism = mechanism.upper()
    if mechanism not in (b"PLAIN", b"LOGIN"):
        return reply.AUTH_MECHANISM
    session.sasl = Sasl(mechanism)
    session.sasl_step(session.sasl.begin(initial.strip(b" ")))
    return None


def _xclient(session: Session, argument: bytes) -> Reply | None:
    return xclient(session, argument) if may_xclient(session) else reply.NOT_HERE


def _always(answer: Reply) -> Callable[[Session, bytes], Reply | None]:
    return lambda session, argument: answer


HANDLERS: Final[dict[bytes, Callable[[Session, bytes], Reply | None]]] = {
    b"HELO": helo,
    b"EHLO": ehlo,
    b"MAIL": mail,
    b"RCPT": rcpt,
    b"DATA": data,
    b"BDAT": bdat,
    b"RSET": rset,
    b"NOOP": _always(reply.OK),
    b"HELP": _always(reply.HELP),
    b"VRFY": _always(reply.VRFY),
    b"EXPN": _always(reply.NOT_HERE),
    b"QUIT": quit_,
    b"STARTTLS": starttls,
    b"AUTH": auth,
    b"XCLIENT": _xclient,
}
