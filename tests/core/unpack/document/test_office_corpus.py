"""Office documents of the shared corpus: every known bad feature is named, and nothing is found in harmless ones."""

from __future__ import annotations

import pytest

from mxtest import corpus
from mxtest.unpackkit import unpack

KNOWN = ("encrypted", "1234")
DDE, XLM, MACRO = {"OFFICE_DDE"}, {"OFFICE_XLM", "OFFICE_XLM_STARTS_ALONE"}, {"OFFICE_MACRO"}
ALONE = MACRO | {"OFFICE_MACRO_STARTS_ALONE"}
REACHES = ALONE | {"OFFICE_MACRO_REACHES_OUT"}
OBJECT, REMOTE = {"OFFICE_EMBEDDED_OBJECT", "OFFICE_PACKAGE"}, {"OFFICE_REMOTE_OBJECT"}
LOCKED, STANDARD = {"OFFICE_ENCRYPTED", "CONTAINER_PASSWORD_KNOWN"}, {"OFFICE_ENCRYPTED", "OFFICE_STANDARD_PASSWORD"}
EXPECTED: dict[str, set[str]] = {
    **{f"oletools/msodde-dde-test.{e}": DDE for e in ("docx", "docm", "xlsx", "xlsm", "xlsb")},
    **{f"oletools/encrypted-dde-test-encrypt-standardpassword.{e}": DDE | STANDARD
       for e in ("xls", "xlsx", "xlsm", "xlsb")},
    **{f"oletools/encrypted-autostart-encrypt-standardpassword.{e}": ALONE | STANDARD for e in ("xls", "xlsm", "xlsb")},
    **{f"oletools/encrypted-encrypted.{e}": LOCKED
       for e in ("doc", "docx", "docm", "xls", "xlsx", "xlsm", "xlsb", "ppt", "pptx", "pptm")},
    **{f"oletools/excel4-macros-excel4_sample_macro.{e}": XLM for e in ("xls", "xlt", "xlsm", "xltm", "xlsb")},
    "oletools/excel4-macros-excel4_sample_macro_excel5_format.xls": XLM,
    **{f"oletools/oleobj-embedded-simple-2007.{e}": OBJECT
       for e in ("doc", "dot", "docx", "docm", "dotx", "dotm", "xls", "xlt", "xlsx", "xlsm", "xlsb", "xltx", "xltm",
                 "ppt", "pot", "pps", "pptx", "pptm", "potx", "potm", "ppsx", "ppsm")},
    **{f"oletools/oleobj-external_link-sample_with_external_link_to_doc.{e}": REMOTE
       for e in ("docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xlsb", "pptx", "pptm", "potx", "potm", "ppsx",
                 "ppsm")},
    "oletools/oleobj-sample_with_calc_embedded.doc": OBJECT,
    "oletools/oleobj-sample_with_lnk_to_calc.doc": OBJECT | {"OFFICE_LINKED_OBJECT"},
    "oletools/olevba-sample_with_vba.ppt": MACRO | {"OFFICE_ACTION"},
    "oletools/oleform-oleform-PR314.docm": MACRO | {"OFFICE_ACTIVEX"},
    "oletools/rtfobj-issue_251.rtf": {"OFFICE_EQUATION", "OFFICE_OBJECT_UPDATES"},
    **{f"eicar/eicar-{program}-macro-{what}.{e}": ALONE if what == "msgbox" else REACHES
       for program, ends in (("excel", ("xls", "xlsm")), ("word", ("doc", "docm"))) for e in ends
       for what in ("msgbox", "cmd-echo", "powershell-echo", "write-file")},
    **{f"eicar/eicar-excel-dde-cmd-powershell-echo.{e}": DDE for e in ("xls", "xlsx")},
    **{f"eicar/eicar-powerpoint-action-macro-msgbox.{e}": MACRO | {"OFFICE_ACTION"} for e in ("ppt", "pptm")},
    **{f"eicar/eicar-powerpoint-action-powershell-echo.{e}": {"OFFICE_ACTION"} for e in ("ppt", "pptx")},
    "oletools/msodde-dde-in-excel2003.xml": DDE,
    "oletools/oleobj-embedded-simple-2007.xml": OBJECT,
    "clamav/clam.ole.doc": OBJECT,
    "clamav/clam.ppt": OBJECT,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_known_bad_features_are_named(name: str) -> None:
    data = (corpus.need("attachments") / name).read_bytes()
    tree = unpack(data, name.rpartition("/")[2], KNOWN)
    assert EXPECTED[name] <= tree.findings
    assert tree.ended
    assert "OFFICE_VBA_STOMPED" not in tree.findings


@pytest.mark.parametrize("end", ["doc", "docx", "docm"])
def test_nothing_is_found_in_a_harmless_document(end: str) -> None:
    tree = unpack((corpus.need("attachments") / f"oletools/msodde-harmless-clean.{end}").read_bytes())
    assert not tree.findings
    assert not tree.unseen
    assert "It contains neither macros nor dde links" in tree.text


def test_without_the_password_it_is_said_to_be_encrypted() -> None:
    folder = corpus.need("attachments") / "oletools"
    for path in sorted(folder.glob("encrypted-encrypted.*")):
        assert unpack(path.read_bytes(), path.name).reasons == {"encrypted"}, path.name


def test_programs_inside_are_children_under_their_names() -> None:
    data = (corpus.need("attachments") / "oletools/oleobj-sample_with_calc_embedded.doc").read_bytes()
    assert ("calc (2).exe", "application/x-dosexec") in {(c.name, c.true_type) for c in unpack(data).children}
