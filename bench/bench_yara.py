"""Choosing YARA rules for a text (mxward.core.rules.yara) and the facts that help (mxward.pyx.facts)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench import inputs

index = pytest.importorskip("mxward.core.rules.yara.index", reason="this tree has no index of yara rules")
build = pytest.importorskip("mxward.core.rules.yara.build", reason="this tree has no index of yara rules")
facts = pytest.importorskip("mxward.pyx.facts", reason="this tree has no kernel of facts", exc_type=ImportError)


def rules(n: int) -> str:
    """Rules like those of public sets: a magic number, a size, some of several strings."""
    dice = random.Random(n)
    made = ['import "pe"']
    for number in range(n):
        words = ["".join(dice.choices("etaoinshrdlucmfwyp.-_", k=dice.randint(6, 20))) for _ in range(6)]
        strings = " ".join(f'$s{i} = "{word}" {dice.choice(("", "wide", "nocase"))}' for i, word in enumerate(words))
        code = " ".join(f"{dice.randrange(256):02x}" for _ in range(12))
        head = dice.choice(("uint16(0) == 0x5A4D and", "filesize < 500KB and", "pe.number_of_sections > 2 or", ""))
        made.append(f"rule r{number} {{ strings: {strings} $c = {{ {code} ?? 90 }} condition: {head} 3 of them }}")
    return "\n".join(made)


def made(n: int) -> Any:
    return index.YaraIndex(build.build({"a": rules(n)}, {}), is_trusted=True)


def test_scan_of_prose(benchmark: Any) -> None:
    assert benchmark(made(300).scan, inputs.prose(4000, 5).encode(), {}, 10) == []


def test_scan_of_noise(benchmark: Any) -> None:
    assert benchmark(made(300).scan, random.Random(1).randbytes(40_000), {}, 10) == []


def test_masked_patterns(benchmark: Any) -> None:
    patterns = [("mask", b"\x83\0\x02", b"\xff\0\xff"), ("near", b"MZ", b"\xff\xff", b"PE", b"\xff\xff", 20, 114)]
    found = benchmark(facts.Facts(patterns, level=0).occurring, random.Random(2).randbytes(20_000), [0, 1])
    assert found in ([], [0], [1], [0, 1])


def test_reading_of_rules(benchmark: Any) -> None:
    partition = pytest.importorskip("mxward.core.rules.yara.partition").partition
    assert len(benchmark(partition, {"a": rules(20)}, {}).roots) == 20


def test_growth_scan(growth: Any) -> None:
    one = made(50)
    growth(lambda k: inputs.prose(4000 * k, 5).encode(), lambda text: one.scan(text, {}, 10))
