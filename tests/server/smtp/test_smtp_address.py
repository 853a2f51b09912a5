"""Strict addresses: the isemail suite with its 164 cases, and our own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.corpus import need
from mxward.server.smtp.address import Address, AddressError, is_helo_name, parse_mailbox, parse_path

# What of isemail's categories an envelope may hold. DNSWARN is about DNS only; VALID and RFC5321 are the grammar;
# everything else (comments, folding space, obsolete forms, RFC 5322 only, errors) has no place in SMTP.
LEGAL = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"}


def suite() -> list[tuple[str, str, str]]:
    """(address, category, diagnosis) with the suite's symbols for control characters put back."""
    root = ET.parse(need("suites/address") / "tests.xml").getroot()
    out = []
    for test in root.iter("test"):
        text = test.findtext("address") or ""
        text = re.sub("[\u2400-\u2420]", lambda m: chr(ord(m[0]) - 0x2400), text)
        out.append((text, test.findtext("category") or "", test.findtext("diagnosis") or ""))
    return out


def is_path(text: str) -> bool:
    try:
        parse_path(b"<" + text.encode("utf-8") + b">", utf8=True)
    except AddressError:
        return False
    return True


@pytest.mark.corpus
def test_isemail_suite() -> None:
    cases = suite()
    assert len(cases) == 164
    wrong = [(a, c, d) for a, c, d in cases if is_path(a) != (c in LEGAL)]
    assert wrong == []


@pytest.mark.parametrize(
    "path",
    [
        b"<a@b>", b"<a.b+c=d@x.example>", b'<"a b"@x.example>', b'<"a\\"b"@x.example>', b"<a@[192.0.2.1]>",
        b"<a@[IPv6:2001:db8::1]>", b"<a@xn--mnchen-3ya.example>", b"<" + b"l" * 64 + b"@x.example>",
        b"<@a.example,@b.example:c@d.example>", b'<"">'[:-1] + b"@x.example>",
    ],
)  # fmt: skip
def test_legal_paths(path: bytes) -> None:
    parse_path(path)


@pytest.mark.parametrize(
    "path",
    [
        b"", b"<", b">", b"<>", b"a@b", b"<a@b", b"a@b>", b"<<a@b>>", b"<a b@c>", b"<a@b c>", b"<a@>", b"<@b>",
        b"<a@b@c>", b"<a..b@c>", b"<.a@c>", b"<a.@c>", b"<a@-b>", b"<a@b->", b"<a@b..c>", b"<a@.b>", b"<a@b.>",
        b"<a@b_c>", b"<a\0@b>", b"<a@b\0>", b"<a\r@b>", b"<a@[1.2.3]>", b"<a@[1.2.3.4.5]>", b"<a@[256.1.1.1]>",
        b"<a@[IPv6:::1%eth0]>", b"<a@[IPv6:1:2:3]>", b"<a@[]>", b"<a@[x]>", b'<"a@b>', b'<a"b"@c>', b"<a(c)@b>",
        b"<" + b"l" * 65 + b"@x.example>", b"<a@" + b"l" * 64 + b".example>", b"<a@" + b"d." * 127 + b"example>",
        b"<@a:>", b"<@a,b:c@d>", b"<@:c@d>", b"<postmaster>", b"<a@xn--0>", b"<=?utf-8?q?a=40b?=@c>\r",
    ],
)  # fmt: skip
def test_illegal_paths(path: bytes) -> None:
    with pytest.raises(AddressError):
        parse_path(path)


def test_utf8_needs_the_parameter() -> None:
    path = "<jürgen@münchen.example>".encode()
    with pytest.raises(AddressError) as error:
        parse_path(path)
    assert error.value.is_utf8
    address = parse_path(path, utf8=True)
    assert (address.local, address.domain) == ("jürgen", "xn--mnchen-3ya.example")
    for bad in ("<j\u202ergen@x.example>", "<a@\u0661.example\u200b>", "<a\u0085b@x.example>"):
        with pytest.raises(AddressError):
            parse_path(bad.encode(), utf8=True)


def test_forms_of_one_mailbox_have_one_key() -> None:
    keys = {parse_mailbox(t).key for t in ("Bob@Trust.Example", '"bob"@trust.example', "@r.example:BOB@trust.example")}
    assert keys == {"bob@trust.example"}


def test_null_and_postmaster_only_where_allowed() -> None:
    assert parse_path(b"<>", null=True).text == ""
    assert parse_path(b"<PostMaster>", postmaster=True) == Address("PostMaster", "postmaster", "")


@given(st.binary(max_size=80))
def test_parse_path_fails_only_by_address_error(path: bytes) -> None:
    for flags in (False, True):
        try:
            address = parse_path(b"<" + path + b">", utf8=flags, null=True, postmaster=True)
        except AddressError:
            continue
        assert "\r" not in address.text and "\n" not in address.text and "\0" not in address.text


@pytest.mark.parametrize("name", [b"a.example", b"[192.0.2.1]", b"my_pc"])
def test_helo_names(name: bytes) -> None:
    assert is_helo_name(name)


@pytest.mark.parametrize("name", [b"", b"a b", b"a\tb", b"a(b)", b"x" * 256, b"b\xc3\xa9"])
def test_bad_helo_names(name: bytes) -> None:
    assert not is_helo_name(name)
