"""Fields as long as the parser lets them be, made to be gone through again and again: the time stays linear."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.detect.header import HeaderDetector
from mxward.core.extract.address import mailboxes, shown_domain
from mxward.core.message import Envelope, Message
from mxward.core.rules.spamassassin import addresses
from mxward.core.rules.spamassassin.canonical import MAX_URI
from mxward.core.rules.spamassassin.domains import domain_of
from mxward.core.rules.spamassassin.site import DEFAULT
from mxward.pyx.mime import parse

SIZE = 250_000  # just below core.limits.MAX_HEADER_BYTES
ENOUGH_S = 2.0  # reading takes some hundredths; going through it from each byte takes minutes
UNITS = [
    b"a", b"\xff", b" ", b" \r\n ", b"a ", b"a.", b"a@", b"@", b'"', b'\\"', b"<", b">", b"<a>", b"<a> ", b"<a@b.c>",
    b"<a b", b"(", b"(a)", b",", b";", b":", b"a:", b'"a" <', b'"a"', b"a <a@b.c>, ", b"=?", b"=?utf-8?q?a?= ", b"< ",
    b"<a>,<b>x",
]  # fmt: skip


def seconds(call: Callable[[], object]) -> float:
    begin = time.thread_time()
    call()
    return time.thread_time() - begin


@pytest.mark.parametrize("unit", UNITS)
def test_an_address_field_is_read_once(unit: bytes) -> None:
    value = (unit * SIZE)[:SIZE]
    text = value.decode("latin-1")
    assert seconds(lambda: mailboxes(value)) < ENOUGH_S
    assert seconds(lambda: shown_domain(text)) < ENOUGH_S
    assert seconds(lambda: addresses.mailboxes(value)) < ENOUGH_S
    assert seconds(lambda: addresses.mailboxes(value + b"x <")) < ENOUGH_S


@pytest.mark.parametrize("unit", UNITS)
def test_an_author_is_judged_in_one_pass(unit: bytes) -> None:
    message = Message(b"From: " + (unit * SIZE)[:SIZE] + b"\r\n\r\nhello\r\n", Envelope("a@b.example", ()))
    message.mime = parse(message.raw)
    assert seconds(lambda: list(HeaderDetector(("trust.example",)).detect(message))) < ENOUGH_S


def test_hosts_of_long_addresses_are_found_in_one_pass() -> None:
    addresses = [b"%s%d" % (b"q" * (MAX_URI - 4), number) for number in range(200)]
    assert seconds(lambda: [domain_of(address, DEFAULT) for address in addresses]) < ENOUGH_S / 4


def test_the_domain_of_a_shown_address() -> None:
    assert shown_domain("Anne <anne@Trust.Example.>") == "trust.example"
    assert shown_domain("a@@b x@y.example z@other.example") == "y.example"
    assert shown_domain("no address @ all, @x or y@") == ""


OLD_COMMENT = re.compile(rb"\((?:[^()\\]|\\.)*+\)", re.S)


@given(st.lists(st.sampled_from([b"(", b")", b"\\", b"a", b"\n"]), max_size=40).map(b"".join))
def test_comments_are_taken_out_from_left_to_right(text: bytes) -> None:
    assert addresses._COMMENT.sub(rb"\1", text) == OLD_COMMENT.sub(b"", text)


@pytest.mark.parametrize("unit", [b"(\\", b"\\(", b"(", b"(a\\)"])
def test_comments_without_an_end_are_gone_through_once(unit: bytes) -> None:
    assert seconds(lambda: addresses._COMMENT.sub(rb"\1", (unit * SIZE)[:SIZE])) < ENOUGH_S
