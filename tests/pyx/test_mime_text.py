"""Encoded words, charsets, parameters and file names."""

from __future__ import annotations

import email.header
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.mime import parse
from mxward.pyx.mime_text import codec_name, decode_text, decode_words, file_names, parameter

WORDS = [
    (b"plain", "plain"),
    (b"=?utf-8?Q?a=C3=A4_b?=", "aä b"),
    (b"=?UTF-8?b?w6Q=?=", "ä"),
    (b"=?utf-8?b?w6Q?=", "ä"),
    (b"=?us-ascii?q?a?= =?us-ascii?q?b?=", "ab"),
    (b"=?us-ascii?q?a?=  \t =?us-ascii?q?b?= c", "ab c"),
    (b"a =?us-ascii?q?b?= c", "a b c"),
    (b"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
    (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
    (b"=?iso-8859-1*de?q?=E4?=", "ä"),
    (b"=?x-nonsense?q?=E4?=", "ä"),
    (b"=?utf-7?q?+AOQ-?=", "ä"),
    (b"=?gb2312?b?1tA=?=", "中"),
    (b"=?ks_c_5601-1987?b?x9E=?=", "한"),
    (b"\xc3\xa4", "ä"),
    (b"\xe4", "ä"),
    (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
    (b"=?utf-8?q?a", "=?utf-8?q?a"),
    (b"=?utf-8?q?=zz?=", "=zz"),
    (b"(=?utf-8?q?a?=)", "(a)"),
    (b"", ""),
]


@pytest.mark.parametrize("value, text", WORDS, ids=range(len(WORDS)))
def test_encoded_words(value: bytes, text: str) -> None:
    assert decode_words(value) == text


@given(st.text(max_size=60), st.sampled_from(["utf-8", "utf-16", "iso-2022-jp", "koi8-r", "big5"]))
def test_words_of_the_library_come_back(text: str, charset: str) -> None:
    try:
        text.encode(charset)
        value = email.header.Header(text, charset).encode(linesep="\r\n").replace("\r\n", "")
        back = str(email.header.make_header(email.header.decode_header(value)))
    except (UnicodeError, LookupError, email.errors.HeaderParseError):
        return
    if back == text and "=?" in value and "?" not in text:
        assert decode_words(value.encode()) == text


@given(st.binary(max_size=300))
def test_any_bytes_are_text(value: bytes) -> None:
    assert isinstance(decode_words(value), str)
    assert isinstance(decode_text(value, "utf-7"), str)
    assert isinstance(parameter(value, "name"), str)


@given(st.binary(max_size=80), st.text(max_size=20))
def test_any_charset_label_is_taken(value: bytes, label: str) -> None:
    assert isinstance(decode_text(value, label), str)


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "rot13", "zlib", "hex", "unicode_escape", "undefined", "", "\0", "x" * 999]
)
def test_codecs_that_are_no_charset_are_refused(label: str) -> None:
    assert codec_name(label) == ""


@pytest.mark.parametrize(
    "label, data, text",
    [
        ("utf-8", b"\xc3\xa4", "ä"), ("UTF8", b"\xc3\xa4", "ä"), ('"iso-8859-1"', b"\x80", "€"),
        ("us-ascii", b"\xc3\xa4", "ä"),
        ("utf-16", b"\xff\xfea\0", "a"), ("utf-16", b"a\0b\0", "ab"), ("utf-16", b"\0a\0b", "ab"),
        ("utf-7", b"+AGE-", "a"),
        ("hz", b"~{VP~}", "中"), ("x-nonsense", b"\xe4", "ä"), ("iso-8859-8-i", b"\xe0", "א"), ("cp850", b"\x84", "ä"),
        ("utf-8", b"\xff", "\ufffd"), ("shift_jis", b"\x82\xa0", "あ"), ("windows-1251", b"\xe4", "д"),
    ],
)  # fmt: skip
def test_charsets(label: str, data: bytes, text: str) -> None:
    assert decode_text(data, label) == text


NAMES = [
    (b'attachment; filename="a.zip"', "", "a.zip"),
    (b"attachment; filename=a.zip", "", "a.zip"),
    (b"attachment; filename*=utf-8''%C3%A4.zip", "", "ä.zip"),
    (b"attachment; filename*0=a.; filename*1=zip", "", "a.zip"),
    (b"attachment; filename*1=zip; filename*0=a.", "", "a.zip"),
    (b"attachment; filename*0*=utf-8''%61; filename*1=.zip", "", "a.zip"),
    (b"attachment; filename=b.png; filename*=''a.zip", "", "a.zip"),
    (b"attachment; filename=b.png; filename=a.zip", "", "a.zip"),
    (b'attachment; filename="=?utf-8?b?YS56aXA=?="', "", "a.zip"),
    (b"attachment; filename=a(x).zip", "", "a.zip"),
    (b'attachment; filename="a".zip"', "", "a.zip"),
    (b"attachment; filename =a.zip", "", "a.zip"),
    (b"attachment; file(x)name=a.zip", "", "a.zip"),
    (b"attachment", "application/x; name=a.zip", "a.zip"),
    (b"attachment; filename*0=a.", "application/x; filename*1=zip", "a.zip"),
    (b"attachment; filename='a.zip'", "", "a.zip"),
    (b"attachment; filename*=utf-16''a%00.%00z%00i%00p%00", "", "a.zip"),
]


@pytest.mark.parametrize("disposition, kind, name", NAMES, ids=range(len(NAMES)))
def test_names_that_some_client_shows(disposition: bytes, kind: str, name: str) -> None:
    names = file_names([disposition], [kind.encode()] if kind else [])
    assert name in names
    raw = b"Content-Disposition: " + disposition + (f"\nContent-Type: {kind}".encode() if kind else b"") + b"\n\nx"
    assert name in parse(raw).parts[0].names


def test_a_clean_name_is_the_only_one() -> None:
    assert file_names([b'attachment; filename="my file.zip"; size=3'], [b'application/zip; name="my file.zip"']) == (
        "my file.zip",
    )
    assert file_names([b"inline"], [b"text/plain; charset=utf-8"]) == ()


def test_parameter() -> None:
    assert parameter(b'text/plain; format=flowed; charset="utf-8"', "charset") == "utf-8"
    assert parameter(b"text/plain;\r\n\tcharset=utf-8", "charset") == "utf-8"
    assert parameter(b"text/plain", "charset") == ""


@pytest.mark.parametrize(
    "unit", [b"=?", b"=?utf-8?q?x?= ", b"=?utf-8?q?", b"?=", b"=?a?q?=", b"; name*1=x", b"; name=(", b'; name="\\']
)
def test_cost_grows_linearly(unit: bytes) -> None:
    def cost(n: int) -> float:
        value = unit * (n // len(unit)) + b"?="
        best = 1e9
        for _ in range(3):
            start = time.thread_time()
            decode_words(value)
            file_names([value], [])
            best = min(best, time.thread_time() - start)
        return best

    small, large = cost(20_000), cost(200_000)
    assert large < 0.01 or large / small < 30, (small, large)
