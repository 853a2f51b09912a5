"""The state of the gateway as a whole: what runs, what is counted, what waits, what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import orjson

from mxward import __version__
from mxward.core.errors import StoreError
from mxward.server import metrics
from mxward.server.rulebuild import PROGRESS_FILE
from mxward.server.run import datadir
from mxward.server.sandbox import report
from mxward.server.services import rules
from mxward.server.services.context import Context
from mxward.server.store.api import HELD, QUARANTINED, QUEUED

DAY_US: Final = 86_400_000_000
# Roles without which mail does not flow.
VITAL: Final = ("smtp", "delivery")


def collect(context: Context) -> dict[str, Any]:
    """Everything `mxward status` and the first page show. A store that fails is a problem listed, not an error."""
    data = context.config.data
    pid = datadir.running_pid(data)
    published = read_published(data) if pid else {}
    processes = published.get("processes", [])
    counts, problems = _ask_store(context)
    if published.get("state") == "running":
        problems += [_complaint(p) for p in processes if p["state"] != "running" and p["role"] in VITAL]
    if pid and (fault := fault_of_rules(data)):
        problems.append(f"mail is judged without some rules: {fault}")
    by_state = counts["by_state"]
    return {
        "version": __version__,
        "running": bool(pid),
        "ready": bool(pid) and published.get("state") == "running" and not problems,
        "pid": pid,
        "state": published.get("state", "stopped"),
        "started_at": published.get("started_at", 0),
        "listeners": published.get("listeners", []),
        "console": published.get("console", ""),
        "processes": processes,
        "counters": metrics.total(data / "run" / "metrics"),
        "queue": {
            "queued": by_state.get(QUEUED, 0),
            "held": by_state.get(HELD, 0),
            "quarantined": by_state.get(QUARANTINED, 0),
            "oldest_queued_s": _age(context, counts["oldest_queued"]),
        },
        "counts": counts,
        "disk": disk(context),
        "loading": loading(data) if pid else "",
        "sandbox": report.read(data) if pid else None,
        "packs": [f"{p['name']}@{p['version']}" for p in rules.entries(context.config) if p["enabled"]],
        "problems": problems,
    }


def read_published(data: Path) -> dict[str, Any]:
    """What the supervisor last wrote of itself; {} when there is nothing readable."""
    try:
        doc = orjson.loads((data / datadir.STATUS_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return doc if isinstance(doc, dict) else {}


def loading(data: Path) -> str:
    """What is being worked out of rules while mail is judged without them, with how far it is; "" when nothing is."""
    doc = _build_of_rules(data)
    if "what" not in doc or not _is_alive(doc["pid"]):
        return ""
    return doc["what"] if doc["percent"] is None else f"{doc['what']}, {doc['percent']} %"


def fault_of_rules(data: Path) -> str:
    """Why rules could not be worked out; "" when they could, or are being worked out."""
    return str(_build_of_rules(data).get("fault", ""))


def _build_of_rules(data: Path) -> dict[str, Any]:
    try:
        doc = orjson.loads((data / PROGRESS_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return doc if isinstance(doc, dict) else {}


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def disk(context: Context) -> dict[str, int]:
    """Bytes of the disk that holds the data directory; `for_messages` is what the store may still take."""
    usage = shutil.disk_usage(context.config.data)
    try:
        free = context.store.free_bytes()
    except StoreError:
        free = 0
    return {"total": usage.total, "used": usage.used, "free": usage.free, "for_messages": free}


def _ask_store(context: Context) -> tuple[dict[str, Any], list[str]]:
    empty: dict[str, Any] = {"by_verdict": {}, "by_state": {}, "by_direction": {}, "oldest_queued": 0}
    try:
        return context.store.counts(context.clock.now_us() - DAY_US), context.store.check()
    except StoreError as error:
        return empty, [f"store: {error}"]


def _complaint(process: dict[str, Any]) -> str:
    after = f" after {process['last_exit']}" if process["last_exit"] else ""
    return f"{process['name']} is {process['state']}{after}"


def _age(context: Context, oldest_us: int) -> int:
    return max(0, context.clock.now_us() - oldest_us) // 1_000_000 if oldest_us else 0
