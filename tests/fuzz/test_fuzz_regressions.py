"""Inputs that once failed, and every seed, through their fuzz targets; and the fuzzer's own promises."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("*.py"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_kept_inputs_pass(name: str) -> None:
    target = load(HERE / "targets" / f"{name}.py")
    for data in target.SEEDS:
        target.run(data)
    for path in sorted((HERE / "regressions" / name).glob("*.bin")):
        target.run(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_hundred_mutations_pass(name: str) -> None:
    target, mutate = load(HERE / "targets" / f"{name}.py"), load(HERE / "mutate.py")
    rng = random.Random(20)
    for _ in range(300):
        data = mutate.mutated(rng, target.SEEDS, target.WORDS, 4096)
        assert len(data) <= 4096
        target.run(data)


def test_mutations_repeat_for_a_seed() -> None:
    mutate = load(HERE / "mutate.py")
    target = load(HERE / "targets" / "mime.py")

    def some(seed: int) -> list[bytes]:
        rng = random.Random(seed)
        return [mutate.mutated(rng, target.SEEDS, target.WORDS, 1000) for _ in range(20)]

    assert some(1) == some(1) != some(2)


def test_a_failing_input_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load(HERE / "run.py")
    (tmp_path / "targets").mkdir()
    (tmp_path / "mutate.py").write_text((HERE / "mutate.py").read_text())
    (tmp_path / "run.py").write_text((HERE / "run.py").read_text())
    (tmp_path / "targets" / "bad.py").write_text(
        "SEEDS = [b'abc']\nWORDS = [b'x']\n\n\ndef run(data):\n    assert b'x' not in data\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(run, "REGRESSIONS", tmp_path / "regressions")
    monkeypatch.setattr(run, "SCRATCH", scratch)
    monkeypatch.setattr(run, "HERE", tmp_path)
    (scratch / "bad.input").write_bytes(bytes(run.SLOT))
    with pytest.raises(AssertionError):
        run.fuzz_one("bad", 20.0, 1)
    kept = run.keep("bad")
    assert b"x" in kept.read_bytes() and run.kept_inputs("bad") == [kept]
