"""Addresses in plain text and their hosts (mxward.pyx.urls)."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs

urls = pytest.importorskip("mxward.pyx.urls", reason="this tree has no address kernel", exc_type=ImportError)


def test_find_in_prose(benchmark: Any) -> None:
    text = (inputs.prose(600, 5) + "See https://a.example/x or www.b.example.\r\n").encode()
    assert [kind for _, _, kind in benchmark(urls.find, text)] == ["plain", "www"]


def test_split(benchmark: Any) -> None:
    assert benchmark(urls.split, b"https://News.example:443/path?id=1#top") == ("news.example", 0, 24)


def test_growth_find(growth: Any) -> None:
    growth(lambda k: (inputs.prose(300, 5) + "See https://a.example/x.\r\n").encode() * k, urls.find)
