"""Macros whose source was taken away or changed while the compiled form stays, made from a macro of the corpus."""

from __future__ import annotations

import io

import olefile
import pytest

from mxtest import corpus
from mxtest.unpackkit import unpack
from mxward.core.unpack.document.vba_read import modules_of, unpacked

HARMLESS = b'\1\x19\xb0\0Attribut\0e VB_Nam\0e = "A"\r\0\nSub A()\0\r\nEnd Su'


def changed(source: bytes) -> bytes:
    """The macro with every module's source replaced, the compiled form untouched."""
    data = (corpus.need("attachments") / "eicar/eicar-word-macro-powershell-echo.doc").read_bytes()
    file = io.BytesIO(data)
    with olefile.OleFileIO(file, write_mode=True) as ole:
        for module in modules_of(unpacked(ole.openstream("Macros/VBA/dir").read()))[0]:
            path = f"Macros/VBA/{module.stream}"
            stream = ole.openstream(path).read()
            room = len(stream) - module.offset
            ole.write_stream(path, stream[: module.offset] + source[:room].ljust(room, b"\0"))
        return file.getvalue()


@pytest.mark.parametrize("source", [b"", HARMLESS, b"\1nonsense"], ids=["zeros", "harmless", "no container"])
def test_a_compiled_form_without_its_source_is_found(source: bytes) -> None:
    assert {"OFFICE_VBA_STOMPED", "OFFICE_MACRO"} <= unpack(changed(source)).findings


def test_damaged_old_documents_do_no_harm() -> None:
    data = changed(b"")
    for cut in range(0, len(data), 997):
        torn = bytearray(data[: cut + 600])
        torn[cut : cut + 40] = b"\xff" * 40
        assert unpack(bytes(torn)).ended
