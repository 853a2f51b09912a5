"""Parts of a message's text without a table of its fields: lines of a header section, one mailbox, line ends."""

def encoded_words(value: bytes, /) -> list[tuple[bytes, bytes]]:
    """A field's value as runs of one charset: (label in lower case, b"" for what is no encoded word, decoded bytes).

    White space between two encoded words is dropped; neighbours of the same label are one run, so that characters may
    be cut between them. Base64 is read leniently. Cost: linear. Source: RFC 2047; behaviour of SpamAssassin 4.0.1.
    """

def raw_lines(section: bytes, /) -> list[bytes]:
    """The fields of a header section as they stand, each with its line ends.

    Lines that begin with a blank behind nothing, and what no line feed ends, are left out.
    """

def raw_text(section: bytes, /) -> bytes:
    """`raw_lines` joined."""

def usual_mailboxes(value: bytes, /) -> list[tuple[bytes | None, bytes]] | None:
    """(name, address) of each mailbox of a field that has nothing odd in it; None for any other field.

    That is: an address, or one in angle brackets behind a name or a quoted string without escapes; white space may
    stand around it. Spaces behind a quoted string belong to the name. Name: None when it is empty. Or several of these
    with commas between, without quotation marks. Cost: linear.
    """

def line_feeds(data: bytes, start: int, end: int, /) -> bytes:
    """data[start:end] with each CR LF as LF. Raises: ValueError for a range outside the data. Cost: linear."""

def blank_lines(data: bytes, /) -> int:
    """How many blank lines, each with its line feed, the longest run of them has. Cost: linear."""
