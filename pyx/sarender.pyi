"""HTML to text as SpamAssassin renders it, with what it counts in it."""

KINDS: tuple[str, ...]
MAX_BYTES: int  # of an HTML document; more is not looked at

def render(
    source: bytes, is_wide: bool, /
) -> tuple[bytes, bool, list[tuple[int, bytes, bytes, bytes]], dict[bytes, int], tuple[float, ...]]:
    """An HTML document as SpamAssassin 4.0.1 reads it with Perl's HTML::Parser.

    Never raises on any bytes (MemoryError when the machine has none). Looks at the first MAX_BYTES only.

    Args: source: UTF-8; is_wide: whether it is held as characters, so that white space beyond ASCII counts.
    Returns: the text, invisible text included, as UTF-8; whether it is wide; what was found, in order, as (number of
    KINDS, element, value, words of a link); element -> how many were left open, of every element seen; numbers:
    characters, white space among them, tags, known tags, kinds of tags, known kinds, end tags too many, tags that break
    words, ways of breaking them, area of images, smallest and largest font; flags: low contrast, invalid colour,
    embedded objects, truncated. Cost: linear; the GIL is released.
    """
