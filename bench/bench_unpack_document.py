"""Opening documents in one process (mxward.core.unpack): CPU of a docx of about 1 MB, with its text."""

from __future__ import annotations

import io
import random
import zipfile
from typing import Any

import pytest

run = pytest.importorskip("mxward.core.unpack.run", reason="this tree opens no attachments", exc_type=ImportError)
opener = pytest.importorskip("mxward.core.extract.opener", exc_type=ImportError)
filetype = pytest.importorskip("mxward.pyx.filetype", exc_type=ImportError)

_CHANCE = random.Random(5)
BUDGET = opener.Budget(100 << 20, 5000, 16, 5.0)


def docx(n_words: int, n_picture: int) -> bytes:
    """A document of so many words and a picture of so many bytes."""
    words = " ".join(_CHANCE.randbytes(4).hex() for _ in range(n_words)).split()
    lines = (" ".join(words[i : i + 40]) for i in range(0, n_words, 40))
    body = "".join(
        f'<w:p><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{line}</w:t></w:r></w:p>' for line in lines
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("word/document.xml", f"<w:document><w:body>{body}</w:body></w:document>")
        package.writestr("word/media/image1.jpeg", b"\xff\xd8\xff" + _CHANCE.randbytes(n_picture))
    return out.getvalue()


def opened(data: bytes) -> int:
    request = opener.Request(filetype.identify(data), "", ("letter.docx",), BUDGET)
    out = bytearray()
    run.unpack(request, data, out.extend)
    return len(out)


@pytest.mark.parametrize("words", [10_000, 100_000], ids=["with a picture", "text alone"])
def test_open_docx_of_1_mb(benchmark: Any, words: int) -> None:
    data = docx(words, 950_000 if words < 50_000 else 500_000)
    assert benchmark(opened, data) > 1_000_000
