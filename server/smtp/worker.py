"""The smtp role: opens store and pipeline, serves the listening sockets, reloads whole, drains on stop."""

from __future__ import annotations

import asyncio
import gc

from mxward.core.errors import ConfigError, MxwardError
from mxward.core.extract.opener import Opener
from mxward.core.pipeline import load_pipeline
from mxward.core.rules.staged import Loading
from mxward.server.clock import SYSTEM_CLOCK
from mxward.server.config import Config
from mxward.server.engines.setup import detectors_of
from mxward.server.process import Process
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.setup import forget, pool_of
from mxward.server.smtp.finish import Finish
from mxward.server.smtp.front import SmtpFront
from mxward.server.smtp.load import Load
from mxward.server.smtp.password import Passwords
from mxward.server.smtp.rules import RETRY_S, work_out
from mxward.server.smtp.scanpool import ScanPool
from mxward.server.smtp.settings import Settings, build
from mxward.server.smtp.tls import server_context
from mxward.server.smtp.wake import Wake
from mxward.server.store import open_store
from mxward.server.store.group import GroupCommit
from mxward.server.trust import trust_of

DRAIN_SECONDS = 20.0
TEND_SECONDS = 1.0  # between two looks whether the sandbox's template lives, when no mail asks for it
GC_THRESHOLD = 10_000  # new containers between two young collections; messages make no cycles worth haste (-8 % CPU)


def load_settings(config: Config, opener: Opener | None = None) -> Settings:
    """Pipeline, certificate, recipients: everything a reload replaces. Blocking. Raises ConfigError and its kin.

    The sandbox is not among it: its processes stay.

    The certificate of implicit TLS listeners is the one that the worker started with.
    """
    return _load(config, opener, waits=True)[0]


def _load(config: Config, opener: Opener | None, *, waits: bool) -> tuple[Settings, tuple[Loading, ...]]:
    """Settings, and the rules that are not waited for."""
    for i, listener in enumerate(config.listener):
        if listener.proxy_protocol and listener.tls == "implicit":
            # The first bytes of TLS may come in one packet with the PROXY header, and no loop takes them back.
            raise ConfigError("implicit TLS cannot follow a PROXY header", key=f"listener[{i}].tls", allowed="starttls")
    pipeline = load_pipeline(
        config.data, config.domains.local, trust_of(config), waits=waits, opener=opener, engines=detectors_of(config)
    )
    pipeline.warm()
    return build(config, pipeline, server_context(config)), pipeline.loading


async def _tend(sandbox: SandboxPool) -> None:
    """Replace a template of the sandbox that dies while nobody asks for it."""
    while True:
        await asyncio.sleep(TEND_SECONDS)
        await asyncio.to_thread(sandbox.tend)


async def _complete(process: Process, front: SmtpFront, loading: tuple[Loading, ...], opener: Opener) -> None:
    """Have the rules worked out that the worker started without, and take them up."""
    process.log.warning("rules_loading", missing={engine: list(packs) for engine, packs in loading})
    while True:
        try:
            if await work_out(process, process.config):
                async with process.reloading:
                    front.settings = await asyncio.to_thread(load_settings, process.config, opener)
                break
        except (MxwardError, OSError) as error:
            process.log.error("rules_not_loaded", reason=str(error))
        await asyncio.sleep(RETRY_S)
    _keep_out_of_collections()
    process.log("rules_loaded", version=front.settings.pipeline.version)


def _keep_out_of_collections() -> None:
    """What was loaded until here lives as long as the worker: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


async def serve(process: Process) -> None:
    """Serve until `process.stop`, then finish what runs. Raises when store, pipeline or certificate cannot be had.

    Rules that take long and are not in the cache come later: see _complete.
    """
    loop, config = asyncio.get_running_loop(), process.config
    sandbox = pool_of(config, process.name, process.log)
    sandbox.start()  # it loads its readers while we load our rules
    settings, loading = await asyncio.to_thread(_load, config, sandbox, waits=False)
    store = open_store(config, process.name)
    group, pool = GroupCommit(store), ScanPool(config.scan.threads)
    load, passwords = Load(store.free_bytes, loop.time), Passwords(store.user)
    wake = Wake(config.data / "run", config.delivery.workers)
    finish = Finish(group, pool, load, process.log, SYSTEM_CLOCK, wake)
    front = SmtpFront(settings, load, finish, passwords, pool, process.log)

    async def reload(config: Config) -> None:
        """The new settings are complete before the first session sees them; a fault leaves the old in force."""
        await work_out(process, config)  # when it cannot be done, loading says why
        front.settings = await asyncio.to_thread(load_settings, config, sandbox)

    process.reloads.append(reload)
    servers = [await front.listen(listener, sock) for listener, sock in process.sockets if listener is not None]
    _keep_out_of_collections()
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    process.ready()
    beside = [loop.create_task(_tend(sandbox))]
    if loading:
        beside.append(loop.create_task(_complete(process, front, loading, sandbox)))
    await process.stop.wait()
    for task in beside:
        task.cancel()
    await asyncio.wait(beside)
    for server in servers:
        server.close()
    await front.drain(DRAIN_SECONDS)
    await group.close()
    pool.close()
    sandbox.close()
    forget(config.data, process.name)
    passwords.close()
    wake.close()
    store.close()
