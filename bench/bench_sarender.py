"""HTML and text as SpamAssassin renders them (mxward.pyx.sarender, mxward.pyx.saline)."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs

sarender = pytest.importorskip("mxward.pyx.sarender", reason="this tree has no such kernel", exc_type=ImportError)
saline = pytest.importorskip("mxward.pyx.saline", reason="this tree has no such kernel", exc_type=ImportError)
KNOWN = ("com", "org", "net", "example")


def page(words: int) -> bytes:
    """A mail-like page: tables, styles, links."""
    cell = "<tr><td style='color:#333;font-size:14px'><p>{}</p><a href='http://www.a.example/{}'>more</a></td></tr>"
    text = inputs.prose(words, 7).replace("\r\n", " ")
    cells = "".join(cell.format(text[at : at + 200], at) for at in range(0, len(text), 200))
    return f"<html><body bgcolor=#ffffff><table>{cells}</table></body></html>".encode()


def test_render_a_page(benchmark: Any) -> None:
    text, _, items, inside, _ = benchmark(sarender.render, page(400), False)
    assert b"more" in text
    assert len(items) > 10
    assert inside[b"td"] == 0


def test_squeeze_prose(benchmark: Any) -> None:
    text = inputs.prose(4000, 7).encode()
    squeezed, starts = benchmark(saline.squeeze, b"subject\n", [text], True)
    assert len(squeezed) <= len(text) + 8
    assert starts[:2] == [0, 8]


def test_find_addresses_in_prose(benchmark: Any) -> None:
    words = inputs.prose(4000, 7).replace("\r\n", " ").split(" ")
    words[::50] = ["www.a.example"] * len(words[::50])
    text = " ".join(words).encode()
    known = saline.TopLevel([name.encode() for name in KNOWN])
    assert len(benchmark(saline.find_uris, text, [0], known, 10_000)) == len(words[::50])


def test_growth_render(growth: Any) -> None:
    growth(lambda k: page(400 * k), lambda data: sarender.render(data, False))
