"""The delivery process: opens the store, listens for hints of new mail, runs the engine, drains on stop."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from mxward.server.delivery.engine import Engine
from mxward.server.delivery.resolve import Resolver
from mxward.server.sandbox.setup import small_pool
from mxward.server.store import open_store
from mxward.server.store.group import GroupCommit

if TYPE_CHECKING:
    from mxward.server.config import Config
    from mxward.server.process import Process


async def serve(process: Process) -> None:
    """Deliver until process.stop is set.

    A datagram of any content on DATA/run/delivery.INDEX.sock means that something was committed.
    """
    loop = asyncio.get_running_loop()
    store = await loop.run_in_executor(None, open_store, process.config, process.name)
    group = GroupCommit(store)
    config, prefix = process.config, f"{process.name}@{process.config.hostname}:"
    owner, resolver = f"{prefix}{os.getpid()}", make_resolver(config)
    sandbox = small_pool(config.sandbox)  # starts nothing until there is something to be disarmed
    engine = Engine(config, store, group, process.log, owner=owner, resolver=resolver, opener=sandbox)
    hints = bind_hints(config.data / "run" / f"{process.name}.sock")
    loop.add_reader(hints, _on_hint, hints, engine)

    async def reload(new: Config) -> None:
        engine.reconfigure(new, make_resolver(new))

    process.reloads.append(reload)
    try:
        await engine.reclaim(prefix)
        process.ready()
        await engine.run(process.stop)
    finally:
        loop.remove_reader(hints)
        hints.close()
        sandbox.close()
        await group.close()
        store.close()


def make_resolver(config: Config) -> Resolver:
    """A resolver that knows our own names and addresses, to see loops."""
    addresses = [listener.address.rpartition(":")[0].strip("[]") for listener in config.listener]
    return Resolver(config.delivery.resolver, own_names=[config.hostname], own_addresses=addresses)


def bind_hints(path: Path) -> socket.socket:
    """The datagram socket for hints; a stale one of an earlier life is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(str(path))
    path.chmod(0o660)
    return sock


def _on_hint(sock: socket.socket, engine: Engine) -> None:
    try:
        while sock.recv(64):
            pass
    except OSError:  # BlockingIOError: all read
        pass
    engine.wake()
