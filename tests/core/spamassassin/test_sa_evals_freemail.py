"""Eval tests of addresses at free mail providers: each function matching and not matching; addresses in texts."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, mail, run_eval, untested
from mxward.core.rules.spamassassin import evals_freemail

FREE = {"freemail_domains": ["free.example post.example *.gratis.example mail?.example"]}
BODY = "Content-Type: text/plain"


def letter(*fields: str, body: str = "") -> bytes:
    return mail(*fields, BODY, body=body)


THREE = letter(body="a@free.example b@free.example c@free.example")


def case(call: str, raw: bytes, matches: bool, **settings: list[str]) -> Case:
    return Case(call, raw, matches, {**FREE, **settings})


CASES = [
    case("check_freemail_from()", letter("From: Jo@FREE.example"), True),
    case("check_freemail_from()", letter("From: jo@x.example"), False),
    case("check_freemail_from()", letter("From: jo@a.gratis.example"), True),
    case("check_freemail_from()", letter("From: jo@mail7.example"), True),
    case("check_freemail_from()", letter("From: jo@mail77.example"), False),
    case("check_freemail_from()", letter("From: sales@free.example"), False),
    case("check_freemail_from()", letter("From: jo@free.example"), False, freemail_welcomelist=["jo@free.example"]),
    case("check_freemail_from()", letter("From: jo@free.example"), False, freemail_welcomelist=["free.example"]),
    case("check_freemail_from(\\d@)", letter("From: jo7@free.example"), True),
    case("check_freemail_from(\\d@)", letter("From: jo@free.example"), False),
    case("check_freemail_header(Reply-To)", letter("Reply-To: jo@free.example"), True),
    case("check_freemail_header(Reply-To)", letter("From: jo@free.example"), False),
    case("check_freemail_header(Reply-To; \\d@)", letter("Reply-To: jo7@free.example"), True),
    case("check_freemail_header(Reply-To; \\d@)", letter("Reply-To: jo@free.example"), False),
    case("check_freemail_header(EnvelopeFrom)", letter("Return-Path: <jo@free.example>"), True),
    case("check_freemail_body()", letter(body="write to jo@free.example now"), True),
    case("check_freemail_body()", letter(body="write to jo@x.example now"), False),
    case("check_freemail_body(^an)", letter(body="jo@free.example, ann@post.example"), True),
    case("check_freemail_body()", letter(body="see http://x.example/?u=jo@free.example"), False),
    case("check_freemail_body()", letter(body="jo@free.example>"), False),
    case("check_freemail_body()", letter(body="jo@free.example skype: me"), False),
    case("check_freemail_body()", letter(body="jo@free.example tel: 1"), True),
    case("check_freemail_body()", THREE, False),
    case("check_freemail_body()", THREE, True, freemail_skip_when_over_max=["0"]),
    case("check_freemail_body()", letter(body="a@free.example b@x.example c@x.example d@x.example e@x.example"), False),
    case("check_freemail_replyto(replyto)", letter("From: jo@free.example", "Reply-To: al@post.example"), True),
    case("check_freemail_replyto(replyto)", letter("From: jo@free.example", "Reply-To: jo@free.example"), False),
    case("check_freemail_replyto(replyto)", letter("From: jo@x.example", "Reply-To: al@post.example"), False),
    case("check_freemail_replyto(replyto)", letter("Reply-To: al@post.example", body="or eve@free.example"), True),
    case("check_freemail_replyto(replyto)", letter("From: jo@free.example", body="to eve@free.example"), False),
    case("check_freemail_replyto(reply)", letter("From: jo@free.example", body="to eve@free.example"), True),
    case("check_freemail_replyto(reply)", letter("From: jo@free.example", body="to jo@free.example"), False),
    case("check_freemail_replyto(reply)", letter("From: jo@x.example", body="to eve@free.example"), False),
    case("check_freemail_replyto(other)", letter("From: jo@free.example", "Reply-To: al@post.example"), False),
    case(
        "check_freemail_replyto(replyto)",
        letter("Return-Path: <list-bounces@x.example>", "From: jo@free.example", "Reply-To: al@post.example"), False,
    ),
    case(
        "check_freemail_replyto(replyto)",
        letter("Return-Path: <list-bounces@x.example>", "From: jo@free.example", "Reply-To: al@post.example"), True,
        freemail_skip_bulk_envfrom=["0"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_freemail.TABLE, CASES) == set()


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("jo@free.example", True), ("jo.an@free.example", True), ("(jo@free.example)", True),
        (".jo@free.example", True), ("jo@free.unknown", False),
        ("a..jo@free.example", True), ("jo.@free.example", False), ("@free.example", False), ("jo@free", False),
        ("jo@free.example.x", False), ("jo@free.example.", True), ("jo@-free.example", False),
        ("x" * 80 + "@free.example", True), ("jo@@free.example", False), ("\xe9jo@free.example", True),
    ],
)  # fmt: skip
def test_addresses_in_a_text(text: str, *, is_found: bool) -> None:
    raw = mail(BODY + "; charset=iso-8859-1", body=f"{text} and more")
    assert run_eval("check_freemail_body()", raw, FREE) == (int(is_found), False)
