"""Eval tests of dates: Date against Received, Message-IDs made of the time (plug-in HeaderEval, third part)."""

from __future__ import annotations

import re
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.evaltools import Bound, alone, evals, from_below, from_to, measured, number
from mxward.pyx.sadate import are_near, date_of_received, moment, usual_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mxward.core.rules.spamassassin.texts import TextSet

_MONTHS: Final = {
    b"jan": 1, b"feb": 2, b"mar": 3, b"apr": 4, b"may": 5, b"jun": 6, b"jul": 7, b"aug": 8, b"sep": 9, b"oct": 10,
    b"nov": 11, b"dec": 12,
}  # fmt: skip
# Names of zones as hours and minutes east of Greenwich, written as one number; any other name counts as 0.
_ZONES: Final = {
    b"UT": 0, b"UTC": 0, b"NDT": -230, b"AST": -400, b"ADT": -300, b"NST": -330, b"EST": -500, b"EDT": -400,
    b"CST": -600, b"CDT": -500, b"MST": -700, b"MDT": -600, b"PST": -800, b"PDT": -700, b"HST": -1000,
    b"AKST": -900, b"AKDT": -800, b"HADT": -900, b"HAST": -1000, b"GMT": 0, b"BST": 100, b"IST": 100, b"WET": 0,
    b"WEST": 100, b"CET": 100, b"CEST": 200, b"EET": 200, b"EEST": 300, b"MSK": 300, b"MSD": 400, b"MET": 100,
    b"MEZ": 100, b"MEST": 200, b"MESZ": 200, b"BRST": -200, b"BRT": -300, b"AEST": 1000, b"AEDT": 1100,
    b"ACST": 930, b"ACDT": 1030, b"AWST": 800, b"NZST": 1200, b"NZDT": 1300, b"JST": 900, b"KST": 900, b"HKT": 800,
    b"SGT": 800, b"PHT": 800, b"IDT": 300,
}  # fmt: skip
_MONTH: Final = rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY_FIRST: Final = re.compile(rb" (\d{1,9}) " + _MONTH + rb" (\d{4}) ", re.I)
_MONTH_FIRST: Final = re.compile(rb" " + _MONTH + rb" +(\d{1,9}) \d+:\d+:\d+ (\d{4}) ", re.I)
_SHORT_YEAR: Final = re.compile(rb" (\d{1,9}) " + _MONTH + rb" (\d{2,3}) ", re.I)
_CLOCK: Final = re.compile(rb" (\d?\d):(\d\d)(?::(\d\d))? ")
_NUMERIC_ZONE: Final = re.compile(rb" ([-+])(\d\d)(\d\d) ")
_NAMED_ZONE: Final = re.compile(rb"\b([A-Z]{2,4}(?:-DST)?)\b")
_LOCAL: Final = re.compile(rb"\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)")
_BY_UID: Final = re.compile(rb"qmail \d+ invoked by uid \d+")
_FETCHED: Final = re.compile(rb"\bby localhost with \w+ \(fetchmail-[\d.]+")
_OUTLOOK_ID: Final = re.compile(rb"<[0-9a-f]{4}([0-9a-f]{8})\$[0-9a-f]{8}\$[0-9a-f]{8}@")
# The part of an Outlook Message-ID that grows with the time, in units of 429.5 s since 1601.
_OUTLOOK_RATE: Final = 0.0023283064365387
_OUTLOOK_START: Final = 27111902.8329849
_OUTLOOK_FUDGE: Final = 250
NEAR: Final = 3 * 3600  # seconds of difference between clocks that no public test minds
MAX_DATE: Final = 200  # bytes of a date


def parse_date(text: bytes) -> int | None:
    """Seconds since 1970 of a date as mail has it; None when it is none. Impossible values are moved to the nearest.

    Source: RFC 5322 3.3, 4.3; years from 1970 to 2037, as in SpamAssassin 4.0.1.
    """
    time = usual_date(text)
    return _unusual(text) if time is None else time


def _unusual(text: bytes) -> int | None:
    text = re.sub(rb"\s+", b" ", re.sub(rb", *", b" ", b" " + text[:MAX_DATE] + b" "))
    if found := _DAY_FIRST.search(text):
        day, month, year = int(found[1]), found[2], int(found[3])
    elif found := _MONTH_FIRST.search(text):
        day, month, year = int(found[2]), found[1], int(found[3])
    elif found := _SHORT_YEAR.search(text):
        day, month, year = int(found[1]), found[2], int(found[3])
        year += 2000 if len(found[3]) == 2 and year < 50 else 1900
    else:
        return None
    text = text[: found.start()] + b" " + text[found.end() :]
    hour = minute = second = 0
    if clock := _CLOCK.search(text):
        hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
        text = text[: clock.start()] + b" " + text[clock.end() :]
    time = moment(year, _MONTHS[month.lower()], day, hour, minute, second)
    offset = _offset(text)
    return 0 if offset > 0 and time < offset else time - offset


