"""Retention: settled bodies are dropped, the quarantine expires, and mostly dead spool segments are rewritten.

Never touches mail that is queued or held. A segment is removed only after its last live record was copied to
this process's own shard and the rows that refer to it were moved in a durable transaction.
"""

from __future__ import annotations

from mxward.server.store.backend import Backend


class Purge:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def run(self, now: int, keep_us: int) -> dict[str, int]:
        return {}
