"""Attachments removed and renamed, HTML flattened: what is meant changes, every other byte stays."""

from __future__ import annotations

import io
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit, officekit
from mxtest.openkit import HereOpener, SaidOpener
from mxward.core.extract import reply
from mxward.core.extract.opener import Opened
from mxward.core.modify import ModifyError, apply
from mxward.pyx.mime import parse

VBA = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
PROGRAM = b"MZ\x90\x00program"


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def mail(*attachments: tuple[str, bytes], html: str = "") -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "a@partner.example", "b@trust.example", "Gr\u00fc\u00dfe"
    message["X-Odd"] = "kept  as   it is"
    message.set_content("See the files.\r\n")
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in attachments:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


def leaf_named(raw: bytes, name: str) -> int:
    return next(i for i, info in enumerate(parse(raw).parts) if name in info.names)


def test_a_removed_attachment_leaves_a_notice_and_the_others_as_they_are() -> None:
    raw = mail(("run.exe", PROGRAM), ("kept.bin", b"\x00\x01kept"))
    edited = apply(raw, [("modify", f"remove-attachments {leaf_named(raw, 'run.exe')}")])
    assert PROGRAM not in b"".join(parse(edited).decode_all())
    notice, kept = read(edited).iter_attachments()
    assert notice.get_filename() == "run.exe.removed.txt"
    assert notice.get_content_type() == "text/plain"
    assert 'The attachment "run.exe" was removed' in notice.get_content()
    assert kept.get_filename() == "kept.bin"
    assert kept.get_content() == b"\x00\x01kept"
    start = raw.index(b'filename="kept.bin"')
    assert raw[start:] in edited


def test_all_attachments_go_when_none_is_named() -> None:
    raw = mail(("a.exe", PROGRAM), ("b.exe", PROGRAM), html="<p>Hello</p>")
    edited = apply(raw, [("modify", "remove-attachments")])
    names = [part.get_filename() for part in read(edited).iter_attachments()]
    assert names == ["a.exe.removed.txt", "b.exe.removed.txt"]
    body = read(edited).get_body(("html",))
    assert body is not None
    assert "<p>Hello</p>" in body.get_content()


def test_removing_twice_removes_nothing_more() -> None:
    raw = mail(("a.exe", PROGRAM))
    once = apply(raw, [("modify", "rename-attachments")])
    assert apply(once, [("modify", "rename-attachments")]) == once


def test_a_renamed_attachment_keeps_its_content() -> None:
    edited = apply(mail(("run.exe", PROGRAM)), [("modify", "rename-attachments")])
    (renamed,) = read(edited).iter_attachments()
    assert renamed.get_filename() == "run.exe.renamed"
    assert renamed.get_content() == PROGRAM


@pytest.mark.parametrize(
    "name", ["r\u00e9sum\u00e9.exe", 'a"b.exe', "x" * 200 + ".exe", "\u202etxt.exe", "\u65e5" * 40]
)
def test_names_of_any_kind_can_be_written(name: str) -> None:
    raw = mail(("plain.exe", PROGRAM)).replace(b'filename="plain.exe"', _encoded(name))
    edited = apply(raw, [("modify", "rename-attachments")])
    (renamed,) = read(edited).iter_attachments()
    assert renamed.get_content() == PROGRAM
    assert renamed.get_filename() is not None
    assert all(len(line) <= 998 for line in edited.split(b"\r\n"))


def _encoded(name: str) -> bytes:
    return b"filename*=utf-8''" + b"".join(b"%%%02X" % byte for byte in name.encode())


def test_a_message_that_is_nothing_but_an_attachment_can_be_changed() -> None:
    raw = (
        b"From: a@partner.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream;\r\n"
        b' name="run.exe"\r\nX-Kept: yes\r\n\r\nMZ program\r\n'
    )
    edited = apply(raw, [("modify", "remove-attachments")])
    message = read(edited)
    assert message["X-Kept"] == "yes"
    assert message.get_content_type() == "text/plain"
    assert b"MZ program" not in edited


def test_flat_html_shows_what_was_shown_and_nothing_acts() -> None:
    source = (
        '<html><body><script>alert(1)</script><p>Pay &amp; go</p><p style="display:none">hidden</p>'
        '<form action="https://evil.example/x"><a href="https://evil.example/login">your bank</a></form></body></html>'
    )
    edited = apply(mail(html=source), [("modify", "flatten-html")])
    texts = [part.get_content() for part in read(edited).walk() if part.get_content_type() == "text/plain"]
    assert "Pay & go" in texts[1]
    assert "your bank" in texts[1]
    assert "hxxps[:]//evil.example/login" in texts[1]
    assert "alert" not in texts[1]
    assert "hidden" not in texts[1]
    assert not [part for part in read(edited).walk() if part.get_content_type() == "text/html"]


def test_a_signed_part_is_not_touched() -> None:
    raw = mail(("run.exe", PROGRAM)).replace(b"multipart/mixed", b'multipart/signed; protocol="x/y"')
    with pytest.raises(ModifyError):
        apply(raw, [("modify", "remove-attachments")])


