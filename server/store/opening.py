"""Open a store: directories, keys, database, migrations, and the parts put together."""

from __future__ import annotations

import re

from mxward.core.errors import StoreError, StoreFull, StoreUnavailable
from mxward.server.config import Config
from mxward.server.store.backend import Backend, Bodies
from mxward.server.store.bodies import RowBodies, SpoolBodies
from mxward.server.store.crypto import Sealer
from mxward.server.store.engine import Engine
from mxward.server.store.files import FULL_ERRNOS, make_directory
from mxward.server.store.fitness import Fitness
from mxward.server.store.keys import KeyRing
from mxward.server.store.migrate import migrate
from mxward.server.store.spool import Spool
from mxward.server.store.sqlite import SqliteEngine
from mxward.server.store.store import SqlStore

_PROCESS = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def open_store(config: Config, process: str = "cli") -> SqlStore:
    """See `mxward.server.store.open_store`."""
    if not _PROCESS.fullmatch(process):
        raise StoreError(f"{process!r} is no process name")
    try:
        make_directory(config.data)
        return _assemble(config, process)
    except OSError as error:
        kind = StoreFull if error.errno in FULL_ERRNOS else StoreUnavailable
        raise kind(f"{config.data}: {error}") from error


def _assemble(config: Config, process: str) -> SqlStore:
    fitness, keys = Fitness(), KeyRing(config.data)
    engine = _engine(config, fitness)
    try:
        migrate(engine)
        bodies: Bodies
        if engine.name == "sqlite":
            spool = Spool(config.data / "spool", process, config.store.segment_bytes, fitness)
            bodies = SpoolBodies(spool)
        else:
            bodies = RowBodies(engine)
        sealer = Sealer(keys, config.store.zstd_level)
        return SqlStore(Backend(config, engine, bodies, keys, sealer, fitness))
    except BaseException:
        engine.close()
        raise


def _engine(config: Config, fitness: Fitness) -> Engine:
    if config.store.url == "sqlite":
        return SqliteEngine(config.data, fitness)
    from mxward.server.store.postgres import PostgresEngine  # its driver loads only where it is used

    return PostgresEngine(config.store.url, fitness)
