"""pyx/sahops against core/rules/spamassassin/received_line.py, which reads any field with regular expressions."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxward.core.rules.spamassassin import received_formats as formats
from mxward.core.rules.spamassassin.received import relay_of
from mxward.core.rules.spamassassin.received_hops import hops
from mxward.core.rules.spamassassin.received_line import read
from mxward.core.rules.spamassassin.template import Templates
from mxward.pyx.sahops import ASK, FETCHED, SKIPPED, STAGES, UNREAD, Hops, Relay

FORMS = (
    *(form for _, forms in formats.BY_SERVER for form in forms), formats.SENDMAIL, *formats.GENERAL, formats.QMAIL,
    *formats.QMAIL_FORMS, *formats.BEFORE_FETCH, *formats.AFTER_FETCH, *formats.NOTHING, *formats.NOTHING_LATER,
)  # fmt: skip
MARKS = sorted({form.mark for form in FORMS if form.mark})
WORDS = [
    b"from ", b"FROM ", b"(from ", b" by ", b" id ", b" with ", b" (", b"(", b") ", b")", b"[", b"]", b" ", b";",
    b" ; ",
    b"a.example", b"mail", b"_x", b"1.2.3.4", b"10.0.0.1", b"[1.2.3.4]", b"([192.168.0.1])",
    b"(b.example [203.0.113.9])",
    b"(b.example[203.0.113.9]) ", b"(unknown [1.2.3.4])", b"IPv6:2001:db8::1", b"::1", b"fe80::1", b"::ffff:1.2.3.4",
    b"1:2:3:4:5:6:7:8", b"1::2:3:4:5:6:7:8", b"1.2.3.456", b"01.2.3.4", b"::FFFF:1.2.3.4", b"1:2:3:4:5:6:7::",
    b"HELO x", b"EHLO ", b"helo=", b"ident=", b"ident=me", b"IDENT:me@", b"me@", b"@", b"softdnserr", b"unknown",
    b"UNKNOWN", b"localhost", b"127.0.0.1", b"ESMTP", b"ESMTPSA", b"SMTP", b"HTTP", b"LMTP", b"POP3", b"local",
    b" for <a@b.example>", b"(envelope-from <a@b.example>)", b"Return-Path: <>", b"(qmail 12 invoked from network)",
    b"; Mon, 1 Jan 2024 01:02:03 +0000", b"  2 Feb 24 1:2 x", b"id <abcd>", b" id ab", b"\t", b"\n", b"\0", b"\xe9",
    b".", b"-", b" (Exim 4.9)", b" (Postfix) with ESMTP id 1", b"Microsoft SMTP Server (TLS) id 15.1.2.3",
    b"mapi id 1.2.3.4",
    b"(Authenticated sender: me)", b"helo=a helo=b ident=c",
]  # fmt: skip
DIGITS = [b"1", b"0", b"12", b"255", b"256", b"a", b"f", b"ffff", b":", b"::", b".", b"1.2.3.4", b"g"]
LINES = st.lists(st.sampled_from(WORDS + MARKS), max_size=14).map(b"".join)
ENTRIES = ("ip", "rdns", "helo", "by", "ident", "envelope_from", "id", "auth", "has_no_rdns", "is_private", "text")


def told(came: Relay | int) -> object:
    return came if isinstance(came, int) else [getattr(came, name) for name in ENTRIES]


def reference(line: bytes) -> Relay | int:
    parsed = read(line)
    if parsed is None:
        return UNREAD
    if parsed.is_skipped:
        return FETCHED if parsed.is_fetched else SKIPPED
    return relay_of(parsed)


def agree(line: bytes) -> None:
    came = hops().read(line)
    if came != ASK:
        assert told(came) == told(reference(line))


@example(
    b"from a.example (b.example [203.0.113.9]) by c.example (Postfix) with ESMTPS id 4Q; Mon, 1 Jan 2024 01:02:03 +0000"
)
@example(b"from [1.2.3.4] (helo=x ident=me) by c.example with esmtp (Exim 4.9) id 1")
@example(b"from a ([IPv6:::ffff:1.2.3.4]) by b with c")
@example(b"from x by y (z); 1 Jan 2024 1:2:3:4 +0")
@given(LINES.map(lambda line: b"from " + line))
def test_fields_from_somewhere(line: bytes) -> None:
    agree(line)


@given(LINES)
def test_any_fields(line: bytes) -> None:
    agree(line)


@given(st.sampled_from(FORMS), st.data())
def test_fields_like_a_template(form: formats.Format, data: st.DataObject) -> None:
    """What a template matches, now and then with a piece of another kind in it."""
    text = data.draw(st.from_regex(form.pattern, fullmatch=False).filter(lambda text: len(text) < 900))
    tail = data.draw(st.sampled_from([b"", b" by d.example (", b" id abc; Mon, 1 Jan 2024 01:02:03 +0000"]))
    agree(b"from " + text + tail)


@given(st.lists(st.sampled_from(DIGITS), max_size=16).map(b"".join))
def test_addresses(text: bytes) -> None:
    agree(b"from a ([" + text + b"]) by b (c)")
    agree(b"from a (" + text + b") by b (c)")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"by a with SMTP id 1", SKIPPED),
        (b"from a by b ; Mon, 1 Jan 2024 01:02:03 +0000", SKIPPED),
        (b"from mail.a.example by localhost with POP3 (fetchmail)", FETCHED),
        (b"from nonsense", UNREAD),
        (b"(from root@localhost) by a (8.9) id 1", ASK),
        (b"from a ([1.2.3.4]) by b (c) (Authenticated sender: x) with d", ASK),
    ],
)
def test_no_relays(line: bytes, wanted: int) -> None:
    assert hops().read(line) == wanted


def test_a_relay() -> None:
    relay = hops().read(
        b"from helo.example (Unknown [10.1.2.3]) by c#.x (Postfix) with ESMTP id 4QX (envelope-from <a@b.example>)"
    )
    assert isinstance(relay, Relay)
    assert relay.is_private
    assert relay.text == (
        b"[ ip=10.1.2.3 rdns= helo=helo.example by=c!.x ident= envfrom=a@b.example intl=0 id=4QX auth= msa=0 ]"
    )
    relay.is_internal = relay.is_msa = True
    relay.envelope_from = None
    assert relay.text.endswith(b"envfrom= intl=1 id=4QX auth= msa=1 ]")


@pytest.mark.parametrize(
    "piece", [b"(a@[1.2.3.4 ", b" by ", b"a (b [1.2.3.4", b"1:", b"@", b" with ", b"(HELO ", b")by "]
)
def test_hostile_fields_take_little_time(piece: bytes) -> None:
    line = (b"from a " + piece * 1000)[:1000]
    start = time.process_time()
    for _ in range(20):
        hops().read(line)
    assert time.process_time() - start < 1.0


def test_refusals() -> None:
    with pytest.raises(ValueError, match="must be those"):
        Hops([], [], [], bool)
    with pytest.raises(ValueError, match="256 flags"):
        Hops([], [b"\0"], [[] for _ in STAGES], bool)
    for source in (rb"(?=a)", rb"(?:a", rb"a)", rb"[a", rb"(a)"):
        with pytest.raises(ValueError, match=r"group|parenthesis|bracket"):
            Templates().add(source)
