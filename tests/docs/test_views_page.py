"""docs/views.md names every hit of the text and link detectors with its weight."""

from __future__ import annotations

import re
from pathlib import Path

from mxward.core.detect import link, text

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "views.md").read_text(encoding="utf-8")


def documented() -> dict[str, set[float]]:
    """Hit -> weights of its row."""
    found: dict[str, set[float]] = {}
    for row in re.findall(r"^\| (`[A-Z_`, ]+`) \| ([\d., each]+) \|", PAGE, re.M):
        names = re.findall(r"`([A-Z_]+)`", row[0])
        weights = [float(w) for w in re.findall(r"\d+\.\d+", row[1])]
        for place, name in enumerate(names):
            found[name] = set(weights) if len(names) == 1 else {weights[min(place, len(weights) - 1)]}
    return found


def test_every_fault_of_a_link_is_documented_with_its_weight() -> None:
    listed = documented()
    for name, (weight, _) in link._FAULTS.items():
        assert listed[name] == {weight}, name


def test_every_hit_of_the_text_detector_is_documented_with_its_weight() -> None:
    listed = documented()
    source = Path(text.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'_hit\(\s*"([A-Z_]+)"', source))
    assert len(named) == 5 and named <= set(listed)
    for name, weight in re.findall(r'_hit\(\s*"([A-Z_]+)", "spam", ([\d.]+)', source):
        assert listed[name] == {float(weight)}, name
    assert listed["TEXT_MIXED_ALPHABETS"] == {1.0, 2.5}
    assert str(text.MUCH) in PAGE
