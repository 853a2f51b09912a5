"""Transfer decodings as plain functions: lenient, never raise on content, at most a byte longer than
their input (BinHex: four times as long). `mode` picks the way in which clients read damaged data, 0 the RFC's."""

BASE64_MODES: tuple[str, ...]
QP_MODES: tuple[str, ...]

def decode_base64(data: bytes, mode: int = 0) -> bytes:
    """RFC 2045 6.8. Strange characters are skipped, padding that completes a group ends the data."""

def decode_qp(data: bytes, mode: int = 0) -> bytes:
    """RFC 2045 6.7. Damaged escapes are kept, white space at line ends is dropped."""

def decode_uu(data: bytes) -> bytes:
    """The first "begin" ... "end" block, or all lines when there is no "begin"."""

def decode_yenc(data: bytes) -> bytes:
    """The first "=ybegin" ... "=yend" block."""

def decode_binhex(data: bytes) -> bytes:
    """RFC 1741: the data fork (checksums are not verified)."""
