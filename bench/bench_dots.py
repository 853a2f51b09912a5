"""Dot-stuffing at egress (mxward.pyx.dotstuff), against the same by bytes.replace."""

from __future__ import annotations

from typing import Any

from bench import inputs
from mxward.pyx import dotstuff


def naive(data: bytes) -> bytes:
    """The same by the standard library, for canonical input."""
    text = data.replace(b"\r\n.", b"\r\n..")
    return b"." + text if text.startswith(b".") else text


def test_stuff_dotted(benchmark: Any) -> None:
    data = inputs.dotted()
    assert benchmark(dotstuff.stuff, data) == naive(data)


def test_stuff_clean(benchmark: Any) -> None:
    data = inputs.plain()
    assert benchmark(dotstuff.stuff, data) is data


def test_growth_stuff(growth: Any) -> None:
    growth(lambda k: inputs.dotted(500 * k), dotstuff.stuff)
