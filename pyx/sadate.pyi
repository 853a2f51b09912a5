"""Dates as mail usually writes them, read without an object a piece."""

def usual_date(data: bytes, /) -> int | None:
    """Seconds since 1970 of "Mon, 2 Jun 2025 10:00:00 +0100 (BST)"; None when it is written in any other way.

    Weekday, comment and white space around it may be absent, letters have any case; the weekday and the comment mean
    nothing. Impossible values are moved to the nearest, years to 1970 to 2037. A time before 1970 by its zone is 0.
    Cost: linear. Source: RFC 5322 3.3; behaviour of SpamAssassin 4.0.1.
    """

def moment(year: int, month: int, day: int, hour: int, minute: int, second: int, /) -> int:
    """Seconds since 1970; years are moved to 1970 to 2037, a day that the month has not to the first of the next one.

    Hours are at most 23, minutes and seconds at most 59: what is more counts as that.
    Raises: ValueError for a month other than 1 to 12 or a number below zero.
    """

def date_of_received(data: bytes, /) -> bytes | None:
    """What looks like a date in a Received field without its weekday, with a character before it; None when nothing
    does: a day, a word of three letters, a year, a time and a zone of any characters. Cost: linear but for digits."""

def are_near(date: bytes, received: bytes, limit: int, /) -> bool:
    """Whether a date and the one in a Received field are less than `limit` seconds from each other and not the same.

    False too when one of them is not written as usual, and for a field of several lines, of the sender's own machine
    (localhost, a program's user) or of a program that fetches mail. Cost: linear.
    """
