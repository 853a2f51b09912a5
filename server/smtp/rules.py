"""Has rules worked out in the background: one process for all workers, each of which then loads what it left.

The gateway serves meanwhile with the rules there are (core/rules/staged.py). The process itself is rulebuild.py.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import orjson

from mxward.core.rules.manage import enabled_packs
from mxward.core.rules.staged import is_built
from mxward.server.config import Config
from mxward.server.process import Process
from mxward.server.rulebuild import LOCK_FILE, forget
from mxward.server.trust import trust_of

ASK_EVERY_S: Final = 0.25  # whether the worker that has rules worked out is done
RETRY_S: Final = 60.0  # after rules could not be worked out


def are_there(config: Config) -> bool:
    """Would the pipeline of this configuration load from the cache? Raises RulePackError for a pack that is wrong."""
    return is_built(enabled_packs(config.data / "rules", trust_of(config)), config.data / "cache")


async def work_out(process: Process, config: Config) -> bool:
    """See to it that the cache has what the packs need, by this worker's doing or another's. False: it could not be.

    Cancelled, it takes its process with it.
    """
    if await asyncio.to_thread(are_there, config):
        forget(config.data)
        return True
    async with _turn(config):
        return await asyncio.to_thread(are_there, config) or await _run(process, config) == 0


@asynccontextmanager
async def _turn(config: Config) -> AsyncIterator[None]:
    """Hold the lock that one of all workers may have; its death lets it go."""
    fd = os.open(config.data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(ASK_EVERY_S)
        yield
    finally:
        os.close(fd)


async def _run(process: Process, config: Config) -> int:
    doc = {
        "role": "rules", "index": process.index, "config": process.config_path, "data": str(config.data),
        "overrides": process.overrides, "parent": os.getpid(),
    }  # fmt: skip
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mxward.server.rulebuild", stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, "MXWARD_PROCESS": orjson.dumps(doc).decode(), "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
