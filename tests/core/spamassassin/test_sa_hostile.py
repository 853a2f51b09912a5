"""Fields and addresses that made an expression of an eval test go through them again and again: the time is bounded."""

from __future__ import annotations

import time

import pytest

from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message
from mxward.core.rules.spamassassin.load import load_engine
from mxward.core.rules.spamassassin.source import CfOptions, CfSource
from mxward.core.rules.spamassassin.texts import TextSet
from mxward.pyx.mime import parse

RULES = """
header   T_LOST     eval:check_messageid_not_usable()
header   T_TRAIL    eval:check_for_forged_received_trail()
header   T_IP_HELO  eval:check_for_forged_received_ip_helo()
header   T_CAPS     eval:subject_is_all_caps()
header   T_EQUAL    eval:sorted_recipients()
welcomelist_to   someone@trust.example
header   T_WELCOME  eval:check_to_in_welcomelist()
body     T_UPPER    eval:check_for_uppercase('25', '50')
uri      T_URI      /never/
"""
SIZE = 200_000
ENOUGH_S = 2.0
HEAD = b"From: a@b.example\r\nTo: c@trust.example\r\n"


def mail(field: bytes, value: bytes) -> bytes:
    return HEAD + field + b": " + value + b"\r\n\r\nWORDS IN CAPITALS AGAIN AND AGAIN\r\n" * 20


def repeated(before: bytes, unit: bytes, behind: bytes = b"") -> bytes:
    return before + unit * (SIZE // len(unit)) + behind


MAILS = {
    "address handed over": mail(b"Received", repeated(b"from x by y for a", b"@a")),
    "list software": mail(b"Mailing-List", repeated(b"contact a", b"@")),
    "charset": mail(b"Content-Type", repeated(b"text/plain; charset=", b"jp", b"!")),
    "charset of an encoded word": mail(b"Subject", repeated(b"=?", b"jp", b" A B C D E F G H")),
    "host of dots": b"".join(
        b"Received: from a.example (mail.there.example [192.0.2.%d]) by %s!%d\r\n" % (number, b"1." * 40, number)
        for number in range(4)
    ) + mail(b"Subject", b"hello"),
    "address that ends in dots": HEAD + b"Content-Type: text/html\r\n\r\n" + b"".join(
        b'<a href="http://%d%s">x</a>\r\n' % (number, b"." * 8000 + b"x") for number in range(100)
    ),
    "address in brackets": HEAD + b"Content-Type: text/html\r\n\r\n" + b"".join(
        b'<a href="mailto:%d%s">x</a>\r\n' % (number, b"&lt;" * 8000 + b"@") for number in range(100)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MAILS)
def test_no_eval_test_goes_through_a_field_again_and_again(name: str) -> None:
    engine, report = load_engine([CfSource("test.cf", RULES)], CfOptions(), (), None)
    assert report.problems == []
    message = Message(MAILS[name], Envelope("a@b.example", ()))
    message.mime = parse(message.raw)
    extract(message)
    begin = time.thread_time()
    outcome = engine.run(TextSet(message, engine.site))
    assert time.thread_time() - begin < ENOUGH_S
    assert not outcome.failed
