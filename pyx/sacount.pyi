"""Counts that SpamAssassin's eval tests ask for: lines, escapes and letters of texts, words that two texts share."""

from collections.abc import Iterable, Sequence

MAX_WORDS: int  # of one text that are compared

def choose(*, portable: bool) -> None:
    """Count letters without the machine's wide registers, or with them, as is done without a call. For tests."""

def count_part(
    data: bytes, start: int, end: int, /, *, escapes: bool = False, text: bool = False
) -> tuple[int, int, int, int, int, bool]:
    """Counts of data[start:end], line ends being LF or CRLF. The GIL is released; one pass, nothing is copied.

    Args: escapes: whether needless escapes are counted; text: whether entities and odd bytes are.
    Returns: (bytes, CRLF counted as one; bytes of the longest line, its end counted as one; most blank lines one after
    the other; =XX of quoted-printable for printable characters, tab and space but not before a line end, negative
    when only those are there; &#xXXXX;; whether there are bytes beyond ASCII, NUL, or CR without LF).
    Raises: ValueError for a range outside the data. Source: RFC 2045 6.7; behaviour of SpamAssassin 4.0.1.
    """

def count_lines(data: bytes, starts: Sequence[int], /) -> tuple[int, int, int, int]:
    """Counts of the segments of a text.

    Args: starts: where each segment begins, ascending.
    Returns: (bytes, capitals, small letters and digits) of those segments that hold more than one word and no base64,
    without escapes of ISO 2022 and what stands between them; and the most spaces a hundred other characters, at most
    100, of a segment of 6 bytes or more, -1 when there is none.
    Raises: ValueError when `starts` is not in order. Cost: linear.
    """

def count_illegal(data: bytes, /) -> int:
    """Bytes that should not stand in a header field: controls but tab and line ends, DEL, all beyond ASCII."""

def compare_words(ours: Iterable[tuple[bytes, bool]], others: Iterable[tuple[bytes, bool]], /) -> tuple[int, int, int]:
    """Kinds of words of two texts, each in pieces; what has neither letter nor digit is no word.

    Args: pieces as (bytes, whether they are UTF-8 whose white space and letters beyond ASCII count). What is not
    well-formed counts as U+FFFD. Of each piece the first MAX_WORDS words count.
    Returns: (kinds in ours, kinds in the others, kinds that stand more often in ours than in the others).
    Raises: MemoryError. Cost: linear; the GIL is released.
    """
