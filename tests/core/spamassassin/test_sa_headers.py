"""Header fields by the names that rules give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.samail import texts
from mxward.core.rules.spamassassin.addresses import Mailbox, is_host, mailboxes
from mxward.core.rules.spamassassin.fields import decode_words
from mxward.core.rules.spamassassin.ip import is_address, is_private, reverse

MAIL = b"""Return-Path: <bounce@list.example>
Received: from mx.sender.example (mx.sender.example [198.51.100.7])
\tby mail.here.example (Postfix) with ESMTP id ABC for <me@here.example>; Mon, 9 Aug 2021 09:54:01 -0700
X-Spam-Status: No
From: "Jane, Q." <jane@www.sender.co.uk>
To: me@here.example,
 Other Name <other@here.example>
Cc: third@here.example
Subject: =?utf-8?q?caf=C3=A9?=
 =?utf-8?q?_au_lait?= and more
Message-Id: <1@sender.example>
Resent-Message-Id: <2@sender.example>
X-Originating-IP: [203.0.113.9]
Date: Mon, 9 Aug 2021 09:54:00 -0700

body
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Subject", "café au lait and more\n".encode()),
        ("Subject:raw", b" =?utf-8?q?caf=C3=A9?=\n =?utf-8?q?_au_lait?= and more\n"),
        ("From:addr", b"jane@www.sender.co.uk"), ("From:name", b"Jane, Q."), ("From:addr:host", b"www.sender.co.uk"),
        ("From:addr:domain", b"sender.co.uk"), ("To:addr", b"me@here.example\nother@here.example"),
        ("To:name", b"Other Name"), ("To:addr:first", b"me@here.example\nother@here.example"),
        ("ToCc", b"me@here.example, Other Name <other@here.example>\nthird@here.example\n"),
        ("MESSAGEID", b"<2@sender.example>\n<1@sender.example>\n"), ("EnvelopeFrom", b"bounce@list.example"),
        ("X-Originating-IP:ip", b"203.0.113.9"), ("X-Originating-IP:revip", b"9.113.0.203"), ("Absent", None),
        ("X-Spam-Status", None), ("Absent:addr", None),
    ],
)  # fmt: skip
def test_values(name: str, value: bytes | None) -> None:
    assert texts(MAIL).header(name) == value


def test_a_modifier_may_stand_apart() -> None:
    assert texts(MAIL).header("From", "addr") == b"jane@www.sender.co.uk"


def test_all_fields_are_unfolded_and_what_an_earlier_run_added_is_left_out() -> None:
    found = texts(MAIL).header("ALL") or b""
    assert b"\nTo: me@here.example, Other Name <other@here.example>\n" in found
    assert b"X-Spam" not in found
    assert b"X-Spam-Status" in (texts(MAIL).header("ALL:raw") or b"")


def test_fields_above_and_below_the_border_of_trust() -> None:
    found = texts(MAIL)
    assert (found.header("ALL-TRUSTED") or b"").splitlines()[0] == b"Return-Path: <bounce@list.example>"
    assert (found.header("ALL-EXTERNAL") or b"").startswith(b"Received: from mx.sender.example")


def test_the_relay_is_external() -> None:
    expected = (
        b"[ ip=198.51.100.7 rdns=mx.sender.example helo=mx.sender.example by=mail.here.example ident= envfrom= intl=0 "
        b"id=ABC auth= msa=0 ]"
    )
    assert texts(MAIL).header("X-Spam-Relays-External") == expected + b" " + (
        b"[ ip=203.0.113.9 rdns= helo= by= ident= envfrom= intl=0 id= auth= msa=0 ]"
    )
    assert texts(MAIL).header("X-Spam-Relays-Trusted") == b""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a@b.example", [Mailbox(None, b"a@b.example")]), (b"<a@b.example>", [Mailbox(None, b"a@b.example")]),
        (b'"A, B" <a@b.example>, c@d.example (C)', [Mailbox(b"A, B ", b"a@b.example"), Mailbox(b"C", b"c@d.example")]),
        (b"friends: a@b.example, c@d.example;", [Mailbox(None, b"a@b.example"), Mailbox(None, b"c@d.example")]),
        (b"undisclosed-recipients:;", []), (b"just words", [Mailbox(b"just words", None)]), (b"  \n", []),
        (b'"a@b.example" <c@d.example>', [Mailbox(b"a@b.example ", b"c@d.example")]), (b"<>", [Mailbox(None, None)]),
        (b"=?x?q?y?=<a@b.example> <a@b.example>", [Mailbox(b"=?x?q?y?=", b"a@b.example")]),
    ],
)  # fmt: skip
def test_mailboxes(value: bytes, expected: list[Mailbox]) -> None:
    assert mailboxes(value) == expected


@given(st.binary(max_size=400) | st.text(alphabet='<>@",;:() ab.\\', max_size=200).map(str.encode))
def test_any_value_has_mailboxes(value: bytes) -> None:
    for box in mailboxes(value):
        assert box.address is None or b"@" in box.address


@pytest.mark.parametrize(
    ("host", "expected"),
    [(b"a.example", True), (b"A.Example.", True), (b"a_b.c.example", True), (b"a_b.example", False), (b"a", False),
     (b"a..example", False), (b"-a.example", False), (b"a" * 64 + b".example", False)],
)  # fmt: skip
def test_hosts(host: bytes, expected: bool) -> None:
    assert is_host(host) is expected


@pytest.mark.parametrize(
    ("text", "is_known", "private", "turned"),
    [(b"10.1.2.3", True, True, b"3.2.1.10"), (b"8.8.4.4", True, False, b"4.4.8.8"), (b"256.1.1.1", False, False, b""),
     (b"::ffff:192.168.1.1", True, True, None), (b"2001:db8::1", True, False, None), (b"fe80::1", True, True, None),
     (b"::1", True, True, None), (b"x", False, False, b"")],
)  # fmt: skip
def test_addresses(text: bytes, is_known: bool, private: bool, turned: bytes | None) -> None:
    assert is_address(text) is is_known
    assert is_private(text) is private
    assert turned is None or reverse(text) == turned


@given(st.binary(max_size=200))
def test_any_value_is_decoded(value: bytes) -> None:
    decode_words(value, b"subject").decode("utf-8", "strict" if not value.isascii() else "replace")


def test_words_of_one_charset_are_joined_before_they_are_decoded() -> None:
    assert decode_words(b"=?utf-8?b?w6?= =?utf-8?q?=A9?=") == "é".encode()
