"""The state as a whole, without a running gateway; with one it is tested beside the supervisor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from mxward.core.errors import StoreUnavailable
from mxward.server import rulebuild
from mxward.server.cli import statuspage
from mxward.server.log import Log
from mxward.server.services import keys, reload, scanning, status
from mxward.server.services.context import Context
from mxward.server.services.errors import NotRunning
from mxward.server.store.api import HELD, QUARANTINED


def test_without_a_gateway_it_is_not_ready_and_still_tells(context: Context, put: Any, moving_time: Any) -> None:
    put(["a@trust.example"])
    put(["b@trust.example"], state=HELD)
    put(["c@trust.example"], state=QUARANTINED, area="spam")
    moving_time.advance(2)
    doc = status.collect(context)
    assert (doc["running"], doc["ready"], doc["pid"], doc["processes"]) == (False, False, 0, [])
    assert doc["queue"] == {"queued": 1, "held": 1, "quarantined": 1, "oldest_queued_s": 120}
    assert doc["counts"]["by_verdict"] == {"clean": 3}
    assert doc["problems"] == []
    assert 0 < doc["disk"]["for_messages"] <= doc["disk"]["total"]


def test_a_store_that_fails_is_a_problem_listed(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("the database went away")

    monkeypatch.setattr(type(context.store), "counts", fail)
    monkeypatch.setattr(type(context.store), "free_bytes", fail)
    doc = status.collect(context)
    assert doc["problems"] == ["store: the database went away"]
    assert doc["disk"]["for_messages"] == 0


def test_stale_or_broken_status_files_count_for_nothing(context: Context) -> None:
    path = context.config.data / "run" / "status.json"
    for content in (b'{"state": "running", "pid": 1, "processes": []}', b"{", b"[]"):
        path.write_bytes(content)
        assert status.collect(context)["state"] == "stopped"
    assert status.read_published(context.config.data) == {}


def test_how_far_rules_are_is_told_while_they_are_worked_out(
    context: Context, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mxward.server.run.datadir.running_pid", lambda data: os.getpid())
    data, log = context.config.data, Log("rules.0")
    assert status.collect(context)["loading"] == ""
    progress = rulebuild.Progress(data, log)
    progress.tell("YARA rules", 40)
    doc = status.collect(context)
    assert doc["loading"] == "YARA rules, 40 %"
    statuspage.show(doc)
    assert "rules are being loaded: YARA rules, 40 %" in capsys.readouterr().out
    progress(7, 7)
    assert status.collect(context)["loading"] == "expressions and SpamAssassin rules"
    (data / rulebuild.PROGRESS_FILE).write_bytes(b'{"pid": 4194305, "what": "YARA rules", "percent": 1}')
    assert status.collect(context)["loading"] == "", "who wrote that is gone"
    progress.fail("ours/a.yar: line 3")
    assert status.collect(context)["problems"] == ["mail is judged without some rules: ours/a.yar: line 3"]
    assert not status.collect(context)["ready"]
    rulebuild.forget(data)
    assert status.collect(context)["problems"] == []


def test_progress_is_logged_now_and_then(context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [0.0]
    monkeypatch.setattr("mxward.server.rulebuild.time.monotonic", lambda: now[0])
    with (tmp_path / "log").open("wb") as file:
        progress = rulebuild.Progress(context.config.data, Log("rules.0", fd=file.fileno()))
        for done in range(1, 11):
            now[0] += 1.0
            progress(done, 20)
    lines = [orjson.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["event"], line["percent"]) for line in lines] == [("rules_building", 25), ("rules_building", 50)]


def test_reload_needs_a_gateway(context: Context) -> None:
    with pytest.raises(NotRunning, match="no gateway is running"):
        reload.request(context)


def test_keys_rotate_and_are_listed_by_id(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example"], raw=b"Subject: x\r\n\r\nold key\r\n")
    (first,) = keys.entries(context)
    new = keys.rotate(context)
    assert keys.entries(context) == [{"id": new, "current": True}, {"id": first["id"], "current": False}]
    assert context.store.body(queue_id) == b"Subject: x\r\n\r\nold key\r\n"


def test_the_pipeline_passes_its_self_test(context: Context) -> None:
    assert scanning.self_test(context.config) == []


def test_a_pipeline_that_no_longer_sees_says_so(context: Context) -> None:
    (context.config.data / "policy.toml").write_text("")
    pipeline = scanning.current(context.config)
    blind = type(pipeline)((), pipeline.policy)
    scanning._CACHE[str(context.config.data), tuple(context.config.domains.local)] = (
        scanning._stamp(context.config), blind,
    )  # fmt: skip
    assert scanning.self_test(context.config) == [
        "EICAR was judged clean instead of malware", "GTUBE was judged clean instead of spam",
    ]  # fmt: skip
