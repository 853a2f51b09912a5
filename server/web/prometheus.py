"""The counters of all processes and the gauges of queue and ledger, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from mxward.server import metrics
from mxward.server.store.api import Store

LEDGER: Final = ("accepted", "queued", "delivered", "held", "discarded", "bounced", "redirected")
Family = CounterMetricFamily | GaugeMetricFamily


class _Gateway(Collector):
    """One scrape: reads the counter files when asked, keeps nothing."""

    def __init__(self, directory: Path, account: dict[str, Any], store: Store) -> None:
        self._directory, self._account, self._store = directory, account, store

    def collect(self) -> Iterable[Family]:
        yield from _counters(metrics.read_all(self._directory))
        recipients = GaugeMetricFamily(
            "mxward_ledger_recipients", "Recipients by place in the ledger", labels=["place"]
        )
        for place in LEDGER:
            recipients.add_metric([place], self._account[place])
        yield recipients
        yield _gauge("mxward_ledger_consistent", "1 when the ledger adds up", int(self._account["consistent"]))
        yield _gauge("mxward_queue_recipients", "Recipients waiting to be delivered", self._account["queued"])
        yield _gauge("mxward_store_free_bytes", "Space left for new messages", self._store.free_bytes())
        oldest = self._store.counts(0)["oldest_queued"] / 1e6
        yield _gauge("mxward_queue_oldest_timestamp_seconds", "When the oldest waiting message came; 0: none", oldest)


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=value)


def _counters(by_process: dict[str, dict[str, int]]) -> Iterable[Family]:
    """One family a name, a sample a process ("smtp.0"), so that a sum is Prometheus's to make."""
    for name, help_ in metrics.COUNTERS.items():
        kind = GaugeMetricFamily if name in metrics.GAUGES else CounterMetricFamily
        family: Family = kind(f"mxward_{name}", help_, labels=["process"])
        for process, values in by_process.items():
            family.add_metric([process], values[name])
        yield family


def exposition(directory: Path, account: dict[str, Any], store: Store) -> bytes:
    """Prometheus text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gateway(directory, account, store))
    return generate_latest(registry)
