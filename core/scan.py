"""Judging bytes outside the mail flow: the record that `mxward scan --json` prints, and what files need first."""

from __future__ import annotations

import time
from typing import Any

from mxward.core.message import Envelope
from mxward.core.pipeline import Pipeline


def normalise(raw: bytes) -> bytes:
    """A message file as SMTP would have brought it: without an mbox `From ` line, with CRLF line ends.

    Only a whole first line "From ..." that is no header field is dropped. A bare CR stays: it is an anomaly.
    """
    if raw.startswith((b"From ", b">From ")):
        raw = raw[raw.find(b"\n") + 1 :] if b"\n" in raw else b""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def scan_bytes(pipeline: Pipeline, raw: bytes, envelope: Envelope | None = None) -> dict[str, Any]:
    """Judge one message. Never raises on content.

    Args: raw: CRLF line ends (see `normalise`); envelope: None stands for an inbound message of unknown sender
    and no recipients.
    Returns: verdict, score, hits, parts, not_inspected, elapsed_us; the caller adds the path.
    """
    started = time.perf_counter_ns()
    message = pipeline.judge(raw, envelope or Envelope("", ()))
    elapsed_us = (time.perf_counter_ns() - started) // 1000
    assert message.verdict is not None, "judge always gives a verdict"
    judged = message.verdict.to_dict()
    record: dict[str, Any] = {
        "verdict": judged["verdict"], "score": judged["score"], "hits": judged["hits"],
        "parts": [part.to_dict() for part in message.parts], "not_inspected": judged["not_inspected"],
        "elapsed_us": elapsed_us, "packs": judged["packs"],
    }  # fmt: skip
    if message.dispositions:
        record["dispositions"] = [disposition.to_dict() for disposition in message.dispositions]
    return record
