"""Text of header fields and bodies: charsets, RFC 2047 encoded words, RFC 2231 parameters, file names."""

ALIASES: dict[str, str]  # labels of mail to Python codecs
UNFIT: frozenset[str]  # codecs that are no charset

def codec_name(charset: str) -> str:
    """Python codec for a MIME charset label (aliases applied), "" when unknown or unfit for text."""

def decode_text(data: bytes, charset: str = "") -> str:
    """Bytes of a text part as text. Unknown charset or none: UTF-8 when valid, else Latin-1. Never raises."""

def decode_words(value: bytes) -> str:
    """RFC 2047 encoded words to text; raw 8-bit is read as UTF-8, else Latin-1. Never raises."""

def parameter(value: bytes, name: str) -> str:
    """The parameter `name` (lower case) of a structured field value by RFC 2045 and 2231, "" when absent."""

def file_names(disposition: list[bytes], content_type: list[bytes]) -> tuple[str, ...]:
    """Every file name that some client would show for a part with these field values, the RFC's first."""
