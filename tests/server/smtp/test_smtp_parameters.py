"""Parameters of MAIL and RCPT, value by value (RFC 1870, 3461, 4954, 6152, 6531)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.errors import Refusal
from mxward.server.smtp.parameters import decode_xtext, parse_mail, parse_rcpt


def test_case_of_values_is_kept_and_keywords_have_none() -> None:
    mail = parse_mail(b"fRoM:<A@x.example> ret=full EnvId=AbC+2B body=8BITMIME smtputf8 size=7 auth=<>")
    assert (mail.sender.text, mail.ret, mail.envid, mail.body, mail.smtputf8, mail.size) == (
        "A@x.example", "FULL", "AbC+2B", "8BITMIME", True, 7,
    )  # fmt: skip
    rcpt = parse_rcpt(b"tO:<B@trust.example> notify=delay,failure orcpt=RFC822;Bob+40x")
    assert (rcpt.notify, rcpt.orcpt) == ("DELAY,FAILURE", "RFC822;Bob+40x")


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (b"", 501), (b"FROM:", 501), (b"TO:<a@b>", 501), (b"FROM:a@b", 501), (b"FROM:<a@b> SIZE", 501),
        (b"FROM:<a@b> SIZE=1x", 501), (b"FROM:<a@b> SIZE=123456789012345678901", 501), (b"FROM:<a@b> BODY=7", 501),
        (b"FROM:<a@b> BODY=BINARYMIME", 501), (b"FROM:<a@b> RET", 501), (b"FROM:<a@b> ENVID=", 501),
        (b"FROM:<a@b> ENVID=+zz", 501), (b"FROM:<a@b> ENVID=" + b"x" * 101, 501), (b"FROM:<a@b> AUTH", 501),
        (b"FROM:<a@b> NOTIFY=NEVER", 555), (b"FROM:<a@b> X-FOO=1", 555), (b"FROM:<a@b> =1", 501),
        (b"FROM:<a@b> RET=FULL ret=HDRS", 501), (b"FROM:<a@b> ENVID=a\rb", 501), (b"FROM:<\xff@b> SMTPUTF8", 501),
        (b"FROM:<\xc3\xa9@b>", 553), (b'FROM:<"a> SIZE=1', 501),
    ],
)  # fmt: skip
def test_bad_mail(argument: bytes, code: int) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_mail(argument)
    assert refusal.value.reply.code == code


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (b"TO:<b@c> NOTIFY", 501), (b"TO:<b@c> NOTIFY=", 501), (b"TO:<b@c> NOTIFY=NEVER,NEVER", 501),
        (b"TO:<b@c> NOTIFY=SUCCESS,", 501), (b"TO:<b@c> NOTIFY=SOON", 501), (b"TO:<b@c> ORCPT=;x", 501),
        (b"TO:<b@c> ORCPT=rfc822;", 501), (b"TO:<b@c> ORCPT=rfc822;\xc3\xa9", 501), (b"TO:<b@c> RET=FULL", 555),
        (b"TO:<b@c> ORCPT=utf-8;\xff", 501), (b"TO:<b@c> ORCPT=rfc822;" + b"x" * 500, 501), (b"TO:<>", 501),
    ],
)  # fmt: skip
def test_bad_rcpt(argument: bytes, code: int) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_rcpt(argument)
    assert refusal.value.reply.code == code


def test_brackets_inside_quotes_do_not_end_the_path() -> None:
    assert parse_mail(b'FROM:<"a> b\\">"@x.example> SIZE=3').size == 3


@given(st.binary(max_size=100))
def test_any_argument_ends_in_parameters_or_refusal(argument: bytes) -> None:
    for parse in (parse_mail, parse_rcpt):
        for prefix in (b"", b"FROM:<a@b> ", b"TO:<a@b> "):
            try:
                parse(prefix + argument)
            except Refusal as refusal:
                assert 500 <= refusal.reply.code < 600
                assert refusal.reply.encode().isascii()


@given(st.binary(max_size=30))
def test_xtext_decodes_what_was_encoded(raw: bytes) -> None:
    encoded = b"".join(b"+%02X" % c if c in b"+=" or not 33 <= c <= 126 else bytes((c,)) for c in raw)
    assert decode_xtext(encoded) == raw
