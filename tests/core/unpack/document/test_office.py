"""Office documents of our own: text, what they fetch and start, macros; damage does no harm."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxtest import officekit
from mxtest.unpackkit import unpack
from mxward.core.unpack.document.vba_read import NotPacked, modules_of, sources_in, unpacked
from mxward.core.unpack.document.xls_formula import functions_of, strings_of


def packed(data: bytes) -> bytes:
    """A container of literals only ([MS-OVBA] 2.4.1)."""
    out = b"\1"
    for at in range(0, len(data), 4096):
        chunk = data[at : at + 4096]
        body = b"".join(b"\0" + chunk[i : i + 8] for i in range(0, len(chunk), 8))
        out += struct.pack("<H", 0xB000 | (len(body) - 1)) + body
    return out


def test_text_of_word() -> None:
    tree = unpack(officekit.docx("Patient &amp; ward"))
    assert "Patient & ward" in tree.text
    assert not tree.findings


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (officekit.docx(template="http://evil.example/t.dotm"), "OFFICE_REMOTE_TEMPLATE"),
        (officekit.docx(template="\\\\192.0.2.1\\share\\t.dotm"), "OFFICE_NETWORK_SHARE"),
        (officekit.docx(template="C:\\Templates\\Normal.dotm"), "OFFICE_OTHER_FILE"),
        (officekit.docx(field="DDEAUTO c:\\\\windows\\\\cmd.exe"), "OFFICE_DDE"),
        (officekit.docx(field=" QUOTE 68 68 69 32 99 "), "OFFICE_DDE"),
        (officekit.docx(field='INCLUDEPICTURE "http://evil.example/x.png"'), "OFFICE_REMOTE_PICTURE"),
        (officekit.docx(link="ms-msdt:/id PCWDiagnostic"), "OFFICE_ODD_PROTOCOL"),
        (officekit.docx(macro=b"anything"), "OFFICE_MACRO"),
        (officekit.docx(embedded=b"anything"), "OFFICE_EMBEDDED_OBJECT"),
    ],
)
def test_what_it_fetches_and_starts(data: bytes, finding: str) -> None:
    assert finding in unpack(data).findings


def test_links_are_told() -> None:
    tree = unpack(officekit.docx(link="https://a.example/?a=1&amp;b=2"))
    assert (0, "link", "https://a.example/?a=1&b=2") in tree.addresses
    assert not tree.findings


def test_parts_in_utf_16_and_entities() -> None:
    body = '<?xml version="1.0" encoding="UTF-16"?><w:document><w:p><w:t>wide words</w:t></w:p></w:document>'
    parts = {"[Content_Types].xml": "<Types/>", "word/document.xml": body.encode("utf-16")}
    assert "wide words" in unpack(officekit.zipped(parts)).text
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:t>&b;</w:t>'
    parts["word/document.xml"] = bomb.encode()
    assert "OFFICE_XML_ENTITIES" in unpack(officekit.zipped(parts)).findings


@given(st.binary(max_size=20_000))
def test_packed_sources_come_back(data: bytes) -> None:
    assert unpacked(packed(data)) == data


@given(st.binary(max_size=300))
def test_any_bytes_as_packed_source(data: bytes) -> None:
    for start in (b"", b"\1", b"\1\xff\xb0"):
        try:
            assert len(unpacked(start + data, 0, 1 << 16)) <= (1 << 16) + 8192
        except NotPacked:
            continue
    modules_of(data)
    assert all(sources_in(data))


def test_copies_overlap_what_they_make() -> None:
    """The example of [MS-OVBA] 3.2.3."""
    assert unpacked(bytes.fromhex("0103b002614500")) == b"a" * 73


def test_functions_of_binary_formulas() -> None:
    assert functions_of(b"\x17\x08\x00calc.exe\x42\x01\x6e\x00") == {"EXEC"}
    assert strings_of(b"\x17\x08\x00calc.exe\x42\x01\x6e\x00") == ["calc.exe"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_does_no_harm(data: st.DataObject) -> None:
    whole = bytearray(
        officekit.docx("x", template="http://a.example", field="DDE a", embedded=b"\xd0\xcf\x11\xe0" * 50)
    )
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert unpack(bytes(whole[: data.draw(st.integers(1, len(whole)))])).ended


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=2000))
def test_damaged_ole(data: bytes) -> None:
    tree = unpack(bytes.fromhex("d0cf11e0a1b11ae1") + data)
    assert tree.ended
    assert tree.reasons <= {"damaged"}
