"""Master keys: rotation, and their ids for lists. The keys themselves never leave the store."""

from __future__ import annotations

from typing import Any

from mxward.server.services.context import Context
from mxward.server.store.keys import KeyRing


def rotate(context: Context) -> str:
    """Make a new master key current; returns its id. The store writes the audit entry itself."""
    return context.store.rotate_key(context.clock.now_us(), context.actor)


def entries(context: Context) -> list[dict[str, Any]]:
    """[{"id", "current"}, ...], the current one first."""
    ring = KeyRing(context.config.data)
    current = ring.current()[0].decode()
    return [{"id": current, "current": True}, *({"id": i, "current": False} for i in ring.ids() if i != current)]
