"""The texts that SpamAssassin rules look at: what stands in them, and where they are cut."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.samail import mail, texts
from mxward.core.rules.spamassassin.charset import to_utf8
from mxward.core.rules.spamassassin.chunks import CHUNK, chunks
from mxward.core.rules.spamassassin.texts import split

MIXED = (
    b"From: a@x.example\nSubject: two\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=bb\n\nbefore\n"
    b"--bb\nContent-Type: text/plain\n\none\n--bb\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
    b"AAAA\n--bb\nContent-Type: text/html\n\n<p>two</p>\n--bb--\n"
)


def test_body_begins_with_the_subject_and_has_a_paragraph_a_segment() -> None:
    assert split(texts(mail(b"one\ntwo\n\n\nthree\n")).body) == [b"words\n", b"one two\n", b"three "]


def test_texts_of_all_parts_stand_in_the_body_and_other_parts_do_not() -> None:
    found = texts(MIXED)
    assert split(found.body) == [b"two\n", b"one\n", b"two\n"]
    assert found.rawbody == (b"one<p>two</p>", [0, 3])


def test_quoted_printable_and_base64_are_decoded() -> None:
    coded = mail(b"a=\nb =3D c\n", Content_Transfer_Encoding=b"quoted-printable")
    assert texts(coded).rawbody[0] == b"ab = c\n"
    coded = mail(base64.encodebytes(b"line\r\nline\r\n"), Content_Transfer_Encoding=b"base64")
    assert texts(coded).rawbody[0] == b"line\nline\n"


def test_long_paragraphs_are_cut_at_a_space() -> None:
    lines = split(texts(mail(b"word " * 1000)).body)
    assert [len(line) for line in lines] == [6, 2045, 2045, 910]
    assert all(line.endswith(b"word ") for line in lines[1:])


def test_a_part_of_more_than_fifty_thousand_characters_is_cut() -> None:
    data, _ = texts(mail("é ".encode() * 60_000, b"text/plain; charset=utf-8")).body
    assert len(data.decode()) == 6 + 50_002  # up to and with the first space behind the limit


def test_runs_of_blank_lines_are_shortened() -> None:
    assert texts(mail(b"a\n" + b"\n" * 50 + b"b\n")).rawbody[0] == b"a\n" + b"\n" * 20 + b"b\n"


def test_the_full_text_is_the_message_with_bare_line_feeds() -> None:
    raw = mail(b"x\n")
    assert texts(raw).full == raw


def test_html_is_rendered_with_invisible_text() -> None:
    page = b"<h1>T</h1><p style='display:none'>gone</p><p>here <a href='http://h.example/'>now</a></p>"
    found = texts(mail(page, b"text/html"))
    assert b"".join(split(found.body)) == b"words\n T \ngone\nhere now\n"
    assert found.uris == [b"http://h.example/"]


def test_a_calendar_is_not_in_the_raw_body() -> None:
    assert texts(mail(b"BEGIN:VCALENDAR\n", b"text/calendar")).rawbody == (b"", [])


def test_a_part_named_html_is_html() -> None:
    assert len(texts(mail(b"<b>x</b>", b"application/octet-stream; name=a.html")).html) == 1


def test_a_multipart_whose_boundary_is_nowhere_is_one_text() -> None:
    found = texts(mail(b"--other\n\nx\n", b"multipart/mixed; boundary=bb"))
    assert b"--other" in found.body[0]


@pytest.mark.parametrize(
    ("data", "charset", "text", "is_wide"),
    [
        (b"plain", "us-ascii", b"plain", False), (b"plain", "iso-8859-7", b"plain", False),
        (b"caf\xe9", "iso-8859-1", "café".encode(), True), (b"caf\xe9", "us-ascii", "café".encode(), True),
        ("café".encode(), "iso-8859-1", "café".encode(), True), (b"\x93x\x94", "nonsense", "“x”".encode(), True),
        (b"\xe1\xe2", "koi8-r", "АБ".encode(), True), (b"\x81", "cp1252", "\ufffd".encode(), True),
        ("ab".encode("utf-16-le"), "utf-16", b"ab", True),
    ],
)  # fmt: skip
def test_charsets(data: bytes, charset: str, text: bytes, is_wide: bool) -> None:
    assert to_utf8(data, charset) == (text, is_wide)


@given(st.binary(max_size=300), st.sampled_from(["us-ascii", "utf-8", "iso-2022-jp", "utf-16", "big5", "x", "hz"]))
def test_any_bytes_in_any_charset_become_utf_8(data: bytes, charset: str) -> None:
    to_utf8(data, charset)[0].decode("utf-8")
    to_utf8(data, charset, is_word=True)[0].decode("utf-8")


@given(st.lists(st.sampled_from([b"a", b"> ", b"\n", b" ", b"x" * 700, b"y" * 5000]), max_size=40))
def test_chunks_cover_the_text_and_are_of_the_right_size(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    starts = chunks(text)
    sizes = [len(chunk) for chunk in split((text, starts))]
    assert sum(sizes) == len(text)
    assert starts[0] == 0
    assert all(CHUNK < size <= 2 * CHUNK for size in sizes[:-1])
    assert sizes[-1] <= 2 * CHUNK


@given(st.binary(max_size=2000))
def test_any_message_has_texts(raw: bytes) -> None:
    found = texts(raw)
    for data, starts in (found.body, found.rawbody):
        assert starts == sorted(set(starts))
        assert not starts or starts[-1] < max(1, len(data))
    assert isinstance(found.uris, list)
    assert found.header("ALL") is None or isinstance(found.header("ALL"), bytes)
