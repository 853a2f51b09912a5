"""True types by content (mxward.pyx.filetype)."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

filetype = pytest.importorskip("mxward.pyx.filetype", reason="this tree has no type kernel", exc_type=ImportError)

PE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + b"\x64\x86" + bytes(200)
PDF = b"%PDF-1.7\n" + bytes(200)
TEXT = b"Dear colleague,\r\nplease find the list below.\r\n" * 40


def document(n_members: int = 12) -> bytes:
    """A zip that looks like a word-processor document."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        names = ["[Content_Types].xml", "word/document.xml", *(f"word/media/image{i}.png" for i in range(n_members))]
        for name in names:
            out.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), b"<xml/>")
    return buffer.getvalue()


def test_identify_mixed(benchmark: Any) -> None:
    samples = (PE, PDF, TEXT, document())

    def identify_all() -> list[str]:
        return [filetype.identify(sample) for sample in samples]

    found = benchmark(identify_all)
    assert found[1:3] == ["application/pdf", ""]
    assert "word" in found[3]
    assert found[0]


def test_growth_text(growth: Any) -> None:
    growth(lambda k: TEXT * 20 * k, filetype.identify)
