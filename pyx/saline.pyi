"""Lines of text as SpamAssassin's rules see them: white space squeezed, addresses found."""

from collections.abc import Iterable, Sequence
from typing import final

def squeeze(subject: bytes, pieces: list[bytes], is_wide: bool, /) -> tuple[bytes, list[int]]:
    """Texts of a message as one, white space squeezed, and where its segments start.

    Empty lines end a segment; other runs of white space become a space; a segment has at most 2049 bytes.

    Args: subject: the first segment, with its line end; pieces: UTF-8 when `is_wide`, else bytes of any kind.
    Raises: OverflowError for 4 GiB of text. Cost: linear.
    """

@final
class TopLevel:
    """A set of top-level domains, any case. Immutable; may be shared between threads."""

    def __init__(self, names: Iterable[bytes], /) -> None: ...
    def __contains__(self, name: bytes) -> bool: ...

def find_uris(
    data: bytes, starts: Sequence[int], known: TopLevel, limit: int, /
) -> list[tuple[int, bytes, bytes | None]]:
    """What mail clients would make a link of, or might, in the segments of a text.

    Args: starts: where each segment starts; limit: no more segments' words are looked at when so many are found.
    Returns: (kind, text, host) in order; kind 0 begins with a scheme, www. or ftp., 1 is a mail address, 2 a bare host
    under a known top-level domain, with what follows it.
    Raises: ValueError when `starts` is not in order. Cost: linear but for words of many possible beginnings.
    """

def plain_host(address: bytes, known: TopLevel, /) -> bytes | None:
    """The host, in lower case, of an address that is meant as it is written and in no other way; None for others.

    That is http:// or https:// with a host name under a known top-level domain, no user and no port, and a path in
    which nothing is encoded and no other address stands; or mailto: with a plain mail address alone.
    """

def longest_line(data: bytes, start: int, end: int, /) -> int:
    """Bytes of the longest line in data[start:end], its line feed included, a CR before it not.

    Raises: ValueError for a range outside the data.
    """
