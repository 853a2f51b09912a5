"""Text and tags of XML parts of office documents (mxward.pyx.xmlscan)."""

from __future__ import annotations

from typing import Any

import pytest

xmlscan = pytest.importorskip("mxward.pyx.xmlscan", reason="this tree has no XML kernel", exc_type=ImportError)
RUN = (
    b'<w:p w:rsidR="00A1"><w:r><w:rPr><w:b/><w:sz w:val="24"/></w:rPr><w:t xml:space="preserve">Seen in clinic &amp; '
    b"well.</w:t></w:r></w:p>"
)


def scanner() -> Any:
    return xmlscan.Scanner({"t": xmlscan.TEXT, "p": xmlscan.LINE, "instrText": xmlscan.CODE, "fldSimple": xmlscan.TAG})


def test_text_of_a_document(benchmark: Any) -> None:
    ours = scanner()
    text = benchmark(ours.scan, RUN * 1000)[0]
    assert text.count(b"well.\n") == 1000


def test_growth_text_of_a_document(growth: Any) -> None:
    ours = scanner()
    growth(lambda k: RUN * 500 * k, ours.scan)
