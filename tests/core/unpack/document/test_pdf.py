"""PDFs made here: scripts, actions, links, embedded files, locked, damaged, updated, large ones."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import pikepdf
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, String

from mxtest import corpus
from mxtest.unpackkit import Tree, unpack
from mxward.core.extract.opener import Budget

TEXT = b"BT /F1 24 Tf 72 700 Td (Pay to the account below) Tj ET"


def pdf(change: Any = None, content: bytes = TEXT, **options: Any) -> bytes:
    """One page with text; `change` gets the document before it is saved."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    page = document.pages[0]
    page.Contents = document.make_stream(content)
    page.Resources = Dictionary(
        Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    )
    if change:
        change(document)
    out = io.BytesIO()
    document.save(out, **options)
    return out.getvalue()


def action(document: pikepdf.Pdf, **keys: Any) -> None:
    document.Root.OpenAction = Dictionary(Type=Name.Action, **keys)


def with_script(document: pikepdf.Pdf, source: bytes = b"app.alert('canary-7731')") -> None:
    action(document, S=Name.JavaScript, JS=String(source.decode()))


def with_link(document: pikepdf.Pdf) -> None:
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("https://evil.example/a"))
    )
    document.pages[0].Annots = Array([document.make_indirect(link)])


def scripts(tree: Tree) -> list[bytes]:
    return [leaf.data for leaf in tree.children if leaf.name == "script.js"]


def test_text_of_pages_is_told() -> None:
    tree = unpack(pdf())
    assert "Pay to the account below" in tree.text
    assert (tree.findings, tree.unseen, tree.ended) == (set(), [], True)


def test_a_script_is_a_child() -> None:
    tree = unpack(pdf(with_script))
    assert scripts(tree) == [b"app.alert('canary-7731')"]
    assert {"PDF_SCRIPT", "PDF_STARTS_ALONE"} <= tree.findings


