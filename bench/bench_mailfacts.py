"""Facts of a message beside its words (mxward.pyx.mailfacts)."""

from __future__ import annotations

from typing import Any

import pytest

mailfacts = pytest.importorskip("mxward.pyx.mailfacts", reason="this tree has no such kernel", exc_type=ImportError)


def _links(n: int) -> list[tuple[int, str, str, str]]:
    return [(0, "a", f"https://www{k % 7}.shop.example/path/{k}?id=1", "here") for k in range(n)]


def test_links(benchmark: Any) -> None:
    found, owners = benchmark(mailfacts.links, _links(20), "shop.example")
    assert owners == {"shop.example"}
    assert "hosts own" in found


def test_subject(benchmark: Any) -> None:
    assert benchmark(mailfacts.subject, "Re: your order of last week") == ["subject 2", "subject reply"]


def test_growth_links(growth: Any) -> None:
    growth(lambda k: _links(15 * k), lambda found: mailfacts.links(found, "shop.example"))
