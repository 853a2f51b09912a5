"""SpamAssassin's renderings: HTML to text with what it counts in it, white space squeezed, addresses found in text."""

from collections.abc import Iterable, Sequence
from typing import final

KINDS: tuple[str, ...]
MAX_BYTES: int  # of an HTML document; more is not looked at

def render(source: bytes, is_wide: bool, /) -> tuple[
    bytes, bool, list[tuple[int, bytes, bytes, bytes]], dict[bytes, int], tuple[float, ...]
]:
    """An HTML document as SpamAssassin 4.0.1 reads it with Perl's HTML::Parser.

    Never raises on any bytes (MemoryError when the machine has none). Looks at the first MAX_BYTES only.

    Args: source: UTF-8; is_wide: whether it is held as characters, so that white space beyond ASCII counts.
    Returns: the text, invisible text included, as UTF-8; whether it is wide; what was found, in order, as (number of
    KINDS, element, value, words of a link); element -> how many were left open, of every element seen; numbers:
    characters, white space among them, tags, known tags, kinds of tags, known kinds, end tags too many, tags that break
    words, ways of breaking them, area of images, smallest and largest font; flags: low contrast, invalid colour, embedded
    objects, truncated. Cost: linear; the GIL is released.
    """

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

def longest_line(data: bytes, start: int, end: int, /) -> int:
    """Bytes of the longest line in data[start:end], its line feed included, a CR before it not.

    Raises: ValueError for a range outside the data.
    """
