"""Eval tests of text: each function over a message in which it matches and one in which it does not."""

from __future__ import annotations

import time

import pytest

from mxtest.saevals import Case, check, html, mail, multipart, part, run_eval, untested
from mxward.core.rules.spamassassin import evals_body

TEXT = "Content-Type: text/plain"
RELAYS = {"welcomelist_bounce_relays": ["mx.llama.example *.alpaca.example"]}
BOUNCE = "> Received: from a.example by mx.llama.example with SMTP"
STOCK = "Trade Date: today\nCompany Name: Llama\nSymbol: LMA\nTarget: 9\n"


def alternatives(text: str, source: str) -> bytes:
    return multipart("alternative", part(TEXT, body=text), part("Content-Type: text/html", body=source))


def quoted(lines: str) -> bytes:
    """A bounce whose own text does not show the field it quotes."""
    return mail("Content-Type: application/x-bounce", body=lines)


CASES = [
    Case("multipart_alternative_difference(99; 100)", alternatives("other words", "<p>one two three"), True),
    Case("multipart_alternative_difference(99; 100)", alternatives("one two three", "<p>one two three"), False),
    Case("multipart_alternative_difference(0; 0)", alternatives("one two three", "<p>one two three"), True),
    Case("multipart_alternative_difference(30; 40)", alternatives("one two", "<p>one two three"), True),
    Case("multipart_alternative_difference(99; 100)", alternatives("words", '<img src="x.png">'), True),
    Case("multipart_alternative_difference(99; undef)", alternatives("words", "<p>one"), True),
    Case("multipart_alternative_difference(99; 100)", html("<p>one"), False),
    Case(
        "multipart_alternative_difference(99; 100)",
        multipart("alternative", part("Content-Type: text/html", body="<p>x"), part("Content-Type: text/calendar")),
        False,
    ),
    Case("multipart_alternative_difference_count(3; 1)", alternatives("a b c d e f g h i", "<p>a b"), True),
    Case("multipart_alternative_difference_count(3; 1)", alternatives("a b c d", "<p>a b"), False),
    Case("multipart_alternative_difference_count(3; 1)", mail(TEXT, body="a b c d e f g"), False),
    Case("check_blank_line_ratio(40; 60; 4)", mail(TEXT, body="a\n\nb\n\n"), True),
    Case("check_blank_line_ratio(40; 60; 4)", mail(TEXT, body="a\nb\nc\nd\n"), False),
    Case("check_blank_line_ratio(0; 60; 40)", mail(TEXT, body="a\n\n"), True),
    Case("check_blank_line_ratio(1; 60; 40)", mail(TEXT, body="a\n\n"), False),
    Case("tvd_vertical_words(90; 101)", mail(TEXT, body="a b c d e f g\n"), True),
    Case("tvd_vertical_words(90; 101)", mail(TEXT, body="sevenletters words\n"), False),
    Case("tvd_vertical_words(0; 10)", mail(TEXT, body="oneverylongword and\n"), False),
    Case("tvd_vertical_words(0; 10)", mail(TEXT, body="oneverylongword another\n"), True),
    Case("check_stock_info(4)", mail(TEXT, body=STOCK), True),
    Case("check_stock_info(5)", mail(TEXT, body=STOCK), False),
    Case("check_stock_info(0)", mail(TEXT, body="x"), True),
    Case("check_stock_info(1)", html("Symbol: LMA"), False),
    Case("check_body_length(128)", mail(TEXT, body="x" * 127), True),
    Case("check_body_length(128)", mail(TEXT, body="x" * 128), False),
    Case("check_body_length(128)", mail(TEXT, body="x" * 1000), False),
    Case("check_body_length(128)", mail(TEXT, body="\n" * 128), True),
    Case("check_body_length(128)", mail(TEXT, body="\n" * 129), False),
    Case("plaintext_body_length(10; 12)", mail(TEXT, body="0123456789\n-- \nJo, Llamas\n"), True),
    Case("plaintext_body_length(12)", mail(TEXT, body="0123456789\n-- \nJo, Llamas\n"), False),
    Case("plaintext_body_length(0)", html("x"), False),
    Case("plaintext_sig_length(5; 20)", mail(TEXT, body="0123456789\n-- \nJo, Llamas\n"), True),
    Case("plaintext_sig_length(5; 20)", mail(TEXT, body="0123456789\n-- \nJo\n"), False),
    Case("plaintext_sig_length(0)", html("x"), False),
    Case("plaintext_body_sig_ratio(0.5; 2)", mail(TEXT, body="0123456789\n-- \nJo, Llamas\n"), True),
    Case("plaintext_body_sig_ratio(0.5; 2)", mail(TEXT, body="0123456789\n"), False),
    Case("plaintext_body_sig_ratio(2)", mail(TEXT, body="0123456789\n"), True),
    Case("plaintext_body_sig_ratio(0)", html("x"), False),
    Case("have_any_bounce_relays()", mail(TEXT), True, RELAYS),
    Case("have_any_bounce_relays()", mail(TEXT), False),
    Case("check_welcomelist_bounce_relays()", mail(TEXT, body=BOUNCE), True, RELAYS),
    Case("check_welcomelist_bounce_relays()", mail(TEXT, body=BOUNCE.replace("mx.", "ns.")), False, RELAYS),
    Case("check_welcomelist_bounce_relays()", mail(TEXT, body=BOUNCE), False),
    Case("check_welcomelist_bounce_relays()", mail(TEXT, body=BOUNCE.replace("> R", "about R")), False, RELAYS),
    Case("check_welcomelist_bounce_relays()", quoted("Received: from x\n\tby a.alpaca.example\n\twith"), True, RELAYS),
    Case("check_welcomelist_bounce_relays()", quoted("Received: from x\nby a.alpaca.example with"), False, RELAYS),
    Case("check_welcomelist_bounce_relays()", quoted("Received: a.b a.alpaca.example x"), False, RELAYS),
    Case("check_welcomelist_bounce_relays()", quoted("Received: a.b  a.alpaca.example x"), True, RELAYS),
    Case("check_whitelist_bounce_relays()", mail(TEXT, body=BOUNCE), True, RELAYS),
    Case("check_whitelist_bounce_relays()", mail(TEXT, body="x"), False, RELAYS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_body.TABLE, CASES) == set()


def test_quoted_fields_of_many_lines_take_time_in_proportion() -> None:
    def seconds(n_lines: int) -> float:
        raw = quoted("Received: from x\n" + "\tby a.other.example\n" * n_lines)
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            assert run_eval("check_welcomelist_bounce_relays()", raw, RELAYS) == (0, False)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(40_000) < 25 * max(seconds(4_000), 0.002)