def test_a_message_that_programs_read_differently_is_not_touched() -> None:
    raw = mail(("run.exe", PROGRAM))
    raw = raw.replace(b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nContent-Type: text/plain", 1)
    assert parse(raw).is_ambiguous
    with pytest.raises(ModifyError):
        apply(raw, [("modify", "remove-attachments")])


@pytest.mark.parametrize("argument", ["explode", "remove-attachments x", "remove-attachments -1", "disarm \u0663"])
def test_what_is_no_edit_is_refused(argument: str) -> None:
    with pytest.raises(ModifyError):
        apply(mail(("run.exe", PROGRAM)), [("modify", argument)])


def test_a_disarmed_document_is_named_as_what_it_is_now() -> None:
    raw = mail(("letter.docm", officekit.docx("Dear colleague", macro=VBA)), ("plain.docx", officekit.docx()))
    edited = apply(raw, [("modify", "disarm")], HereOpener())
    first, second = read(edited).iter_attachments()
    assert first.get_filename() == "letter.docx"
    assert b"Dear colleague" in zipfile.ZipFile(io.BytesIO(first.get_content())).read("word/document.xml")
    assert VBA not in edited
    assert second.get_content() == officekit.docx()
    assert apply(edited, [("modify", "disarm")], HereOpener()) == edited


def test_what_cannot_be_disarmed_is_removed() -> None:
    raw = mail(("old.doc", VBA), ("in.zip", b"PK\x03\x04" + bytes(40)), ("photo.jpg", b"\xff\xd8\xff"))
    edited = apply(raw, [("modify", f"disarm {leaf_named(raw, 'in.zip')}")], HereOpener())
    names = [part.get_filename() for part in read(edited).iter_attachments()]
    assert names == ["old.doc.removed.txt", "in.zip.removed.txt", "photo.jpg"]


@pytest.mark.parametrize("failure", ["crashed", "timeout"])
def test_a_document_whose_disarming_failed_is_removed(failure: str) -> None:
    opener = SaidOpener(Opened(memoryview(b""), failure))
    edited = apply(mail(("letter.docm", officekit.docx(macro=VBA))), [("modify", "disarm")], opener)
    (notice,) = read(edited).iter_attachments()
    assert notice.get_filename() == "letter.docm.removed.txt"


def test_a_worker_that_was_taken_over_cannot_send_a_program() -> None:
    frames = b"".join(b"".join(reply.frame(*r)) for r in ((reply.Child(0, ("x",)), b"MZ" + VBA), (reply.End(), b"")))
    opener = SaidOpener(Opened(memoryview(frames), ""))
    edited = apply(mail(("letter.docm", officekit.docx(macro=VBA))), [("modify", "disarm")], opener)
    (notice,) = read(edited).iter_attachments()
    assert notice.get_filename() == "letter.docm.removed.txt"


def test_nothing_is_delivered_while_nothing_can_be_disarmed() -> None:
    raw = mail(("letter.docm", officekit.docx(macro=VBA)))
    for opener in (None, SaidOpener(Opened(memoryview(b""), "unavailable"))):
        with pytest.raises(ModifyError):
            apply(raw, [("modify", "disarm")], opener)


def test_disarming_needs_an_opener_only_when_there_is_something_to_disarm() -> None:
    raw = mail(("run.exe", PROGRAM))
    assert apply(raw, [("modify", "disarm")]) == raw


@given(
    st.binary(max_size=300),
    st.sampled_from(["remove-attachments", "remove-attachments 1 2 99", "rename-attachments 0", "flatten-html"]),
)
def test_any_bytes_are_edited_safely_or_not_at_all(raw: bytes, argument: str) -> None:
    whole = mailkit.HEAD.format(subject="x").encode() + raw
    try:
        edited = apply(whole, [("modify", argument)])
    except ModifyError:
        return
    assert edited == whole or not parse(edited).is_ambiguous


def _may_be_html(content_type: str, data: bytes) -> bool:
    return content_type == "text/html" or b"<p>" in data


PIECES = [
    b"\r\n", b"--b\r\n", b"--b--\r\n", b"Content-Type: text/html\r\n", b"\r\n<p>x\r\n", b"x: y\r\n",
    b"Content-Disposition: attachment; filename=a.exe\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_odd_structures_are_edited_safely_or_not_at_all(pieces: list[bytes]) -> None:
    whole = b"Content-Type: multipart/mixed; boundary=b\r\n" + b"".join(pieces)
    for argument in ("remove-attachments", "flatten-html"):
        try:
            edited = apply(whole, [("modify", argument)])
        except ModifyError:
            continue
        if edited == whole:
            continue
        before, after = parse(whole), parse(edited)
        leaves = [(i, data) for i, data in zip(before.parts, before.decode_all(), strict=True) if i.kind == "leaf"]
        kept = [data for i, data in leaves if data and not i.names and not _may_be_html(i.content_type, data)]
        rest = after.decode_all()
        assert all(data in rest for data in kept)
