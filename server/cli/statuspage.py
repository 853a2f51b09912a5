"""`mxward status` for people."""

from __future__ import annotations

import time
from typing import Any

from mxward.server.cli.output import bold, line, safe, table


def show(doc: dict[str, Any]) -> None:
    """Print what `services.status.collect` found."""
    run = f"running as process {doc['pid']} since {_when(doc['started_at'])}" if doc["running"] else "not running"
    line(f"mxward {doc['version']}: {run}{'' if doc['ready'] else ', NOT READY'}")
    for listener in doc["listeners"]:
        line(f"  {listener['side']:<9} SMTP {listener['address']}")
    if doc["console"]:
        line(f"  console   {doc['console']}")
    for problem in doc["problems"]:
        line(f"  problem: {safe(problem)}")
    if doc["loading"]:
        line(f"  rules are being loaded: {safe(doc['loading'])}; mail is judged without them and marked so")
    if doc["processes"]:
        line()
        table(
            ("PROCESS", "PID", "STATE", "RESTARTS", "SINCE", "A KILL LOSES"),
            (
                (p["name"], p["pid"] or "-", p["state"], p["restarts"], _when(p["since"]), p["loses"])
                for p in doc["processes"]
            ),
            right=frozenset((1, 3)),
        )
    _section("queue", doc["queue"])
    _section("last 24 hours, by verdict", doc["counts"]["by_verdict"])
    _section("counters", {k: v for k, v in doc["counters"].items() if v})
    _section("disk", {f"{k} (MB)": v // 1_000_000 for k, v in doc["disk"].items()})
    if doc["sandbox"]:
        _sandbox(doc["sandbox"])
    if doc.get("engines"):
        _engines(doc["engines"])
    if doc["packs"]:
        line()
        line(f"{bold('rule packs')}  {safe(', '.join(doc['packs']))}")


def _sandbox(found: dict[str, Any]) -> None:
    """What the processes that open attachments have given up, and what they could not."""
    line()
    line(f"{bold('sandbox')}  each process that opens attachments")
    for text in found["active"]:
        line(f"  {text}")
    for text, reason in found["missing"].items():
        line(f"  MISSING: {text} ({reason})")


def _engines(found: list[dict[str, Any]]) -> None:
    """Other scanners, and which of their servers answer."""
    line()
    line(bold("other scanners"))
    for engine in found:
        for server, fault in engine["servers"].items():
            state = f"DOWN, {safe(fault)}" if fault else "answers"
            line(f"  {safe(engine['name'])} ({engine['kind']})  {safe(server)}: {state}")


def _section(title: str, values: dict[str, Any]) -> None:
    line()
    line(bold(title))
    if not values:
        line("  nothing")
    for name, value in values.items():
        line(f"  {safe(name):<40} {value:>14,}" if isinstance(value, int) else f"  {safe(name):<40} {safe(value):>14}")


def _when(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch)) if epoch else "-"
