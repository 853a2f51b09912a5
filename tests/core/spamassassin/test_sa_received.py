"""Received fields of many servers: what is read from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.samail import texts
from mxward.core.rules.spamassassin.received import relays
from mxward.core.rules.spamassassin.received_line import SKIPPED, read
from mxward.core.rules.spamassassin.site import Site

IP = "198.51.100.7"
DATE = "; Mon, 9 Aug 2021 09:54:01 -0700"
READ = [
    (
        f"from h.example (r.example [{IP}]) by b.example (Postfix) with ESMTP id 1234{DATE}",
        "r.example",
        "h.example",
        "",
    ),
    (f"from h.example (unknown [{IP}]) by b.example (Postfix) with ESMTPSA id 1234{DATE}", "", "h.example", "ESMTPSA"),
    (
        f"from h.example (IDENT:me@r.example [{IP}]) by b.example (8.11.6/8.11.6) with SMTP id 1234{DATE}",
        "r.example",
        "h.example",
        "",
    ),
    (
        f"from r.example ([{IP}] helo=h.example) by b.example with esmtp (Exim 4.50) id 1234{DATE}",
        "r.example",
        "h.example",
        "",
    ),
    (f"from [{IP}] (helo=h.example ident=x) by b.example with smtp (Exim 3.35) id 1234{DATE}", "", "h.example", ""),
    (f"from h.example ({IP}) by b.example (10.0.0.1) with mapi id 15.1.1.1{DATE}", "", "h.example", ""),
    (f"from h.example ([{IP}]) by b.example with Microsoft SMTPSVC(5.0.2195.6624){DATE}", "", "h.example", ""),
    (f"from r.example (HELO h.example) ({IP}) by b.example with SMTP{DATE}", "r.example", "h.example", ""),
    (f"from unknown (HELO h.example) (me@{IP}) by b.example with SMTP{DATE}", "", "h.example", ""),
    (f"from r.example (EHLO h.example) [{IP}] by b.example (mp010) with SMTP{DATE}", "r.example", "h.example", ""),
    (
        f"from h.example (r.example. [{IP}]) by b.example with ESMTPS id 1234 for <x@y.example>{DATE}",
        "r.example",
        "h.example",
        "",
    ),
    (f"from [{IP}] by b.example via HTTP{DATE}", "", "", ""),
    (f"from h.example [{IP}] by b.example (SMTPD32-7.07) id 1234{DATE}", "", "h.example", ""),
    (f"FROM h.example (r.example [{IP}]) BY b.example ID 434B{DATE}", "r.example", "h.example", ""),
]
NOTHING = [
    f"by b.example with SMTP id 1234{DATE}",
    "(qmail 84907 invoked from network); 13 Feb 2003 20:59:28 -0000",
    f"from www by b.example (Exim 4.50) with local for <x@y.example> id 1{DATE}",
    f"from a.example by b.example{DATE}",
    f"from mail pickup service by b.example with Microsoft SMTPSVC{DATE}",
    f"from localhost (localhost) by b{DATE}",
    f"from a@b.example by c.example (mail_out_v34) id 7{DATE}",
    f"from a.example by b.example via smtpd (for c){DATE}",
]


@pytest.mark.parametrize(("line", "rdns", "helo", "auth"), READ)
def test_hand_overs_are_read(line: str, rdns: str, helo: str, auth: str) -> None:
    found = relays([line.encode()], [], Site())
    relay = (found.trusted + found.untrusted)[0]
    assert (relay.ip, relay.rdns, relay.by) == (IP.encode(), rdns.encode(), b"b.example")
    assert relay.helo == helo.encode()
    assert relay.auth == auth.encode()


@pytest.mark.parametrize("line", NOTHING)
def test_what_is_no_hand_over_by_network_is_skipped(line: str) -> None:
    found = read(line.encode())
    assert found is SKIPPED or (found is not None and found.is_skipped)


def test_what_cannot_be_read_is_counted() -> None:
    assert relays([b"from nowhere in particular"], [], Site()).n_unparseable == 1


def test_trust_ends_at_the_first_public_address_without_authentication() -> None:
    lines = [
        b"from a.example (a.example [10.0.0.1]) by b.example (Postfix) with ESMTP id 1",
        b"from c.example (c.example [198.51.100.1]) by a.example (Postfix) with ESMTP id 2",
        b"from d.example (d.example [10.0.0.2]) by c.example (Postfix) with ESMTP id 3",
    ]
    found = relays(lines, [], Site())
    assert [len(found.trusted), len(found.untrusted), found.last_trusted] == [1, 2, 0]
    networks = Site({"trusted_networks": ["10.0.0.0/8 198.51.100.1"], "internal_networks": ["10/8"]})
    found = relays(lines, [], networks)
    assert [len(found.trusted), len(found.untrusted), len(found.internal)] == [3, 0, 1]


def test_characters_that_could_break_a_pattern_are_replaced() -> None:
    found = relays([b"from [1.2.3.4] (r.example [198.51.100.7]) by b.example (Postfix) with SMTP id 1"], [], Site())
    assert found.untrusted[0].helo == b"!1.2.3.4!"


@given(st.text(alphabet="from by ()[].:;=@<>0123456789abhelo", max_size=400))
def test_any_field_is_read_in_time(text: str) -> None:
    read(b"from " + text.encode())


@pytest.mark.parametrize("unit", ["(", " (a", "])) ", "by ", "[1.2.3.4] ", "authenticated) ", " with ", "id <"])
def test_repetition_does_not_stall(unit: str) -> None:
    lines = "".join(f"Received: from {unit * 2000}\n" for _ in range(20))
    assert texts(lines.encode() + b"From: a@x.example\n\nx\n").relays.n_unparseable <= 20
