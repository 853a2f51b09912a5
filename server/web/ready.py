"""What keeps this gateway from being ready, in words; nothing when mail can be taken, judged and delivered."""

from __future__ import annotations

from typing import Any

from mxward.server.services import status
from mxward.server.services.context import Context


def problems(context: Context) -> list[str]:
    """For /readyz: the store is fit, a worker of each vital role runs, rules are loaded, the disk has room."""
    return judge(status.collect(context), context.config.smtp.limits.min_free_bytes)


def judge(doc: dict[str, Any], floor: int) -> list[str]:
    """The same from what `status.collect` gave. `floor`: free bytes below which new mail is refused."""
    found = list(doc["problems"])
    if not doc["running"]:
        found.append("the gateway is not running")
    else:
        found += [f"no {role} worker runs" for role in status.VITAL if not _runs(doc, role)]
    if not doc["packs"]:
        found.append("no rule pack is loaded")
    room = doc["disk"]["for_messages"]
    if room < floor:
        found.append(f"the disk has room for {room:,} bytes of mail, {floor:,} are needed")
    return found


def _runs(doc: dict[str, Any], role: str) -> bool:
    return any(p["role"] == role and p["state"] == "running" for p in doc["processes"])
