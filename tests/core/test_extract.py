"""core/extract: folding, charsets, addresses, views, containers."""

from __future__ import annotations

import io
import re
import time
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit
from mxward.core.extract import address, charset, views
from mxward.core.extract.address import Mailbox, mailboxes
from mxward.core.extract.charset import codec_for, decode_text, decode_utf8
from mxward.core.extract.container import MAX_ENTRIES, zip_entries
from mxward.core.extract.fold import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Verify  YOUR\r\n\taccount ", "verify your account"),
        ("ＶＩＡＧＲＡ", "viagra"),
        ("via\u200bg\u00adra", "viagra"),
        ("it\u2019s \u201cfree\u201d", 'it\'s "free"'),
        ("\ufb01nal", "final"),
        ("e\u0301", "é"),
        ("STRASSE straße", "strasse strasse"),
        ("a\u00a0b", "a b"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=80))
def test_fold_is_idempotent_and_agrees_with_the_plain_definition_on_latin_text(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    latin = "".join(c for c in text if ord(c) < 0x17F and c != "\xad")
    plain = " ".join(unicodedata.normalize("NFKC", latin).casefold().split())
    assert fold(latin) == " ".join(unicodedata.normalize("NFKC", plain).split())


@pytest.mark.parametrize("piece", ["a\u0301", "\u0301", "\u200b", "é", "a ", "한", "\U0001d400", "\u0344"])
def test_fold_is_linear(piece: str) -> None:
    started = time.process_time()
    fold("a" + piece * 300_000)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"plain", "", "plain"), ("é€".encode(), "", "é€"), (b"\xe9\x80", "", "é€"), (b"\xe9", "iso-8859-1", "é"),
        (b"\x93q\x94", "iso-8859-1", "“q”"), ("é".encode(), "us-ascii", "é"), (b"+AGE-", "utf-7", "a"),
        ("привет".encode("koi8-r"), "KOI8-R", "привет"), ("日本".encode("iso-2022-jp"), "iso-2022-jp", "日本"),
        ("中文".encode("gb18030"), "gb2312", "中文"), ("\ufeffab".encode("utf-16-le"), "us-ascii", "ab"),
        (b"\xef\xbb\xbfab", "iso-8859-1", "ab"), (b"ab\xff", "utf-8", "ab\ufffd"), (b"abc", "zlib_codec", "abc"),
        (b"abc", "rot13", "abc"), (b"\xc3\xa9", "no-such", "é"), (b"ab", "punycode", "ab"),
    ],
)  # fmt: skip
def test_decode_text(data: bytes, label: str, text: str) -> None:
    assert decode_text(data, label) == text


@given(
    st.sampled_from((b"", b"\xef\xbb\xbf", b"\xff\xfe")),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20),
    st.sampled_from(("", "utf-8", "UTF8", "us-ascii", "windows-1252", "utf-7", "gb2312")),
    st.booleans(),
)
def test_bytes_are_those_of_the_text(mark: bytes, data: bytes, label: str, is_html: bool) -> None:
    text = decode_text(mark + data, label.lower(), is_html=is_html)
    assert decode_utf8(mark + data, label.lower(), is_html=is_html) == text.encode("utf-8", "replace")


def test_meta_element_counts_when_the_part_has_no_charset() -> None:
    source = '<meta charset="koi8-r">привет'.encode("koi8-r")
    assert decode_text(source, "", is_html=True).endswith("привет")
    assert not decode_text(source, "").endswith("привет")


LABELS = [
    "",
    "utf-7",
    "hz",
    "utf-16",
    "iso-2022-kr",
    "cp1047",
    "viscii",
    "tis-620",
    "macintosh",
    "x-sjis",
    "\x00",
    "utf-32",
]


@given(st.binary(max_size=60), st.sampled_from(LABELS))
def test_decode_text_never_fails(data: bytes, label: str) -> None:
    assert isinstance(decode_text(data, label, is_html=True), str)


def test_every_charset_of_the_table_has_a_codec_that_makes_text() -> None:
    for name in {*charset._DIRECT, *charset._WIDER}:
        codec = codec_for(name)
        assert codec, name
        assert isinstance(b"abcd".decode(codec, "replace"), str)


def test_only_charsets_reach_a_codec() -> None:
    for name in ("zlib", "base64", "idna", "punycode", "unicode_escape", "rot13", "undefined", "raw_unicode_escape"):
        assert codec_for(name) == ""
    for name in ("utf-8", "windows-1252", "ks_c_5601-1987", "x-sjis", "macintosh"):
        assert "".encode(codec_for(name)) == b""