def test_a_script_in_an_object_stream_and_in_a_packed_stream() -> None:
    def change(document: pikepdf.Pdf) -> None:
        packed = document.make_stream(b"this.exportDataObject({cName:'x',nLaunch:2})")
        action(document, S=Name.JavaScript, JS=packed)

    data = pdf(change, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"JavaScript" not in data
    tree = unpack(data)
    assert scripts(tree) == [b"this.exportDataObject({cName:'x',nLaunch:2})"]
    assert "PDF_SCRIPT_REACHES_OUT" in tree.findings


def test_names_written_in_escapes_hide_nothing() -> None:
    data = pdf(with_script).replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS ", b"/J#53 ")
    assert scripts(unpack(data)) == [b"app.alert('canary-7731')"]


def test_a_script_in_utf16_is_given_as_utf8() -> None:
    def change(document: pikepdf.Pdf) -> None:
        stream = document.make_stream("app.alert('ü')".encode("utf-16"))
        action(document, S=Name.JavaScript, JS=stream)

    assert scripts(unpack(pdf(change))) == ["app.alert('ü')".encode()]


@pytest.mark.parametrize(
    ("keys", "finding"),
    [
        ({"S": Name.Launch, "F": String("cmd.exe")}, "PDF_LAUNCH"),
        ({"S": Name.SubmitForm, "F": Dictionary(F=String("https://evil.example/form"))}, "PDF_SUBMITS"),
        ({"S": Name.ImportData, "F": String("x.fdf")}, "PDF_IMPORTS"),
        ({"S": Name.GoToR, "F": String("//host/share/x.pdf")}, "PDF_NETWORK_SHARE"),
        ({"S": Name.GoToE, "D": Array([])}, "PDF_OTHER_FILE"),
    ],
)  # fmt: skip
def test_actions_are_findings(keys: dict[str, Any], finding: str) -> None:
    tree = unpack(pdf(lambda document: action(document, **keys)))
    assert {finding, "PDF_STARTS_ALONE"} <= tree.findings


def test_what_a_launch_starts_is_text() -> None:
    tree = unpack(pdf(lambda d: action(d, S=Name.Launch, Win=Dictionary(F=String("cmd.exe"), P=String("/c calc")))))
    assert "cmd.exe /c calc" in tree.text


def test_links_are_addresses() -> None:
    assert (0, "pdf", "https://evil.example/a") in unpack(pdf(with_link)).addresses


def test_embedded_files_are_children_with_their_names() -> None:
    def change(document: pikepdf.Pdf) -> None:
        spec = pikepdf.AttachedFileSpec(document, b"MZ canary", filename="invoice.exe", description="The invoice")
        document.attachments["invoice.exe"] = spec

    (leaf,) = unpack(pdf(change)).children
    assert leaf.data == b"MZ canary"
    assert leaf.names[0] == "invoice.exe"


@pytest.mark.parametrize(
    ("data", "filters"),
    [
        (zlib.compress(b"canary" * 9), "/FlateDecode"), (b"63616E617279>", "/ASCIIHexDecode"),
        (base64.a85encode(b"canary", adobe=True), "/ASCII85Decode"), (b"\x05canary\x80", "/RunLengthDecode"),
        (zlib.compress(b"63616E617279>"), "/FlateDecode /ASCIIHexDecode"),
        (bytes.fromhex("800b6050220c0c8501"), "/LZWDecode"),
    ],
)  # fmt: skip
def test_filters_are_undone(data: bytes, filters: str) -> None:
    """The last is the example of 7.4.4.2: 45 45 45 45 45 65 45 45 45 66."""

    def change(document: pikepdf.Pdf) -> None:
        stream = document.make_stream(b"")
        names = [Name(one) for one in filters.split()]
        stream.write(data, filter=Array(names) if len(names) > 1 else names[0])
        document.Root.X = Dictionary(Type=Name.Filespec, F=String("a.bin"), EF=Dictionary(F=stream))

    saved = pdf(change, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    (leaf,) = unpack(saved).children
    assert leaf.data.startswith((b"canary", b"-----A---B"))


def test_a_form_of_the_old_kind() -> None:
    def change(document: pikepdf.Pdf) -> None:
        form = document.make_stream(b"<xdp><script>canary</script></xdp>")
        document.Root.AcroForm = Dictionary(Fields=Array([]), XFA=form)

    tree = unpack(pdf(change))
    assert "PDF_XFA" in tree.findings
    assert tree.holds(b"canary")


def test_encrypted_without_a_password_opens() -> None:
    data = pdf(with_script, encryption=pikepdf.Encryption(owner="secret", user=""))
    tree = unpack(data)
    assert scripts(tree) == [b"app.alert('canary-7731')"]
    assert "PDF_ENCRYPTED" in tree.findings
    assert "Pay to the account" in tree.text


@pytest.mark.parametrize("strength", [3, 4, 6])
def test_a_known_password_opens(strength: int) -> None:
    data = pdf(with_script, encryption=pikepdf.Encryption(owner="secret", user="Winter-2026!", R=strength,
                                                           aes=strength > 3, metadata=strength > 3))  # fmt: skip
    tree = unpack(data, passwords=("wrong", "Winter-2026!"))
    assert scripts(tree) == [b"app.alert('canary-7731')"]
    assert "CONTAINER_PASSWORD_KNOWN" in tree.findings
    assert "Pay to the account" in tree.text
    assert tree.reasons == set()


def test_an_unknown_password_is_said() -> None:
    data = pdf(with_script, encryption=pikepdf.Encryption(owner="secret", user="Winter-2026!"))
    tree = unpack(data, passwords=("wrong",))
    assert tree.reasons == {"encrypted"}
    assert scripts(tree) == []


def test_a_damaged_document_is_carved() -> None:
    data = pdf(lambda d: (with_script(d), with_link(d)), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    torn = data[: data.index(b"xref")].replace(b"/Catalog", b"/Catalxx").replace(b"/Pages", b"/Pagxx")
    tree = unpack(torn)
    assert "damaged" in tree.reasons
    assert b"app.alert('canary-7731')" in scripts(tree)
    assert (0, "pdf", "https://evil.example/a") in tree.addresses


def test_objects_that_the_table_does_not_name_are_told() -> None:
    hidden = b"9999 0 obj\n<< /S /Launch /F (cmd.exe) >>\nendobj\n"
    data = pdf()
    tree = unpack(data.replace(b"xref\n", hidden + b"xref\n", 1).replace(b"startxref", b"startxref", 1))
    assert {"PDF_LAUNCH"} <= tree.findings


def test_packed_bytes_are_no_objects() -> None:
    """In streams every short name turns up by chance."""
    data = pdf(content=TEXT + b" % /JS /Launch /EF ", compress_streams=False)
    assert unpack(data).findings == set()


def test_what_stands_around_the_document_is_a_child() -> None:
    tree = unpack(b"GET /canary-before\r\n" + pdf() + b"PK\x05\x06 canary-after, and more")
    assert tree.holds(b"canary-before")
    assert tree.holds(b"canary-after")
    assert {"CONTAINER_PREPENDED", "CONTAINER_APPENDED"} <= tree.findings


def code_page(document: pikepdf.Pdf) -> None:
    """A page with a QR code as a picture."""
    code = zxingcpp.create_barcode("https://evil.example/qr", zxingcpp.BarcodeFormat.QRCode)
    grey = memoryview(zxingcpp.write_barcode_to_image(code, scale=3))  # type: ignore[arg-type] # it is a buffer
    stream = document.make_stream(grey.tobytes())
    high, wide = grey.shape or (0, 0)
    stream.stream_dict = Dictionary(
        Type=Name.XObject, Subtype=Name.Image, Width=wide, Height=high, ColorSpace=Name.DeviceGray, BitsPerComponent=8
    )
    document.pages[0].Resources.XObject = Dictionary(Im0=stream)
    document.pages[0].Contents = document.make_stream(b"q 150 0 0 150 100 500 cm /Im0 Do Q " + TEXT)


def test_a_code_on_a_page_is_an_address() -> None:
    tree = unpack(pdf(code_page))
    assert (0, "qr", "https://evil.example/qr") in tree.addresses
    assert "IMAGE_CODE" in tree.findings


def test_a_code_drawn_by_lines_is_an_address() -> None:
    code = zxingcpp.create_barcode("https://evil.example/lines", zxingcpp.BarcodeFormat.QRCode)
    grey = memoryview(zxingcpp.write_barcode_to_image(code, scale=1))  # type: ignore[arg-type] # it is a buffer
    high, wide = grey.shape or (0, 0)
    drawn = "".join(f"{100 + 4 * x} {700 - 4 * y} 4 4 re " for y in range(high) for x in range(wide) if not grey[y, x])
    tree = unpack(pdf(content=drawn.encode() + b"f"))
    assert (0, "qr", "https://evil.example/lines") in tree.addresses


def test_an_embedded_bomb_ends_by_the_budget() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()

    def change(document: pikepdf.Pdf) -> None:
        stream = document.make_stream(b"")
        stream.write(bomb, filter=Name.FlateDecode)
        document.Root.X = Dictionary(Type=Name.Filespec, F=String("a.bin"), EF=Dictionary(F=stream))

    tree = unpack(pdf(change, stream_decode_level=pikepdf.StreamDecodeLevel.none))
    assert tree.reasons & {"limit:ratio", "limit:bytes"}
    assert tree.n_bytes < 100 << 20


def test_too_many_pages_are_said() -> None:
    def change(document: pikepdf.Pdf) -> None:
        for _ in range(501):
            document.pages.append(document.pages[0])

    assert "limit:parts" in unpack(pdf(change)).reasons


@settings(deadline=None)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=30), st.integers(0, 2))
def test_damaged_bytes_never_raise(at: int, junk: bytes, how: int) -> None:
    data = DAMAGED
    at %= len(data)
    changed = (data[:at], data[:at] + junk + data[at + len(junk) :], data[:at] + junk + data[at:])[how]
    tree = unpack(changed, true_type="application/pdf", budget=Budget(1 << 22, 100, 4, 2.0))
    assert tree.ended


DAMAGED = pdf(lambda d: (with_script(d), with_link(d), code_page(d)))


@pytest.mark.parametrize("folder", ["pdf-features", "pdf-spam", "clamav", "eicar"])
def test_of_the_corpus_all_are_read_or_said_not_to_be(folder: str) -> None:
    n_read = 0
    for path in sorted((corpus.need("attachments") / folder).glob("*.pdf")):
        tree = unpack(path.read_bytes(), path.name)
        assert tree.ended, path.name
        n_read += not tree.unseen
    assert n_read >= 1


def test_of_the_corpus_known_features_are_named() -> None:
    folder = corpus.need("attachments")
    assert unpack((folder / "clamav/clam.pdf").read_bytes()).content.get("clam.exe", b"").startswith(b"MZ")
    assert unpack((folder / "eicar/eicar-adobe-acrobat-attachment.pdf").read_bytes()).holds(b"EICAR-STANDARD")
    assert "PDF_LAUNCH" in unpack((folder / "pdf-features/pdfjs-issue17846.pdf").read_bytes()).findings
    phish = unpack((folder / "pdf-spam/Bitcoin.pdf").read_bytes())
    assert (0, "pdf", "https://clck.ru/33KW7h") in phish.addresses
