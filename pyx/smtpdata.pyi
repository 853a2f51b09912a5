"""Reader of the SMTP message stream: DATA (dot-stuffed, RFC 5321 section 4.5.2) and BDAT chunks (RFC 3030)."""

class DataReader:
    """Collects one message from chunks of any size, split anywhere.

    Never raises on any bytes. Content beyond `limit` bytes is counted and dropped, so memory stays bounded while
    the end of data is still found. Not thread-safe. Cost: one pass, one copy; memory at most twice the message.
    """

    def __init__(self, limit: int) -> None:
        """Args: limit: content bytes kept at most, above 0."""
    def feed(self, data: bytes, start: int = 0) -> int:
        """Take data[start:] of a DATA stream; dots are unstuffed.

        Returns: the index of the first byte not taken: len(data), or what follows CRLF.CRLF when `done` is now
        true. Only CRLF.CRLF (or .CRLF at the very start) ends the data. Raises MemoryError; IndexError when
        start lies outside.
        """
    def feed_chunk(self, data: bytes, start: int, count: int) -> None:
        """Take data[start:start+count] of a BDAT chunk, verbatim. Raises MemoryError; IndexError as above."""
    def finish(self) -> None:
        """The last BDAT chunk is complete: a CR at the end was bare, and a last line without CRLF gets one."""
    def take(self) -> bytes:
        """The message; the reader is empty afterwards. No copy is made."""
    def drop(self) -> None:
        """Forget the content and keep none from now on; the end of data is still looked for."""
    @property
    def done(self) -> bool:
        """The end of data was seen."""
    @property
    def size(self) -> int:
        """Content bytes so far, those beyond the limit included."""
    @property
    def room(self) -> int:
        """Bytes of memory held."""
    @property
    def is_over(self) -> bool:
        """More content came than the limit allows."""
    @property
    def bare_cr(self) -> bool:
        """A CR without LF was seen."""
    @property
    def bare_lf(self) -> bool:
        """An LF without CR was seen."""
    @property
    def nul(self) -> bool:
        """A NUL was seen."""
    @property
    def longest_line(self) -> int:
        """Content bytes of the longest line, without its CRLF."""
