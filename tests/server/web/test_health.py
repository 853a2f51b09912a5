"""Probes: alive, ready with reasons, numbers; and who may see them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mxtest.console import Site
from mxward.server import metrics
from mxward.server.web import ready


async def test_alive(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_not_ready_without_a_gateway_and_says_why(site: Site, client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert "the gateway is not running" in answer.json()["problems"]
    async with site.client("203.0.113.9") as outsider:
        assert (await outsider.get("/readyz")).json() == {"ready": False}
        assert (await outsider.get("/healthz")).status_code == 200


def state(**changes: Any) -> dict[str, Any]:
    running = [{"name": f"{r}.0", "role": r, "state": "running"} for r in ("smtp", "delivery", "web", "jobs")]
    doc = {
        "running": True,
        "problems": [],
        "processes": running,
        "packs": ["starter@1"],
        "disk": {"for_messages": 10**9},
    }
    return doc | changes


@pytest.mark.parametrize(
    ("doc", "reasons"),
    [
        (state(), []),
        (state(running=False), ["the gateway is not running"]),
        (state(problems=["spool: damaged"]), ["spool: damaged"]),
        (state(packs=[]), ["no rule pack is loaded"]),
        (state(disk={"for_messages": 5}), ["the disk has room for 5 bytes of mail, 1,000 are needed"]),
        (state(processes=[]), ["no smtp worker runs", "no delivery worker runs"]),
        (
            state(processes=[{"name": "smtp.0", "role": "smtp", "state": "starting"},
                             {"name": "smtp.1", "role": "smtp", "state": "running"},
                             {"name": "delivery.0", "role": "delivery", "state": "waiting"}]),
            ["no delivery worker runs"],
        ),
    ],
)  # fmt: skip
def test_what_keeps_it_from_being_ready(doc: dict[str, Any], reasons: list[str]) -> None:
    assert ready.judge(doc, 1000) == reasons


async def test_the_numbers_are_prometheus_text(site: Site, client: httpx.AsyncClient) -> None:
    counters = metrics.Metrics()
    counters.open(site.console.config.data / "run" / "metrics", "smtp.0")
    counters.add("smtp_accepted_total", 7)
    counters.add("smtp_sessions_open", 2)
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {f.name: f for f in text_string_to_metric_families(answer.text)}
    accepted = families["mxward_smtp_accepted"]
    assert accepted.type == "counter"
    assert accepted.samples[0].name == "mxward_smtp_accepted_total"
    assert (accepted.samples[0].labels, accepted.samples[0].value) == ({"process": "smtp.0"}, 7)
    assert families["mxward_smtp_sessions_open"].type == "gauge"
    places = {s.labels["place"]: s.value for s in families["mxward_ledger_recipients"].samples}
    assert places == {
        "accepted": 5,
        "queued": 1,
        "delivered": 1,
        "held": 3,
        "discarded": 0,
        "bounced": 0,
        "redirected": 0,
    }
    assert families["mxward_ledger_consistent"].samples[0].value == 1
    assert families["mxward_queue_recipients"].samples[0].value == 1
    assert families["mxward_store_free_bytes"].samples[0].value > 0
    assert families["mxward_queue_oldest_timestamp_seconds"].samples[0].value > 1.7e9
    named = {f"mxward_{name}" for name in metrics.COUNTERS}
    assert named <= {s.name for f in families.values() for s in f.samples}


async def test_the_numbers_are_for_this_machine_or_someone_signed_in(site: Site, client: httpx.AsyncClient) -> None:
    assert (await client.get("/metrics")).status_code == 200
    assert (await client.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 403
    async with site.client("203.0.113.9") as outsider:
        assert (await outsider.get("/metrics")).status_code == 403
        site.enter(outsider)
        assert (await outsider.get("/metrics")).status_code == 200
