"""The gate on public rules: which comparison a target means, and that a miss is measured again and then told."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import engines, publicratios, scanners
from bench.engines import Row

ROWS = [
    Row("regex", "567 expressions, median mail", "Hyperscan", 40.0, 100.0, "µs"),
    Row("regex", "567 expressions, median mail", "PCRE2", 4.0, 100.0, "µs"),
    Row("yara", "7 rules, 1 MB of noise", "yara-python", 2.0, 10.0, "ms"),
    Row("yara", "7 rules, 10 MB of noise", "yara-python", 3.0, 10.0, "ms"),
]
TARGETS = {
    "mail": {"engine": "regex", "on": "median mail", "reference": "Hyperscan", "at_most": 0.5},
    "noise": {"engine": "yara", "on": " 1 MB of noise", "reference": "yara-python", "at_most": 0.2},
}


def test_a_target_names_one_comparison() -> None:
    assert publicratios.ratios_of(ROWS, TARGETS) == {"mail": 0.4, "noise": 0.2}
    for wrong in ({"on": "MB of noise"}, {"reference": "libyara"}, {"engine": "regex"}):
        with pytest.raises(LookupError, match=r"public\.noise means [02]"):
            publicratios.ratios_of(ROWS, {"noise": TARGETS["noise"] | wrong})


def test_at_its_target_is_good_and_above_is_not() -> None:
    assert publicratios.missed({"mail": 0.5, "noise": 0.2}, TARGETS) == []
    assert publicratios.missed({"mail": 0.51, "noise": 0.1}, TARGETS) == ["mail: ratio 0.5100 above 0.5"]


@pytest.mark.parametrize(
    ("measured", "best", "n_left"),
    [
        ([0.4, 9.0, 9.0, 9.0], 0.4, 3),
        ([0.7, 0.5, 9.0, 9.0], 0.5, 2),
        ([0.7, 0.6, 0.8, 9.0], 0.6, 1),
    ],
)
def test_a_miss_is_measured_again_and_the_best_counts(measured: list[float], best: float, n_left: int) -> None:
    left: Iterator[float] = iter(measured)
    found = publicratios.best_of(lambda: {"mail": next(left), "noise": 0.1}, TARGETS)
    assert found == {"mail": best, "noise": 0.1}
    assert len(list(left)) == n_left


def test_every_target_is_of_an_engine_or_a_scanner_that_is_measured(repository: Path) -> None:
    targets = tomllib.loads((repository / "bench/targets.toml").read_text())
    assert {target["engine"] for target in targets["public"].values()} == set(engines.GROUPS)
    assert targets["whole"].keys() == {kind.__name__.lower() for kind in (scanners.Rspamd, scanners.Spamd)}
    assert all(0 < target["at_most"] < 1 for target in (*targets["public"].values(), *targets["whole"].values()))


def test_without_the_corpus_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(publicratios.corpus, "is_present", lambda: False)
    said: list[str] = []
    assert publicratios.run(said.append, {}) == []
    assert said == ["gate 3 on public rules and real mail NOT RUN: the shared corpus is absent"]
