"""Counters shared between processes: one small mmapped file a process, summed by whoever reads.

A counter costs a list index and an add; a killed process leaves its last values behind, and its successor with
the same role and number goes on from them, so that sums never fall.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final

# name -> help. Append only: the position is the format of the files.
COUNTERS: Final[dict[str, str]] = {
    "smtp_sessions_total": "SMTP sessions begun",
    "smtp_sessions_open": "SMTP sessions open now",
    "smtp_rejected_sessions_total": "Sessions refused for load, limits or access",
    "smtp_transactions_total": "Transactions that reached end of data",
    "smtp_accepted_total": "Messages answered 250",
    "smtp_accepted_recipients_total": "Recipients of messages answered 250",
    "smtp_refused_total": "Messages refused with 5xx at end of data",
    "smtp_deferred_total": "Messages answered 4xx at end of data",
    "smtp_bytes_total": "Bytes of messages received",
    "smtp_tls_sessions_total": "Sessions that went to TLS",
    "smtp_auth_failures_total": "Failed authentications",
    "scan_messages_total": "Messages scanned",
    "scan_us_total": "Microseconds of wall time spent in the pipeline",
    "scan_hits_total": "Hits found",
    "scan_degraded_total": "Messages scanned with an engine missing",
    "verdict_clean_total": "Messages judged clean",
    "verdict_bulk_total": "Messages judged bulk",
    "verdict_suspect_total": "Messages judged suspect",
    "verdict_spam_total": "Messages judged spam",
    "verdict_offensive_total": "Messages judged offensive",
    "verdict_policy_total": "Messages judged against policy",
    "verdict_phish_total": "Messages judged phish",
    "verdict_malware_total": "Messages judged malware",
    "commit_batches_total": "Durable transactions",
    "commit_messages_total": "Messages in them",
    "commit_us_total": "Microseconds spent in durable transactions",
    "commit_failures_total": "Durable transactions that failed",
    "delivery_attempts_total": "Delivery attempts of a recipient",
    "delivery_delivered_total": "Recipients delivered",
    "delivery_deferred_total": "Attempts that will be repeated",
    "delivery_bounced_total": "Recipients bounced",
    "delivery_dsn_total": "Delivery status notifications made",
    "delivery_connections_total": "Connections opened to next hops",
    "delivery_reused_total": "Transactions on a connection that was open already",
    "delivery_bytes_total": "Bytes sent to next hops",
    "delivery_active": "Transactions under way to next hops",
    "jobs_selftest_total": "Self-tests of the scanning pipeline",
    "jobs_rule_rollbacks_total": "New rule packs undone because they matched most mail",
    "jobs_selftest_failures_total": "Self-tests in which a test message was not recognised",
    "jobs_failures_total": "Passes of a periodic job that failed",
    "jobs_expired_total": "Recipients whose time in quarantine was over",
    "jobs_bodies_dropped_total": "Bodies of settled messages dropped after their time",
    "store_free_bytes": "Bytes that the store may still take",
    "store_problems": "Problems that the store reports of itself",
    "engine_scans_total": "Contents that other scanners were asked about",
    "engine_failures_total": "Contents that another scanner gave no answer about",
    "sandbox_sessions_total": "Messages whose attachments went to the sandbox",
    "sandbox_attachments_total": "Attachments opened in the sandbox",
    "sandbox_us_total": "Microseconds of wall time spent waiting for the sandbox",
    "sandbox_cpu_us_total": "Microseconds of processor time that sandbox workers used",
    "sandbox_crashes_total": "Sandbox workers that died of an attachment",
    "sandbox_timeouts_total": "Attachments that took longer than they may, and whose worker was ended",
    "sandbox_unavailable_total": "Attachments for which no sandbox worker could be had",
    "sandbox_restarts_total": "Template processes of the sandbox that ended and were replaced",
    "engine_servers_down": "Servers of other scanners that do not answer now",
}
GAUGES: Final = frozenset(
    ("smtp_sessions_open", "delivery_active", "store_free_bytes", "store_problems", "engine_servers_down")
)
_INDEX: Final = {name: i for i, name in enumerate(COUNTERS)}
_SIZE: Final = 4096


class Metrics:
    """Counters of this process. Before `open` they live in plain memory, so that tests need no set-up."""

    def __init__(self) -> None:
        self._values: memoryview = memoryview(bytearray(_SIZE)).cast("q")

    def open(self, directory: Path, role: str) -> None:
        """Continue the counters in directory/ROLE.bin. Gauges restart at 0."""
        directory.mkdir(parents=True, exist_ok=True)
        fd = os.open(directory / f"{role}.bin", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.ftruncate(fd, _SIZE)
            self._values = memoryview(mmap.mmap(fd, _SIZE)).cast("q")
        finally:
            os.close(fd)
        for name in GAUGES:
            self._values[_INDEX[name]] = 0

    def add(self, name: str, n: int = 1) -> None:
        self._values[_INDEX[name]] += n

    def set(self, name: str, value: int) -> None:
        """Set a gauge. Gauges are summed over processes, so only one process sets each."""
        self._values[_INDEX[name]] = value

    def value(self, name: str) -> int:
        return self._values[_INDEX[name]]


METRICS = Metrics()


def read_all(directory: Path) -> dict[str, dict[str, int]]:
    """Counters by role: {"smtp.0": {"smtp_accepted_total": 12, ...}, ...}; unreadable files are left out."""
    out: dict[str, dict[str, int]] = {}
    for path in sorted(directory.glob("*.bin")):
        data = path.read_bytes()[: 8 * len(COUNTERS)]
        if len(data) == 8 * len(COUNTERS):
            out[path.stem] = dict(zip(COUNTERS, struct.unpack(f"{len(COUNTERS)}q", data), strict=True))
    return out


def total(directory: Path) -> dict[str, int]:
    """Counters summed over all processes."""
    out = dict.fromkeys(COUNTERS, 0)
    for values in read_all(directory).values():
        for name, value in values.items():
            out[name] += value
    return out
