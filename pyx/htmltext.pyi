"""HTML to readable text, what of it is shown, and links: a tolerant pass over UTF-8, no Python in the loop."""

KINDS: tuple[str, ...]
REASONS: tuple[str, ...]
"""Why words are not shown: display or a part that is never shown, visibility, opacity, size of type, size of the box,
place, colour on colour, not by Outlook, titles and conditional comments (which is nothing to wonder at)."""
MAX_LINKS: int
MAX_BYTES: int

def read(
    data: bytes, /
) -> tuple[bytes, bytes, bytes, list[tuple[str, bytes, bytes, bool]], tuple[int, int, int], tuple[int, ...]]:
    """Readable text, what a browser shows of it, links and counts of an HTML document.

    Never raises on any bytes (OverflowError above MAX_BYTES, MemoryError when the machine has none). Script, style and
    comments are left out, block elements end a line. The text is at most as long as `data`; invalid UTF-8 passes
    through. Shown is decided by style attributes, presentational attributes and simple rules of style elements.

    Returns: the text; what of it is shown (the same object when all is); the hidden stretches, a space between two; at
    most MAX_LINKS links as (kind of KINDS, address as a browser takes it, words of an <a>, are its words or the
    element shown?); the numbers of forms, password fields and scripts; bytes of words hidden for each of REASONS.
    Cost: linear, at most two passes; the GIL is released for more than 2 KiB.
    Source: WHATWG HTML 13.2, CSS 2.1.
    """
