"""Eval tests of HTML: each function over a document in which it matches and one in which it does not."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, html, mail, multipart, part, untested
from mxward.core.rules.spamassassin import evals_html

LINK = '<a href="http://www.llama.example/x">{}</a>'
PLAIN = mail("Content-Type: text/plain", body="<body><center>no markup</center>")
TWO = multipart(
    "mixed",
    part("Content-Type: text/html", body="<p>one</p>"),
    part("Content-Type: text/html", body="<center><center>two</center>"),
)

CASES = [
    Case("html_tag_balance(center; != 0)", html("<center><center>x</center>"), True),
    Case("html_tag_balance(center; != 0)", html("<center>x</center>"), False),
    Case("html_tag_balance(center; > 0)", html("<center><center>x</center>"), True),
    Case("html_tag_balance(center; < 0)", html("<center><center>x</center>"), False),
    Case("html_tag_balance(center; == 0)", html("<p>no such element"), False),
    Case("html_tag_balance(center; no condition)", html("<center>x"), False),
    Case("html_tag_balance(center; >= 1)", TWO, True),
    Case("html_tag_exists(center)", html("<center>x</center>"), True),
    Case("html_tag_exists(center)", html("<p>x</p>"), False),
    Case("html_tag_exists(center)", PLAIN, False),
    Case("html_tag_exists(center)", TWO, True),
    Case("html_image_only(0000; 0400)", html('<img src="http://x.example/a.png">'), True),
    Case("html_image_only(0000; 0400)", html('<img src="http://x.example/a.png">' + "x" * 400), False),
    Case("html_image_only(0400; 0800)", html('<img src="http://x.example/a.png">' + "x" * 400), True),
    Case("html_image_only(0000; 0400)", html("<p>x</p>"), False),
    Case("html_image_ratio(0.000; 0.002)", html('<img width=100 height=100 src="x.png">short'), True),
    Case("html_image_ratio(0.002; 0.004)", html('<img width=100 height=100 src="x.png">short'), False),
    Case("html_image_ratio(0.000; 0.002)", html("short"), False),
    Case("html_test(html)", html("x"), True),
    Case("html_test(html)", PLAIN, False),
    Case("html_test(embeds)", html('<embed src="x.swf">x'), True),
    Case("html_test(embeds)", html("x"), False),
    Case("html_test(font_face_bad)", html('<font face="a#b">x</font>'), True),
    Case("html_test(font_face_bad)", html('<font face="Arial, Helvetica">x</font>'), False),
    Case("html_test(form_action_mailto)", html('<form action="MAILTO:a@b.example">x</form>'), True),
    Case("html_test(no_such_flag)", html("x"), False),
    Case("html_eval(length; < 384)", html("<p>x</p>"), True),
    Case("html_eval(length; < 384)", html("<p>" + "x" * 400), False),
    Case("html_eval(length; >= 3)", html("<p>"), True),
    Case("html_range(length; 0; 1024)", html("<p>x</p>"), True),
    Case("html_range(length; 0; 4)", html("<p>x</p>"), False),
    Case("html_range(max_size; 5; inf)", html('<font size="7">x</font>'), True),
    Case("html_range(max_size; 5)", html('<font size="3">x</font>'), False),
    Case("html_range(obfuscation_ratio; .0)", html("<p>plain words</p>"), False),
    Case("html_text_match(comment; <!.*?>)", html("<!-- x -->y"), True),
    Case("html_text_match(comment; <!.*?>)", html("y"), False),
    Case("html_text_match(title; ^Buy)", html("<title>Buy llamas</title>x"), True),
    Case("html_text_match(title; ^buy)", html("<title>Buy llamas</title>x"), False),
    Case("html_text_match(title; (?i)^buy)", html("<title>Buy llamas</title>x"), True),
    Case("html_text_match(anchor; ^two$)", html(LINK.format("one") + LINK.format("two")), True),
    Case("html_text_match(anchor; ^onetwo$)", html(LINK.format("one") + LINK.format("two")), False),
    Case("html_text_match(anchor; ^$)", html(LINK.format("one") + LINK.format("")), True),
    Case("html_text_match(script; alert)", html("<script>alert(1)</script>x"), True),
    Case("html_text_match(nothing; .)", html("x"), False),
    Case("html_text_match(title; ( )", html("<title>(</title>x"), False),
    Case("html_text_not_match(title; ^Buy)", html("<title>Sell</title>x"), True),
    Case("html_text_not_match(title; ^Buy)", html("<title>Buy</title>x"), False),
    Case("html_text_not_match(title; ( )", html("<title>x</title>x"), False),
    Case("html_title_subject_ratio(3.5)", html("<title>" + "x" * 60 + "</title>", "Subject: short"), True),
    Case("html_title_subject_ratio(3.5)", html("<title>x</title>", "Subject: short"), False),
    Case("html_title_subject_ratio(3.5)", html("<title>" + "x" * 60 + "</title>"), False),
    Case("check_iframe_src()", html('<iframe src="http://x.example/">y</iframe>'), True),
    Case("check_iframe_src()", html(LINK.format("x")), False),
    Case("check_https_http_mismatch(1; 10)", html(LINK.format("https://bank.example")), True),
    Case("check_https_http_mismatch(1; 10)", html(LINK.format("https://llama.example/y")), False),
    Case("check_https_http_mismatch(1; 10)", html(LINK.format("https://") * 3), False),
    Case("check_https_http_mismatch(1; 10)", html(LINK.format("https://bank.example") * 12), True),
    Case("check_https_http_mismatch(2; 10)", html(LINK.format("https://bank.example")), False),
    Case("check_https_http_mismatch(1; 10)", html(LINK.format("https://192.0.2.1/")), True),
    Case("check_https_http_mismatch(1; 10)", html('<a href="http://192.0.2.1/">https://bank.example</a>'), False),
    Case("check_https_ip_mismatch()", html('<a href="http://192.0.2.1/">https://bank.example</a>'), True),
    Case("check_https_ip_mismatch()", html('<a href="http://192.0.2.1/">https://192.0.2.9</a>'), False),
    Case("check_https_ip_mismatch()", html(LINK.format("https://bank.example")), False),
    Case("html_charset_faraway()", html("x"), False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_documents(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_html.TABLE, CASES) == set()
