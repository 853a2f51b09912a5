"""Dates as mail usually writes them, read without an object a piece; unusual ones are for core/rules/spamassassin."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t

cdef extern from "sa_date.h":
    ctypedef struct sd_span:
        size_t start
        size_t end

    bint sd_usual(const uint8_t* s, size_t n, int64_t* seconds) nogil
    int64_t sd_seconds(int64_t year, int month, int day, int hour, int minute, int second) nogil
    bint sd_near(const uint8_t* date, size_t n_date, const uint8_t* field, size_t n, int64_t limit) nogil
    bint sd_received(const uint8_t* s, size_t n, sd_span* found) nogil


def usual_date(bytes data not None, /):
    """Seconds since 1970 of a date as programs write it. See sadate.pyi."""
    cdef int64_t seconds = 0
    if not sd_usual(<const uint8_t*>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data), &seconds):
        return None
    return seconds


def moment(int64_t year, int month, int day, int hour, int minute, int second, /):
    """Seconds since 1970, impossible values moved to the nearest. See sadate.pyi."""
    if not (0 <= year < 100_000 and 1 <= month <= 12 and min(day, hour, minute, second) >= 0):
        raise ValueError("no such month, or a number below zero")
    return sd_seconds(year, month, day, hour, minute, second)


def date_of_received(bytes data not None, /):
    """The date in a Received field. See sadate.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(data)
    cdef sd_span found
    if not sd_received(s, <size_t>PyBytes_GET_SIZE(data), &found):
        return None
    return PyBytes_FromStringAndSize(<const char*>s + found.start, <Py_ssize_t>(found.end - found.start))


def are_near(bytes date not None, bytes received not None, int64_t limit, /):
    """Whether a date and that of a Received field are near each other. See sadate.pyi."""
    return bool(sd_near(
        <const uint8_t*>PyBytes_AS_STRING(date), <size_t>PyBytes_GET_SIZE(date),
        <const uint8_t*>PyBytes_AS_STRING(received), <size_t>PyBytes_GET_SIZE(received), limit))
