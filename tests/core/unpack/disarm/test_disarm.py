"""Documents made harmless: what acts is gone, what is read stays, and other programs still open them."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus, officekit
from mxward.core.extract import reply
from mxward.core.extract.opener import DISARM, Budget, Request
from mxward.core.unpack.run import unpack
from mxward.pyx.filetype import identify

BUDGET = Budget(100 << 20, 5000, 16, 20.0)
VBA = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def disarmed(data: bytes) -> tuple[bytes | None, list[str]]:
    """The document made harmless, or None when it stays as it is; reasons why it could not be."""
    frames = bytearray()
    unpack(Request(identify(data), "", ("x",), BUDGET, task=DISARM), data, frames.extend)
    read = list(reply.read(memoryview(bytes(frames))))
    assert isinstance(read[-1][0], reply.End)
    made = [bytes(content) for record, content in read if isinstance(record, reply.Child)]
    assert len(made) <= 1
    return (made[0] if made else None), [record.reason for record, _ in read if isinstance(record, reply.Unseen)]


def safe(data: bytes) -> bytes:
    made, reasons = disarmed(data)
    assert reasons == []
    assert made is not None
    again, reasons = disarmed(made)
    assert (again, reasons) == (None, []), "nothing is left to be taken out"
    return made


def names(data: bytes) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(data)).namelist())


def whole(data: bytes) -> bytes:
    package = zipfile.ZipFile(io.BytesIO(data))
    return b"".join(package.read(name) for name in package.namelist())


def text_by_libreoffice(data: bytes, extension: str, folder: Path) -> str:
    """What LibreOffice reads in it."""
    if shutil.which("soffice") is None:
        pytest.skip("needs Debian's libreoffice-writer-nogui")
    path = folder / f"document.{extension}"
    path.write_bytes(data)
    kind = "csv" if extension.startswith("xls") else "txt:Text (encoded):UTF8"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", kind, "--outdir",
         str(folder), str(path)], check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return (folder / f"document.{kind[:3]}").read_text("utf-8", "replace")


# -- Office Open XML


def test_a_document_without_anything_that_acts_stays_as_it_is() -> None:
    assert disarmed(officekit.docx(link="https://partner.example/")) == (None, [])


def test_macros_go_and_the_document_is_one_without(tmp_path: Path) -> None:
    made = safe(officekit.docx("Ward round at nine", macro=VBA))
    assert "word/vbaProject.bin" not in names(made)
    assert b"macroEnabled" not in whole(made)
    assert b"vbaProject" not in whole(made)
    assert identify(made).endswith("wordprocessingml.document")
    assert "Ward round at nine" in text_by_libreoffice(made, "docx", tmp_path)


def test_a_remote_template_goes() -> None:
    made = safe(officekit.docx(template="https://evil.example/t.dotm"))
    assert b"evil.example" not in whole(made)
    assert b"attachedTemplate" not in whole(made)


@pytest.mark.parametrize(
    "field", ['DDEAUTO c:\\\\cmd.exe "/c calc"', ' dde "x" "y"', 'INCLUDEPICTURE "http://e.example/x"']
)
def test_fields_that_act_are_emptied_even_when_split(field: str) -> None:
    escaped = field.replace('"', "&quot;")
    made = safe(officekit.docx("kept", field=escaped))
    assert b"calc" not in whole(made)
    assert b"e.example" not in whole(made)
    assert b"kept" in whole(made)
    assert b"shown" in whole(made)


def test_an_embedded_object_goes() -> None:
    made = safe(officekit.docx(embedded=VBA))
    assert not [name for name in names(made) if "embeddings" in name]
    assert b"OLEObject" not in whole(made)


def test_a_link_to_a_share_goes_and_one_to_the_web_stays() -> None:
    made = safe(officekit.docx(link="file://evil.example/share"))
    assert b"evil.example" not in whole(made)
    assert b"a link" in whole(made)


def test_a_document_with_a_document_type_is_not_repaired() -> None:
    data = officekit.zipped(
        {"[Content_Types].xml": '<!DOCTYPE x [<!ENTITY a "b">]><Types/>', "word/document.xml": "<a/>"}
    )
    assert disarmed(data)[1] in (["damaged"], ["unsupported"])


def test_a_package_with_a_name_twice_is_not_repaired() -> None:
    data = io.BytesIO(officekit.docx(macro=VBA))
    with pytest.warns(UserWarning), zipfile.ZipFile(data, "a") as package:
        package.writestr("word/document.xml", "<w/>")
    assert disarmed(data.getvalue()) == (None, ["damaged"])


def test_an_action_of_a_slide_that_starts_a_program_goes() -> None:
    slide = (
        f'{officekit.HEAD}<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships"><a:hlinkMouseOver r:id="rId3" action="ppaction://program"/><a:t>kept</a:t></p:sld>'
    )
    main = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    made = safe(
        officekit.zipped(
            {
                "[Content_Types].xml": f'<Types><Override PartName="/ppt/p.xml" ContentType="{main}"/></Types>',
                "ppt/p.xml": "<p/>",
                "ppt/slides/slide1.xml": slide,
                "ppt/slides/_rels/slide1.xml.rels": officekit.relations(
                    ("rId3", "hyperlink", "powershell.exe%20-e", True)
                ),
            }
        )
    )
    assert b"ppaction" not in whole(made)
    assert b"powershell" not in whole(made)
    assert b"kept" in whole(made)


# -- OpenDocument


def test_macros_and_listeners_of_opendocument_go(tmp_path: Path) -> None:
    made = safe(officekit.odt("Clinic at ten", macro="Sub Main\nShell\nEnd Sub", listener=True))
    assert not [name for name in names(made) if name.startswith("Basic")]
    assert b"Basic" not in whole(made)
    assert b"event-listener" not in whole(made)
    assert made[30:38] == b"mimetype"
    assert "Clinic at ten" in text_by_libreoffice(made, "odt", tmp_path)


def test_a_remote_picture_is_not_fetched() -> None:
    made = safe(officekit.odt(picture="https://evil.example/pixel.png"))
    assert b"evil.example" not in whole(made)


def test_plain_opendocument_stays_as_it_is() -> None:
    assert disarmed(officekit.odt()) == (None, [])


# -- PDF


def pdf(
    *, script: bool = False, launch: bool = False, embedded: bool = False, uri: str = "", encrypt: bool = False
) -> bytes:
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(300, 200))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=document.make_indirect(font)))
    page.Contents = document.make_stream(b"BT /F1 12 Tf 20 100 Td (Discharge letter) Tj ET")
    if script:
        act = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('canary')"))
        document.Root.OpenAction = document.make_indirect(act)
    if launch or uri:
        action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("canary.exe"))
        if uri:
            action = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String(uri))
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([0, 0, 99, 99]), A=action
        )
        page.Annots = pikepdf.Array([document.make_indirect(note)])
    if embedded:
        document.attachments["canary.txt"] = pikepdf.AttachedFileSpec(document, b"canary inside", filename="canary.txt")
    out = io.BytesIO()
    document.save(out, encryption=pikepdf.Encryption(owner="o", user="u") if encrypt else False, compress_streams=False)
    return out.getvalue()


@pytest.mark.parametrize("what", ["script", "launch", "embedded"])
def test_what_acts_in_a_pdf_goes(what: str, tmp_path: Path) -> None:
    made = safe(pdf(**{what: True}))
    plain = io.BytesIO()
    with pikepdf.open(io.BytesIO(made)) as document:
        document.save(plain, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"canary" not in plain.getvalue()
    assert b"/JavaScript" not in plain.getvalue()
    if shutil.which("pdftotext") is None:
        pytest.skip("needs Debian's poppler-utils")
    path = tmp_path / "safe.pdf"
    path.write_bytes(made)
    done = subprocess.run(["pdftotext", str(path), "-"], check=True, capture_output=True, timeout=60)
    assert b"Discharge letter" in done.stdout
    assert done.stderr == b""


def test_a_pdf_without_anything_that_acts_stays_as_it_is() -> None:
    assert disarmed(pdf(uri="https://partner.example/")) == (None, [])


def test_a_link_of_a_pdf_that_runs_script_goes() -> None:
    assert b"alert" not in safe(pdf(uri="javascript:alert(1)"))


def test_an_encrypted_pdf_is_not_disarmed() -> None:
    assert disarmed(pdf(encrypt=True, script=True)) == (None, ["damaged"])


# -- hostile and real input


@given(st.sampled_from([officekit.docx(macro=VBA, field="DDE x"), officekit.odt(macro="x"), pdf(script=True)]),
       st.integers(0, 6000), st.binary(min_size=1, max_size=6))  # fmt: skip
def test_damaged_documents_are_disarmed_or_not_given_back(data: bytes, at: int, junk: bytes) -> None:
    at %= len(data)
    made, reasons = disarmed(data[:at] + junk + data[at + len(junk) :])
    assert made is None or not reasons


def test_the_corpus_is_disarmed_or_refused() -> None:
    folder = corpus.need("attachments")
    n_safe = n_refused = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".odt", ".ods", ".pdf"):
            made, reasons = disarmed(path.read_bytes())
            n_safe += made is not None
            n_refused += bool(reasons)
            if made is not None and path.suffix.lower() != ".pdf":
                assert not [name for name in names(made) if name.lower().endswith("vbaproject.bin")], path.name
                assert b"macroEnabled" not in whole(made), path.name
    assert n_safe > 30
    assert n_refused < 25
