"""A program as a scanner: by its exit status, without a shell, with all that it started ended in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mxward.core.errors import EngineTimeout, EngineUnavailable
from mxward.server.engines.command import MAX_OUTPUT, Command


def program(folder: Path, script: str) -> str:
    path = folder / "scanner"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_exit_status_and_the_first_line_tell(tmp_path: Path) -> None:
    engine = Command("own", [program(tmp_path, "if grep -q EVIL; then echo Evil.Thing; echo more; exit 1; fi")])
    assert [said.signature for said in engine.scan(b"some EVIL text", 10)] == ["Evil.Thing"]
    assert engine.scan(memoryview(b"a kind text"), 10) == []
    assert engine.scan(b"x" * 3_000_000, 10) == []
    assert list(engine.health(10).values()) == [""]


def test_a_program_that_names_nothing_still_found_something(tmp_path: Path) -> None:
    assert Command("own", [program(tmp_path, "exit 1")]).scan(b"x", 10)[0].signature == "found"


def test_other_statuses_are_failures(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="status 2"):
        Command("own", [program(tmp_path, "exit 2")]).scan(b"x", 10)
    engine = Command("own", [program(tmp_path, "exit 7")], clean=[0, 7], found=[2])
    assert engine.scan(b"x", 10) == []
    with pytest.raises(EngineUnavailable):
        Command("own", [program(tmp_path, "kill -9 $$")]).scan(b"x", 10)


def test_arguments_are_no_shell(tmp_path: Path) -> None:
    engine = Command("own", [program(tmp_path, 'echo "$1"; exit 1'), "$(id) ; exit 0"])
    assert engine.scan(b"x", 10)[0].signature == "$(id) ; exit 0"


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    engine = Command("own", [program(tmp_path, f"sleep 60 & echo $! > {mark}; wait")])
    started = time.monotonic()
    with pytest.raises(EngineTimeout):
        engine.scan(b"x", 0.7)
    assert time.monotonic() - started < 3
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{int(mark.read_text())}/exe") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{int(mark.read_text())}/exe")


def test_output_without_end_is_bounded(tmp_path: Path) -> None:
    engine = Command("own", [program(tmp_path, "yes 12345678 | tr -d '\\n' | head -c 3000000; exit 1")])
    assert len(engine.scan(b"x", 10)[0].signature) <= MAX_OUTPUT
    with pytest.raises(EngineTimeout):
        Command("own", [program(tmp_path, "exec yes")]).scan(b"x", 0.5)


def test_a_program_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be run"):
        Command("own", [str(tmp_path / "none")]).scan(b"x", 1)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    engine = Command("own", [program(tmp_path, "exit 0")])
    engine.scan(b"x", 10)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        engine.scan(b"x", 10)
    assert len(os.listdir("/proc/self/fd")) == before
