"""HTML to readable text and links: one tolerant pass over UTF-8, no tree, no Python in the loop."""

KINDS: tuple[str, ...]
MAX_LINKS: int

def to_text(data: bytes, /) -> tuple[bytes, list[tuple[str, bytes, bytes]], tuple[int, int, int]]:
    """Readable text, links and counts of an HTML document.

    Never raises on any bytes (MemoryError when the machine has none). Script, style and comments are left out,
    block elements end a line. The text is at most as long as `data`; invalid UTF-8 passes through.

    Returns: the text; at most MAX_LINKS links as (kind of KINDS, address as written, words of an <a>); the numbers
    of forms, password fields and scripts. Cost: linear; the GIL is released.
    """