def _offset(text: bytes) -> int:
    """Seconds east of Greenwich."""
    if found := _NUMERIC_ZONE.search(text):
        seconds = (int(found[2]) * 60 + int(found[3])) * 60
        return -seconds if found[1] == b"-" else seconds
    named = _NAMED_ZONE.search(text)
    hhmm = _ZONES.get(named[1], 0) if named else 0
    seconds = (abs(hhmm) // 100 * 60 + abs(hhmm) % 100) * 60
    return -seconds if hhmm < 0 else seconds


def check_for_shifted_date(low: str, high: str) -> Bound:
    """Whether Date is so many hours after the nearest Received."""
    least = -inf if low == "undef" else 3600 * number(low)
    ranges = from_to(least, inf) if high == "undef" else from_below(least, 3600 * number(high))
    is_far = ranges[0][0] >= NEAR or ranges[0][1] <= -NEAR
    return Bound(_FAR_SHIFT if is_far else _SHIFT, "", ranges)


def _shift(texts: TextSet) -> int:
    return _nearest(list(_shifts(texts)))


def _far_shift(texts: TextSet) -> int | None:
    """`_shift`, None when it is less than NEAR: most messages need not have more than one Received field read."""
    fields = texts.nodes[0].fields
    dates, received = fields.values(b"date"), fields.values(b"received")
    if dates and received and b"resent-date" not in fields.names and are_near(dates[0], received[0], NEAR):
        return None
    found: list[int] = []
    for shift in _shifts(texts):
        if shift and abs(shift) < NEAR:
            return None
        found.append(shift)
    return _nearest(found)


def _nearest(shifts: list[int]) -> int:
    if len(shifts) > 1 and shifts[-1] == 0:
        shifts = shifts[:-1]
    return min(shifts, key=abs, default=0)


def _shifts(texts: TextSet) -> Iterator[int]:
    """How many seconds Date is after each Received."""
    fields = texts.nodes[0].fields
    dates = (parse_date(value) for name in (b"resent-date", b"date") for value in fields.values(name) if value)
    sent = next((time for time in dates if time is not None), None)
    if sent is None:
        return
    for line in _received_lines(texts):
        found = date_of_received(line)
        time = None if found is None else parse_date(found)
        if time is not None:
            yield sent - time


def _received_lines(texts: TextSet) -> Iterator[bytes]:
    """Received fields, without one that a program wrote that fetched the message from a mailbox."""
    values = texts.nodes[0].fields.values(b"received")
    lines = (line for value in values for line in value.split(b"\n") if line.strip())
    head = list(islice(lines, 1))
    n_own = int(bool(head) and _is_local(head[0]))  # the sender's own machine took the message in
    head += islice(lines, n_own)
    if len(head) == n_own or not _is_fetched(head[n_own]):
        yield from head
    yield from lines


def _is_local(line: bytes) -> bool:
    if b"127.0.0.1" in line or b"from localhost" in line:
        return _LOCAL.search(line) is not None or _BY_UID.search(line) is not None
    return b"invoked by uid" in line and _BY_UID.search(line) is not None


def _is_fetched(line: bytes) -> bool:
    return b"(fetchmail-" in line and _FETCHED.search(line) is not None


def check_outlook_message_id(texts: TextSet) -> bool:
    """Whether a Message-ID of Outlook's form does not fit the time of the message."""
    first = texts.headers.first
    found = _OUTLOOK_ID.match(first("MESSAGEID"))
    if found is None:
        return False
    token = int(found[1], 16)
    if abs(token - _outlook_token(parse_date(first("Date")) or 0)) < _OUTLOOK_FUDGE:
        return False
    received = date_of_received(first("Received"))
    time = None if received is None else parse_date(received)
    return abs(token - _outlook_token(time or 0)) >= _OUTLOOK_FUDGE


def _outlook_token(time: int) -> int:
    return int(time * _OUTLOOK_RATE + _OUTLOOK_START)


_SHIFT: Final = alone(_shift)
_FAR_SHIFT: Final = alone(_far_shift)
TABLE: Final = measured(check_for_shifted_date) | evals(check_outlook_message_id)
