"""From the configuration to engines and their detectors; how each of them is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from mxward.core.detect.detector import Detector
from mxward.core.detect.engine import EngineDetector, Said
from mxward.core.errors import EngineError
from mxward.server.config import Config, Engine
from mxward.server.engines.clamd import Clamd
from mxward.server.engines.command import Command
from mxward.server.engines.icap import Icap
from mxward.server.metrics import METRICS

_COUNTING: Final = threading.Lock()  # scan threads of one process share its counters
HEALTH_S: Final = 2.0  # that an engine may take to say that it lives


class Client(Protocol):
    """An engine that can also be asked how it is."""

    name: str

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]: ...
    def health(self, seconds: float) -> dict[str, str]: ...


class _Counted:
    """A client whose questions are counted."""

    def __init__(self, client: Client) -> None:
        self.name, self._client = client.name, client

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]:
        with _COUNTING:
            METRICS.add("engine_scans_total", 1)
        try:
            return self._client.scan(data, seconds)
        except EngineError:
            with _COUNTING:
                METRICS.add("engine_failures_total", 1)
            raise


def client_of(engine: Engine) -> Client:
    """The client of one configured engine."""
    if engine.kind == "clamd":
        return Clamd(engine.name, engine.servers)
    if engine.kind == "icap":
        return Icap(engine.name, engine.servers, engine.service, engine.method)
    return Command(engine.name, engine.command, engine.clean_status, engine.found_status)


@lru_cache(maxsize=64)
def _detector(name: str, encoded: bytes) -> EngineDetector:
    """Kept over reloads, so that what is known of servers that fail is kept."""
    engine = msgspec.json.decode(encoded, type=Engine)
    return EngineDetector(
        _Counted(client_of(engine)), seconds=engine.timeout, on_down=engine.on_down, scans=engine.scan
    )


def detectors_of(config: Config) -> Sequence[Detector]:
    """A detector for each configured engine, in their order."""
    return [_detector(engine.name, msgspec.json.encode(engine)) for engine in config.engine]


def health(config: Config, seconds: float = HEALTH_S) -> list[dict[str, Any]]:
    """For each engine its name, kind, and server -> "" or what is wrong with it."""
    return [
        {"name": engine.name, "kind": engine.kind, "servers": client_of(engine).health(seconds)}
        for engine in config.engine
    ]
