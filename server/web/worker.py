"""The web role: uvicorn on the socket that the supervisor bound, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn

from mxward.server.log import Log
from mxward.server.process import Process
from mxward.server.store import open_store
from mxward.server.web.app import build
from mxward.server.web.console import Console

MAX_CONNECTIONS: Final = 256  # above: 503
MAX_HEAD_BYTES: Final = 32_768
KEEP_ALIVE_S: Final = 15
GRACE_S: Final = 5  # for requests under way when told to stop


class _Server(uvicorn.Server):
    """Signals belong to the process, not to the server; `listening` is set when it takes connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _ToLog(logging.Handler):
    """What uvicorn has to say becomes a line of our log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.warning("web_server", message=record.getMessage()[:500])


async def serve(process: Process) -> None:
    """Serve the console until `process.stop` is set. Raises StoreError when the store cannot be opened."""
    store = open_store(process.config, process=process.name)
    try:
        console = Console(process.config, store, process.log)
        process.reloads.append(console.reload)
        await _run(_server(console, process.log), process)
    finally:
        store.close()


def _server(console: Console, log: Log) -> _Server:
    logger = logging.getLogger("uvicorn")
    logger.handlers, logger.propagate = [_ToLog(log)], False
    return _Server(
        uvicorn.Config(
            build(console),
            log_config=None,
            access_log=False,
            http="h11",
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )
    )


async def _run(server: _Server, process: Process) -> None:
    serving = asyncio.create_task(server.serve(sockets=[process.sockets[0][1]]))
    listening = asyncio.create_task(server.listening.wait())
    stopping = asyncio.create_task(process.stop.wait())
    await asyncio.wait((serving, listening), return_when=asyncio.FIRST_COMPLETED)
    if server.started:
        process.ready()
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    stopping.cancel()
    server.should_exit = True
    await serving
