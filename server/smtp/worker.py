"""The smtp role: opens store and pipeline, serves the listening sockets, reloads whole, drains on stop."""

from __future__ import annotations

import asyncio
import gc

from mxward.core.errors import ConfigError
from mxward.core.pipeline import load_pipeline
from mxward.server.clock import SYSTEM_CLOCK
from mxward.server.config import Config
from mxward.server.process import Process
from mxward.server.smtp.finish import Finish
from mxward.server.smtp.front import SmtpFront
from mxward.server.smtp.load import Load
from mxward.server.smtp.password import Passwords
from mxward.server.smtp.scanpool import ScanPool
from mxward.server.smtp.settings import Settings, build
from mxward.server.smtp.tls import server_context
from mxward.server.smtp.wake import Wake
from mxward.server.store import open_store
from mxward.server.store.group import GroupCommit
from mxward.server.trust import trust_of

DRAIN_SECONDS = 20.0
GC_THRESHOLD = 10_000  # new containers between two young collections; messages make no cycles worth haste (-8 % CPU)


def load_settings(config: Config) -> Settings:
    """Pipeline, certificate, recipients: everything a reload replaces. Blocking. Raises ConfigError and its kin.

    The certificate of implicit TLS listeners is the one that the worker started with.
    """
    for i, listener in enumerate(config.listener):
        if listener.proxy_protocol and listener.tls == "implicit":
            # The first bytes of TLS may come in one packet with the PROXY header, and no loop takes them back.
            raise ConfigError("implicit TLS cannot follow a PROXY header", key=f"listener[{i}].tls", allowed="starttls")
    pipeline = load_pipeline(config.data, config.domains.local, trust_of(config))
    pipeline.warm()
    return build(config, pipeline, server_context(config))


async def serve(process: Process) -> None:
    """Serve until `process.stop`, then finish what runs. Raises when store, pipeline or certificate cannot be had."""
    loop, config = asyncio.get_running_loop(), process.config
    settings = await asyncio.to_thread(load_settings, config)
    store = open_store(config, process.name)
    group, pool = GroupCommit(store), ScanPool(config.scan.threads)
    load, passwords = Load(store.free_bytes, loop.time), Passwords(store.user)
    wake = Wake(config.data / "run", config.delivery.workers)
    finish = Finish(group, pool, load, process.log, SYSTEM_CLOCK, wake)
    front = SmtpFront(settings, load, finish, passwords, pool, process.log)

    async def reload(config: Config) -> None:
        """The new settings are complete before the first session sees them; a fault leaves the old in force."""
        front.settings = await asyncio.to_thread(load_settings, config)

    process.reloads.append(reload)
    servers = [await front.listen(listener, sock) for listener, sock in process.sockets if listener is not None]
    # What was loaded until here lives as long as the worker: the collector need not walk it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    process.ready()
    await process.stop.wait()
    for server in servers:
        server.close()
    await front.drain(DRAIN_SECONDS)
    await group.close()
    pool.close()
    passwords.close()
    wake.close()
    store.close()
