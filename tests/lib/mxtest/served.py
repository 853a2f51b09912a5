"""The console's own worker on a free loopback port, in a thread, over a seeded store: for tests with a browser."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mxtest.console import Site, open_site, seed
from mxward.server.clock import SYSTEM_CLOCK
from mxward.server.log import Log
from mxward.server.process import Process
from mxward.server.web.worker import serve


@dataclass
class Served:
    """A running console. `site` reaches the same store by a second door."""

    origin: str
    site: Site


@contextmanager
def console(data: Path) -> Iterator[Served]:
    """Serve until the block ends; the store has the four known messages and the user `admin`."""
    site = open_site(data)
    site.ticks.seconds += (SYSTEM_CLOCK.now_us() - site.ticks.now_us()) / 1e6 - 60
    seed(site)
    sock = socket.create_server(("127.0.0.1", 0))
    reader, writer = os.pipe()
    process = Process("web", 0, site.console.config, Log("web.0", fd=2), [(None, sock)], ready_fd=writer)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(process),), daemon=True)
    thread.start()
    try:
        assert os.read(reader, 1) == b"R"
        yield Served(f"http://127.0.0.1:{sock.getsockname()[1]}", site)
    finally:
        loop.call_soon_threadsafe(process.stop.set)
        thread.join(30)
        assert not thread.is_alive(), "the worker did not stop"
        loop.close()
        os.close(reader)
        site.store.close()
