"""Eval tests of dates: Date against Received, and all the ways in which dates are written."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, mail, untested
from mxward.core.rules.spamassassin import evals_date
from mxward.core.rules.spamassassin.evals_date import parse_date

DATE = "Date: Mon, 2 Jun 2025 10:00:00 +0000"


def received(time: str, text: str = "from a.example by b.example", day: int = 2) -> str:
    return f"Received: {text}; Mon, {day} Jun 2025 {time} +0000"


def outlook(time: int) -> str:
    token = int(time * evals_date._OUTLOOK_RATE + evals_date._OUTLOOK_START)
    return f"Message-ID: <0001{token:08x}$12345678$12345678@x.example>"


AT_TEN = 1_748_858_400
CASES = [
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("06:00:00")), True),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("09:59:00")), False),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("04:00:00")), False),
    Case("check_for_shifted_date(6; 12)", mail(DATE, received("04:00:00")), True),
    Case("check_for_shifted_date(-6; -3)", mail(DATE, received("13:00:01")), True),
    Case("check_for_shifted_date(-6; -3)", mail(DATE, received("13:00:00")), False),
    Case("check_for_shifted_date(undef; -96)", mail(DATE, received("10:00:00", day=9)), True),
    Case("check_for_shifted_date(96; undef)", mail(DATE.replace("2 Jun", "9 Jun"), received("10:00:00")), True),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("06:00:00"), received("10:00:01")), False),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("10:00:00"), received("06:00:00")), False),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("06:00:00"), received("10:00:00")), True),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("06:00:00"), "Received: by x; no date"), True),
    Case("check_for_shifted_date(3; 6)", mail("Resent-" + DATE, "Date: x", received("06:00:00")), True),
    Case("check_for_shifted_date(3; 6)", mail("Date: never", received("06:00:00")), False),
    Case("check_for_shifted_date(0; 1)", mail(DATE, received("09:30:00")), True),
    Case("check_for_shifted_date(0; 1)", mail(DATE, received("10:30:00")), False),
    Case("check_for_shifted_date(-1; 1)", mail(DATE), True),
    Case(
        "check_for_shifted_date(3; 6)",
        mail(DATE, received("06:00:00", "from x by localhost with POP3 (fetchmail-6.3)"), received("10:00:01")),
        False,
    ),
    Case(
        "check_for_shifted_date(3; 6)",
        mail(
            DATE, received("10:00:01", "from localhost by b.example"),
            received("10:00:01", "from x by localhost with POP3 (fetchmail-6.3)"), received("06:00:00"),
        ),
        True,
    ),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("06:00:00", "from localhost by b.example")), True),
    Case("check_for_shifted_date(3; 6)", mail(DATE, received("06:00:00", "(qmail 7 invoked by uid 8)")), True),
    Case("check_outlook_message_id()", mail(DATE, outlook(AT_TEN + 600_000), received("10:00:01")), True),
    Case("check_outlook_message_id()", mail(DATE, outlook(AT_TEN), received("10:00:01")), False),
    Case("check_outlook_message_id()", mail("Date: x", outlook(AT_TEN), received("10:00:01")), False),
    Case("check_outlook_message_id()", mail(DATE, "Message-ID: <1@x.example>"), False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_date.TABLE, CASES) == set()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Mon, 2 Jun 2025 10:00:00 +0000", AT_TEN),
        ("2 Jun 2025 12:00:00 +0200 (CEST)", AT_TEN),
        ("Mon,2 Jun 2025 03:00 -0700", AT_TEN),
        ("Mon Jun  2 10:00:00 2025 GMT", AT_TEN - 36_000),  # as SpamAssassin: the time is lost
        ("2 Jun 25 10:00:00 GMT", AT_TEN),
        ("2 Jun 125 10:00:00 GMT", AT_TEN),
        ("2 Jun 2025 05:00:00 EST", AT_TEN),
        ("2 Jun 2025 19:00:00 JST", AT_TEN),
        ("2 Jun 2025 06:30:00 NST", AT_TEN),
        ("2 Jun 2025 10:00:00 XYZ", AT_TEN),
        ("2 Jun 2025 10:00:00", AT_TEN),
        ("31 Jun 2025 10:00:00 +0000", 1_751_364_000),
        ("32 Dec 2025 00:00:00 +0000", 1_767_225_600),
        ("29 Feb 2096 00:00:00 x", 2_119_478_400),
        ("1 Jan 1970 00:00:00 +0100", 0),
        ("1 Jan 1970 00:00 +0100", 0),
        ("yesterday", None),
        ("2 Foo 2025 10:00:00 +0000", None),
        ("", None),
    ],
)
def test_dates_as_mail_writes_them(text: str, seconds: int | None) -> None:
    assert parse_date(text.encode()) == seconds
