"""Addresses (URLs) in plain text, and their hosts as browsers read them."""

NUMBER: int
"""The host is a network address ..."""
ODD_NUMBER: int
"""... and not written as four decimal numbers."""
USER: int
"""Something stands before an @ sign."""
PUNYCODE: int
"""A label of the host begins with xn--."""
DEEP: int
"""A host of more than five dots and fifty bytes."""
FRAGMENT: int
"""A mailbox stands behind the # sign."""
FOREIGN: int
"""The host has other characters than ASCII."""
ESCAPED: int
"""The host is written with %-escapes."""
BROKEN: int
"""No browser reads it."""
BACKSLASH: int
"""Backslashes stand where slashes belong."""
KINDS: tuple[str, ...]

def split(url: bytes) -> tuple[str, int, int] | None:
    """Host, traits (bits named above) and the offset of the path of an address.

    An address of http or https, or one that begins with "//" or "www."; None for any other. The host is in lower case,
    without escapes, user, port and last dot; a network address is written as four decimal numbers, whatever its form.
    Never raises. Cost: linear, about 0.2 us. Source: WHATWG URL 3.5, 4.4.
    """

def find(text: bytes, limit: int = 4000) -> list[tuple[int, int, str]]:
    """(start, end, kind of KINDS) of addresses in plain text (UTF-8), in order, at most `limit`.

    "plain" begins with http(s)://, "www" with www., "defanged" is written so that it is no link (hxxp, [.]), "bare" is
    a name of labels with dots, whose last label is for the caller to judge. Signs that end a sentence do not belong to
    it.
    Never raises. Cost: linear, about 0.2 ns a byte of text without addresses.
    """