@pytest.mark.parametrize(
    ("value", "boxes"),
    [
        (b"a@b.example", [("", "a@b.example")]),
        (b"A Person <a@b.example>", [("A Person", "a@b.example")]),
        (b'"Person, A" <a@b.example>, c@d.example', [("Person, A", "a@b.example"), ("", "c@d.example")]),
        (b"=?utf-8?q?J=C3=B6rg?= <j@b.example>", [("Jörg", "j@b.example")]),
        (b'"service@bank.example" <x@evil.example>', [("service@bank.example", "x@evil.example")]),
        (b"list: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
        (b"a@b.example (A Person)", [("", "a@b.example")]),
        (b"Nobody", [("Nobody", "")]),
        (b"<>", [("", "")]),
        (b"", []),
        (b'"unclosed <a@b.example>', [('"unclosed <a@b.example>', "")]),
        (b'"q\\"q" <a@b.example>', [('q"q', "a@b.example")]),
    ],
)
def test_mailboxes(value: bytes, boxes: list[tuple[str, str]]) -> None:
    assert mailboxes(value) == [Mailbox(*box) for box in boxes]


@given(st.binary(max_size=80))
def test_mailboxes_never_fail(value: bytes) -> None:
    assert all(isinstance(box, Mailbox) for box in mailboxes(value))


@pytest.mark.parametrize("piece", [b'"', b"<", b"(", b"a,", b"\\", b'"\\', b"()", b"a@b, ", b"=?"])
def test_mailboxes_are_linear(piece: bytes) -> None:
    started = time.process_time()
    mailboxes(piece * 100_000)
    assert time.process_time() - started < 3


def test_views_are_computed_once() -> None:
    message = mailkit.extracted(
        mailkit.html("<p>Hello <a href='https://a.example/x?y=1&amp;z'>there</a> www.b.example.")
    )
    assert views.texts(message) is views.texts(message)
    assert views.texts(message) == [(0, "Hello there www.b.example.")]
    assert views.folded(message) == [(0, "hello there www.b.example.")]
    assert [(link.kind, link.url, link.words) for link in views.links(message)] == [
        ("a", "https://a.example/x?y=1&z", "there"), ("text", "www.b.example", ""),
    ]  # fmt: skip
    assert views.links(message) is views.links(message)
    assert views.subject(message) == "Hello"


def test_html_is_read_by_content_whatever_its_type() -> None:
    raw = mailkit.with_attachment("page.bin", b"<html><form><input type=password></form>")
    assert views.markup(mailkit.extracted(raw)) == (1, 1, 0)


def test_addresses_are_taken_as_browsers_take_them() -> None:
    message = mailkit.extracted(mailkit.html("<a href=' ht\ntp://a\t.example/ '>x</a>"))
    assert views.links(message)[0].url == "http://a.example/"


def zipped(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def encrypted(data: bytes) -> bytes:
    """The same zip with the encryption flag in every header."""
    out = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            out[place + at] |= 1
            place = data.find(mark, place + 4)
    return bytes(out)


def test_names_in_a_zip_are_listed() -> None:
    data = zipped(a__txt=b"1", b__exe=b"2")
    assert [e.name for e in zip_entries(data)] == ["a.txt", "b.exe"]
    message = mailkit.extracted(mailkit.with_attachment("z.zip", data))
    assert [name for _, name in views.names(message)] == ["z.zip", "a.txt", "b.exe"]
    assert message.not_inspected == []


def test_entries_only_local_headers_know_are_listed_too() -> None:
    data = zipped(seen__txt=b"1")
    hidden = zipped(hidden__exe=b"2")
    local_only = hidden[: hidden.find(b"PK\x01\x02")]
    assert {e.name for e in zip_entries(local_only + data)} >= {"hidden.exe"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("z.zip", encrypted(zipped(a__txt=b"1"))),
        ("z.rar", b"Rar!\x1a\x07\x01\x00" + b"\x11\x22\x33\x44\x21\x04\x00\x00" + bytes(20)),
        ("z.rar", b"Rar!\x1a\x07\x00" + b"\xce\x99\x73\x80\x00\x0d\x00" + bytes(20)),
        ("z.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(12) + (20).to_bytes(8, "little") + bytes(4)
         + b"\x01\x04\x06\x00\x24\x06\xf1\x07\x01" + bytes(11)),
    ],
)  # fmt: skip
def test_encrypted_containers_are_not_inspected(name: str, data: bytes) -> None:
    message = mailkit.extracted(mailkit.with_attachment(name, data))
    assert [(n.part, n.reason) for n in message.not_inspected] == [(2, "encrypted")]


@given(st.binary(max_size=200), st.integers(0, 200))
def test_damaged_zips_never_fail(junk: bytes, at: int) -> None:
    data = zipped(a__txt=b"1", b__exe=b"2")
    assert len(zip_entries(data[:at] + junk + data[at:])) <= MAX_ENTRIES
    assert zip_entries(junk) == [] or b"PK" in junk


def test_a_zip_of_nothing_but_headers_is_bounded_and_linear() -> None:
    started = time.process_time()
    assert len(zip_entries(b"PK\x03\x04" * 2_000_000)) <= MAX_ENTRIES
    assert time.process_time() - started < 3


PIECES = st.lists(
    st.sampled_from(['"', "\\", "<", ">", ",", ";", ":", " ", "a@b.c", "Name", "=?utf-8?q?J=C3=B6?=", "\t", "x", "é"]),
    max_size=9,
)


@given(PIECES, st.booleans())
def test_the_short_way_for_one_mailbox_gives_what_the_long_way_gives(pieces: list[str], is_likely: bool) -> None:
    text = "".join(pieces)
    value = (f"{text} <{text.strip('<>')}>" if is_likely else text).encode()
    short = mailboxes(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(address, "_ONE", re.compile("(?!)"))
        assert mailboxes(value) == short
