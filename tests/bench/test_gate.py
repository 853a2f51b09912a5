"""The benchmark gate: its arithmetic, its files, and that it sees what it is there to see."""

from __future__ import annotations

import datetime
import subprocess
import tomllib
from pathlib import Path

import pytest

from bench import callgrind, gate, selftest

LIMITS = {"one_at_most": 1.02, "mean_at_most": 1.005}


def test_a_slower_benchmark_fails() -> None:
    faults = gate.compare({"a": 1000, "b": 1000}, {"a": 1150, "b": 1000}, LIMITS, {})
    assert faults[0].startswith("a: +15.00 %")
    assert "geometric mean" in faults[1]


def test_the_same_passes_and_faster_passes() -> None:
    assert gate.compare({"a": 1000}, {"a": 1000}, LIMITS, {}) == []
    assert gate.compare({"a": 1000}, {"a": 700}, LIMITS, {}) == []


def test_many_small_losses_fail_together() -> None:
    base = {f"b{i}": 100_000 for i in range(10)}
    assert gate.compare(base, dict.fromkeys(base, 101000), LIMITS, {}) == ["geometric mean of 10 benchmarks: +1.00 %"]


def test_an_accepted_benchmark_may_cost_its_ratio_only() -> None:
    assert gate.compare({"a": 1000}, {"a": 1090}, LIMITS, {"a": 1.10}) == []
    assert gate.compare({"a": 1000}, {"a": 1110}, LIMITS, {"a": 1.10})


def test_benchmarks_of_one_side_only_are_not_compared() -> None:
    assert gate.compare({"gone": 1}, {"new": 10}, LIMITS, {}) == []


def test_growth_above_eleven_fails() -> None:
    assert gate.growth_faults({"g@1": 100, "g@10": 1100}, 11.0) == []
    assert gate.growth_faults({"g@1": 100, "g@10": 1101}, 11.0)


def test_accepted_entries_expire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/accepted.toml").write_text(
        '[[accepted]]\nbenchmark = "x"\nratio = 1.1\nexpires = "2026-01-31"\nreason = "because"\n'
    )
    monkeypatch.setattr(gate, "ROOT", tmp_path)
    assert gate.accepted(datetime.date(2026, 1, 31)) == {"x": 1.1}
    with pytest.raises(ValueError, match="expired"):
        gate.accepted(datetime.date(2026, 2, 1))


def test_files_of_the_gate_are_sound(repository: Path) -> None:
    targets = tomllib.loads((repository / "bench/targets.toml").read_text())
    assert targets["regression"] == LIMITS
    assert all(
        entry["what"] and entry["at_most"] > 0 for entry in (*targets["ratio"].values(), *targets["weight"].values())
    )
    gate.accepted()


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(300)
def test_measured_code_is_told_from_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        names = ("-c", "user.name=t", "-c", "user.email=t@trust.example", "-c", "init.defaultBranch=main")
        subprocess.run(["git", "-C", str(tmp_path), *names, *arguments], check=True, capture_output=True)

    monkeypatch.setattr(gate, "ROOT", tmp_path)  # another repository to look at; git itself is real
    git("init")
    for name in gate.MEASURED:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("as it was")
    (tmp_path / "README.md").write_text("as it was")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "README.md").write_text("changed")
    assert not gate.is_measured_code_changed("HEAD")
    (tmp_path / "pyx" / "new.pyx").write_text("untracked")
    assert gate.is_measured_code_changed("HEAD")
    (tmp_path / "pyx" / "new.pyx").unlink()
    (tmp_path / "core" / "file").write_text("changed")
    assert gate.is_measured_code_changed("HEAD")


def test_gate_sees_fifteen_per_cent_and_passes_a_comment() -> None:
    if absent := callgrind.missing():
        pytest.skip(f"missing: {', '.join(absent)}")
    assert selftest.faults_of(selftest.with_comment, "comment") == []
    slow = selftest.faults_of(selftest.with_more_work, "slow")
    assert any("stuff_dotted: +1" in fault for fault in slow), slow
