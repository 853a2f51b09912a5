"""Dot-stuffing for SMTP egress (RFC 5321 section 4.5.2): canonical bytes out, whatever comes in."""

from typing import Final

BARE_CR: Final = 1
BARE_LF: Final = 2
NUL: Final = 4
NO_FINAL_CRLF: Final = 8

def stuff(data: bytes) -> bytes:
    """The form of `data` that goes out between 354 and the final dot, without that dot.

    Every line that begins with a dot gets another in front; the result is empty or ends in CRLF, holds CR and
    LF in CRLF pairs only and no NUL, so that only the final CRLF.CRLF can end the data. Input that is not
    canonical is made so: a bare CR or LF becomes CRLF, NUL becomes a space, a missing final CRLF is added.

    Args: data: message bytes of any size.
    Returns: `data` itself (same object, no copy) when nothing has to change.
    Raises: TypeError when data is not bytes; MemoryError.
    Cost: one vectorised scan, a second pass only when something changes; the GIL is released above 4 KB.
    """

def faults(data: bytes) -> int:
    """What is not canonical in `data`: a sum of BARE_CR, BARE_LF, NUL and NO_FINAL_CRLF; 0 when clean.

    Empty data is clean. Raises TypeError when data is not bytes. Cost: one vectorised scan.
    """
