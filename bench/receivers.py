"""Servers of the receive benchmark, one a process: ours and stock aiosmtpd, both on uvloop, both accept and discard.

`python -m bench.receivers ours|aiosmtpd PORT`. Ours is the product's own protocol, session and front; in place of
scanning and storing stands a final stage that answers 250 and forgets, so that only the receive loop is compared.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from mxward.core.errors import Reply
from mxward.core.message import Envelope as OurEnvelope
from mxward.core.message import Message
from mxward.server.clock import SYSTEM_CLOCK
from mxward.server.config import Config, Listener
from mxward.server.log import Log
from mxward.server.smtp import reply
from mxward.server.smtp.finish import Finish
from mxward.server.smtp.front import SmtpFront
from mxward.server.smtp.load import Load
from mxward.server.smtp.password import Passwords
from mxward.server.smtp.protocol import SmtpProtocol
from mxward.server.smtp.scanpool import ScanPool
from mxward.server.smtp.settings import Settings, build
from mxward.server.smtp.transaction import Transaction
from mxward.server.store.api import NewMessage

HOST = "127.0.0.1"


class _NoJudge:
    """Nothing is judged here."""

    version = "none"

    def judge(self, raw: bytes, envelope: OurEnvelope) -> Message:
        return Message(raw, envelope)


class _Forget:
    """Nothing is stored here."""

    async def commit(self, message: NewMessage) -> None:
        return None


class _Discard(Finish):
    """End of data: 250, and what the transaction held is released."""

    def __init__(self, pool: ScanPool, load: Load, log: Log) -> None:
        super().__init__(_Forget(), pool, load, log, SYSTEM_CLOCK, lambda: None)
        self._shared = load

    async def settle(self, tx: Transaction, settings: Settings) -> Reply:
        assert tx.raw and settings is not None
        self._shared.memory -= tx.held
        tx.held = 0
        return reply.queued("0000000000000000")


async def ours(port: int) -> None:
    """The product's receive loop."""
    loop = asyncio.get_running_loop()
    log = Log("bench", level="error", fd=os.open(os.devnull, os.O_WRONLY))
    settings = build(Config(), _NoJudge())
    pool, load = ScanPool(1), Load(lambda: 1 << 40, loop.time)
    front = SmtpFront(settings, load, _Discard(pool, load, log), Passwords(lambda name: None), pool, log)
    listener = Listener(address=f"{HOST}:{port}", side="inbound", tls="none")
    await loop.create_server(partial(SmtpProtocol, front, listener), HOST, port, backlog=1024)
    await asyncio.Event().wait()


class _Accept:
    """The smallest handler that aiosmtpd has."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert envelope.content
        return "250 2.0.0 Ok"


async def aiosmtpd(port: int) -> None:
    """Stock aiosmtpd with its defaults."""
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(_Accept(), hostname="mx.trust.example"), HOST, port, backlog=1024)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run({"ours": ours, "aiosmtpd": aiosmtpd}[sys.argv[1]](int(sys.argv[2])))
