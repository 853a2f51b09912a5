"""Eval tests of MIME structure: each function over a message in which it matches and one in which it does not."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, html, mail, multipart, part, untested
from mxward.core.rules.spamassassin import evals_mime

TEXT = "Content-Type: text/plain"
QP = "Content-Transfer-Encoding: quoted-printable"
B64 = "Content-Transfer-Encoding: base64"
PLAIN = mail(TEXT, body="some plain words\n")
MIXED = multipart("mixed", part(TEXT, body="text"), part("Content-Type: text/html", body="<p>html</p>"))
SHOUT = "THESE ARE WORDS IN CAPITALS " * 10
SAY = "these are words in small letters " * 10


def alternatives(text: str, source: str) -> bytes:
    return multipart("alternative", part(TEXT, body=text), part("Content-Type: text/html", body=source))


CASES = [
    Case("check_for_mime(mime_attachment)", mail(TEXT, "Content-Disposition: attachment", body="x"), True),
    Case("check_for_mime(mime_attachment)", PLAIN, False),
    Case("check_for_mime(mime_base64_count)", mail(TEXT, B64, body="eA==\n"), True),
    Case("check_for_mime(mime_base64_count)", mail(TEXT, QP, body="x\n"), False),
    Case("check_for_mime(mime_base64_encoded_text)", mail(TEXT, B64, body="eA==\n"), True),
    Case("check_for_mime(mime_base64_encoded_text)", mail(TEXT + "; charset=utf-8", B64, body="eA==\n"), False),
    Case(
        "check_for_mime(mime_base64_encoded_text)", mail(TEXT, B64, "Content-Disposition: inline", body="eA=="), False
    ),
    Case("check_for_mime(mime_qp_count)", mail(TEXT, QP, body="=41=42\n"), True),
    Case("check_for_mime(mime_qp_count)", mail(TEXT, QP, body="=E9 =20\n"), False),
    Case("check_for_mime(mime_qp_long_line)", mail(TEXT, QP, body="x" * 79 + "\n"), True),
    Case("check_for_mime(mime_qp_long_line)", mail(TEXT, QP, body="x" * 78 + "\n"), False),
    Case("check_for_mime(mime_multipart_alternative)", alternatives("a", "b"), True),
    Case("check_for_mime(mime_multipart_alternative)", MIXED, False),
    Case("check_for_mime(mime_body_html_count)", MIXED, True),
    Case("check_for_mime(mime_body_text_count)", html("x"), False),
    Case("check_for_mime(mime_bad_iso_charset)", mail(TEXT + "; charset=iso-9999-1", body="x"), True),
    Case("check_for_mime(mime_bad_iso_charset)", mail(TEXT + "; charset=iso-8859-1", body="x"), False),
    Case("check_for_mime(no_such_count)", PLAIN, False),
    Case("check_for_mime_html()", MIXED, True),
    Case("check_for_mime_html()", PLAIN, False),
    Case("check_for_mime_html_only()", html("x"), True),
    Case("check_for_mime_html_only()", MIXED, False),
    Case("check_mime_multipart_ratio(0.00; 0.01)", alternatives("a", "<p>" + "word " * 100), True),
    Case("check_mime_multipart_ratio(0.00; 0.01)", alternatives("word " * 50, "<p>" + "word " * 50), False),
    Case("check_mime_multipart_ratio(1; 1.5)", PLAIN, True),
    Case("check_for_ascii_text_illegal()", mail(TEXT, body="caf\xe9\n"), True),
    Case("check_for_ascii_text_illegal()", mail(TEXT, body="a\0b\n"), True),
    Case("check_for_ascii_text_illegal()", mail(TEXT + "; charset=iso-8859-1", body="caf\xe9\n"), False),
    Case("check_for_ascii_text_illegal()", PLAIN, False),
    Case("check_abundant_unicode_ratio(0.05)", mail(TEXT, body="&#x4E00;" * 10), True),
    Case("check_abundant_unicode_ratio(0.05)", mail(TEXT, body="&#x4E00; and " + "word " * 100), False),
    Case("check_abundant_unicode_ratio(5)", mail(TEXT, body="&#x4E00;" * 10), False),
    Case("check_qp_ratio(0.5)", mail(TEXT, QP, body="=41=42=43\n"), False),
    Case("check_qp_ratio(0.3)", mail(TEXT, QP, body="=41=42=43"), True),
    Case("check_for_uppercase(75; 100)", mail(TEXT, body=SHOUT), True),
    Case("check_for_uppercase(25; 50)", mail(TEXT, body=SHOUT), False),
    Case("check_for_uppercase(25; 50)", mail(TEXT, body=SHOUT + SAY + SAY), True),
    Case("check_for_uppercase(75; 100)", mail(TEXT, body=SAY), False),
    Case("check_for_uppercase(75; 100)", mail(TEXT, body="FEW CAPITALS"), False),
    Case("check_for_uppercase(75; 100)", mail(TEXT + "; charset=big5", body=SHOUT), False),
    Case("check_for_uppercase(-1; 100)", mail(TEXT + "; charset=big5", body=SHOUT), True),
    Case(
        "check_ma_non_text()",
        multipart("alternative", part(TEXT, body="x"), part("Content-Type: image/png", B64)),
        True,
    ),
    Case("check_ma_non_text()", alternatives("a", "b"), False),
    Case("check_ma_non_text()", multipart("alternative", part("Content-Type: application/rtf", body="x")), False),
    Case("check_base64_length(78; 79)", mail(TEXT, B64, body="eHh4" * 25 + "\n"), False),
    Case("check_base64_length(77; 79)", mail(TEXT, B64, body="eHh4" * 19 + "\n"), True),
    Case("check_base64_length(79)", mail(TEXT, B64, body="eHh4" * 25 + "\n"), True),
    Case("check_base64_length(1)", PLAIN, False),
    Case("check_msg_parse_flags(truncated_header)", mail("X-Long: " + "x" * 9000, TEXT, body="x"), True),
    Case("check_msg_parse_flags(truncated_header)", PLAIN, False),
    Case("check_msg_parse_flags(missing_head_body_separator)", b"Subject: x\r\n", True),
    Case("check_msg_parse_flags(missing_head_body_separator)", PLAIN, False),
    Case("check_msg_parse_flags(missing_mime_headers)", multipart("mixed", "--b\n\ntext"), True),
    Case("check_msg_parse_flags(missing_mime_headers)", multipart("mixed", "--b\n x: y\n\ntext"), True),
    Case("check_msg_parse_flags(missing_mime_headers)", multipart("mixed", part(TEXT, body="x")), False),
    Case("check_msg_parse_flags(missing_mime_head_body_separator)", multipart("mixed", f"--b\n{TEXT}\nno field"), True),
    Case("check_msg_parse_flags(missing_mime_head_body_separator)", multipart("mixed", part(TEXT, body="x")), False),
    Case(
        "check_msg_parse_flags(mime_epilogue_exists)", multipart("mixed", part(TEXT, body="x"), behind="more\n"), True
    ),
    Case("check_msg_parse_flags(mime_epilogue_exists)", multipart("mixed", part(TEXT, body="x"), behind=" .\n"), False),
    Case("check_msg_parse_flags(no_such_flag)", PLAIN, False),
    Case("check_for_faraway_charset()", PLAIN, False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_mime.TABLE, CASES) == set()


def test_long_lines_and_blank_lines_count_as_spamassassin_keeps_them() -> None:
    """Lines of parts are broken at 2048 bytes, so that an escape across the place is none."""
    whole = "x" * 2046 + "=41" + "y" * 100
    parted = multipart("mixed", part(TEXT, QP, body=whole))
    check(Case("check_for_mime(mime_qp_count)", parted, False))
    check(Case("check_for_mime(mime_qp_count)", mail(TEXT, QP, body=whole), True))
    blank = "x\n" + "\n" * 300 + "&#x4E00;"
    check(Case("check_abundant_unicode_ratio(0.02)", mail(TEXT, body=blank), True))
