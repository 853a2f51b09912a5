"""What is told of the restrictions: by a worker, to the file, to `mxward status` and the console."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from mxward.server.cli import statuspage
from mxward.server.sandbox import report
from mxward.server.sandbox.report import Report
from mxward.server.sandbox.restrict import RESTRICTIONS, hello


def test_what_nobody_tried_is_missing() -> None:
    found = Report.of(hello({"seccomp": 0, "user": errno.EPERM}))
    assert found.active == ["seccomp"]
    assert found.missing["user"] == "EPERM"
    assert found.missing["network"] == "ENOSYS"
    assert len(found.active) + len(found.missing) == len(RESTRICTIONS)


@pytest.mark.parametrize("said", [b"", b"\0\0", b"\0" * 100, b"\xfe" * 16])
def test_whatever_is_said_every_restriction_is_active_or_missing(said: bytes) -> None:
    found = Report.of(said)
    assert {*found.active, *found.missing} == set(RESTRICTIONS)


def test_reports_of_several_processes_are_one_and_the_worst_counts(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert report.read(tmp_path) is None
    report.write(tmp_path, "smtp.0", Report.of(bytes(len(RESTRICTIONS))))
    assert report.read(tmp_path) == {"active": list(RESTRICTIONS.values()), "missing": {}}
    codes = dict.fromkeys(RESTRICTIONS, 0) | {"network": errno.EPERM}
    report.write(tmp_path, "smtp.1", Report.of(hello(codes)))
    found = report.read(tmp_path)
    assert found is not None and found["missing"] == {RESTRICTIONS["network"]: "EPERM"}
    assert len(found["active"]) == len(RESTRICTIONS) - 1


def test_reports_of_the_dead_and_broken_ones_count_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "sandbox.smtp.0.json"
    for content in (b'{"pid": 999999999, "active": [], "missing": {}}', b"{", b"[]", b'{"pid": "x"}'):
        path.write_bytes(content)
        assert report.read(tmp_path) is None
    report.write(tmp_path, "smtp.0", Report([], {}))
    assert str(os.getpid()).encode() in path.read_bytes()


def test_the_command_line_names_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    doc: dict[str, Any] = {
        "version": "1", "running": False, "ready": False, "listeners": [], "console": "", "problems": [],
        "loading": "", "processes": [], "engines": {}, "queue": {}, "counts": {"by_verdict": {}}, "counters": {},
        "disk": {},
        "packs": [], "sandbox": {"active": ["has a limit of memory"], "missing": {"has no network": "EPERM"}},
    }  # fmt: skip
    statuspage.show(doc)
    out = capsys.readouterr().out
    assert "has a limit of memory" in out
    assert "MISSING: has no network (EPERM)" in out
