"""Dates against the same forms as regular expressions, and the calendar of the standard library."""

from __future__ import annotations

import calendar
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxward.pyx.sadate import are_near, date_of_received, moment, usual_date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
USUAL = re.compile(
    rb"\s*(?:[A-Z][a-z][a-z], *)?(\d{1,2}) (" + "|".join(MONTHS).encode() + rb") (\d{4}) (\d\d):(\d\d):(\d\d) "
    rb"([-+])(\d\d)(\d\d)(?: \([A-Z]+\))?\s*",
    re.I,
)
IN_RECEIVED = re.compile(rb"(\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+)")
PIECES = [
    b" ",
    b"1",
    b"12",
    b"Jun",
    b" Jun 2025 ",
    b"10:00:00 ",
    b"+0200",
    b":",
    b"\n",
    b"\t",
    b"X",
    b"\xe9",
    b" (CEST)",
    b";",
]


def told_moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    longest = calendar.monthrange(year or 2000, month)[1]  # the year 0 is a leap year, but not to the library
    if not 1 <= day <= longest:
        day, month = 1, month + 1
        if month > 12:
            month, year = 1, year + 1
    year, hour = max(1970, min(year, 2037)), min(hour, 23)
    return calendar.timegm((year, month, day, hour, min(minute, 59), min(second, 59)))


def told_usual(text: bytes) -> int | None:
    found = USUAL.fullmatch(text)
    if found is None:
        return None
    day, name, year, hour, minute, second, sign, hours, minutes = found.groups()
    month = MONTHS.index(name.decode().title()) + 1
    time = told_moment(int(year), month, int(day), int(hour), int(minute), int(second))
    offset = (int(hours) * 60 + int(minutes)) * 60
    return time + offset if sign == b"-" else max(0, time - offset)


@given(
    st.integers(1, 9999),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
)
@example(2096, 2, 29, 0, 0, 0)
@example(1900, 2, 29, 0, 0, 0)
@example(2000, 2, 30, 24, 60, 60)
@example(2037, 12, 32, 23, 59, 59)
def test_moments_are_those_of_the_calendar(
    year: int, month: int, day: int, hour: int, minute: int, second: int
) -> None:
    assert moment(year, month, day, hour, minute, second) == told_moment(year, month, day, hour, minute, second)


@pytest.mark.parametrize(
    "wrong", [(2000, 0, 1, 0, 0, 0), (2000, 13, 1, 0, 0, 0), (2000, 1, -1, 0, 0, 0), (-1, 1, 1, 0, 0, 0)]
)
def test_what_is_no_moment_is_refused(wrong: tuple[int, int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="month"):
        moment(*wrong)


@given(
    st.sampled_from(["", "Mon, ", "mon,", "Mon,   ", " \t\nThu, ", "Mond, ", "Mo, ", "M\xe9n, "]),
    st.sampled_from(["1", "01", "31", "99", "001", "", "x"]),
    st.sampled_from([*MONTHS, "JUN", "jun", "June", "Foo", "Ju"]),
    st.sampled_from(["2025", "1969", "0000", "9999", "25", "20255"]),
    st.sampled_from(["10:00:00", "99:99:99", "1:00:00", "10:00", "10.00.00"]),
    st.sampled_from(["+0000", "-1130", "+9999", "0000", "UTC", "+000"]),
    st.sampled_from(["", " (UTC)", " (utc) \n", "\t ", " ()", " (U C)", "(UTC)", " (UTC) x", " (UT1)"]),
)
def test_dates_in_the_usual_form(
    week: str, day: str, month: str, year: str, time: str, zone: str, comment: str
) -> None:
    text = f"{week}{day} {month} {year} {time} {zone}{comment}".encode("latin-1")
    assert usual_date(text) == told_usual(text)


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
def test_any_text_is_read_as_by_the_patterns(text: bytes) -> None:
    assert usual_date(text) == told_usual(text)
    found = IN_RECEIVED.search(text)
    assert date_of_received(text) == (found[1] if found else None)


@given(
    st.sampled_from([b"", b"x;", b"x; Mon,", b"id 7 ab 1 "]),
    st.sampled_from([b" ", b"\t", b"  ", b" x", b"x", b"\n", b" \n"]),
    st.sampled_from([b"2", b"12", b"123456", b""]),
    st.sampled_from([b" Jun 2025 10:00:00 ", b" \xe9\xe9\xe9 1 1:1:1 ", b" June 2025 10:00:00 ", b" Jun 2025 10:00 "]),
    st.sampled_from([b"+0000", b"+0000 (UTC)", b"", b" ", b"x\n"]),
)
def test_dates_in_received_fields(before: bytes, gap: bytes, day: bytes, middle: bytes, zone: bytes) -> None:
    text = before + gap + day + middle + zone
    found = IN_RECEIVED.search(text)
    assert date_of_received(text) == (found[1] if found else None)


NEAR_FIELD = b"from a.example by b.example; Mon, 2 Jun 2025 10:00:00 +0000 (UTC)"


@pytest.mark.parametrize(
    ("date", "field", "is_near"),
    [
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD, True),
        (b"Mon, 2 Jun 2025 09:59:59 +0000", NEAR_FIELD, True),
        (b"Mon, 2 Jun 2025 12:00:09 +0200", NEAR_FIELD, True),
        (b"Mon, 2 Jun 2025 10:00:00 +0000", NEAR_FIELD, False),
        (b"Mon, 2 Jun 2025 10:00:10 +0000", NEAR_FIELD, False),
        (b"Mon, 2 Jun 2025 09:59:50 +0000", NEAR_FIELD, False),
        (b"Mon, 2 Jun 25 10:00:01 +0000", NEAR_FIELD, False),
        (b"", NEAR_FIELD, False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", b"", False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD + b"\n", False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD.replace(b"2025", b"25"), False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", b"[127.0.0.1] " + NEAR_FIELD, False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD.replace(b"a.example", b"localhost"), False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD.replace(b";", b" (invoked by uid 1);"), False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD.replace(b";", b" (fetchmail-6);"), False),
        (b"Mon, 2 Jun 2025 10:00:01 +0000", NEAR_FIELD.replace(b";", b" ((fetchmai 127.0.0 from local;"), True),
    ],
)
def test_near_dates(date: bytes, field: bytes, *, is_near: bool) -> None:
    assert are_near(date, field, 10) is is_near
