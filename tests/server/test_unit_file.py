"""The systemd unit: systemd itself accepts it, finds it tight, and its time-outs fit the supervisor's."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mxward.server import supervisor

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "mxward.service"
NEEDS_SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # the documented way to keep case
    parser.read(UNIT)
    return parser["Service"]


def test_it_stops_later_than_the_supervisor_and_starts_in_time(service: configparser.SectionProxy) -> None:
    assert int(service["TimeoutStopSec"]) > supervisor.DRAIN_S
    assert int(service["TimeoutStartSec"]) > supervisor.START_S
    assert service["KillMode"] == "mixed"
    assert service["Type"] == "notify"


def test_it_runs_what_the_command_line_offers(service: configparser.SectionProxy) -> None:
    from typer.testing import CliRunner

    from mxward.server.cli.app import app

    offered = CliRunner().invoke(app, ["run", "--help"]).output
    for option in re.findall(r"--[a-z-]+", service["ExecStart"]):
        assert option in offered


@NEEDS_SYSTEMD
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    unit = tmp_path / "mxward.service"
    text = UNIT.read_text()
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert "mxward.service" not in done.stderr, done.stderr


@NEEDS_SYSTEMD
def test_systemd_finds_it_tight() -> None:
    # 2.4 of 10: the namespaces that the sandbox makes for its workers count 0.5
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", str(UNIT)],
        capture_output=True, text=True,
    )  # fmt: skip
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd cannot judge units offline")
    assert done.returncode == 0, done.stdout[-300:]
