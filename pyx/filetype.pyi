"""The true type of content by its bytes: magic numbers, and a look inside zip and OLE for documents."""

from typing_extensions import Buffer

TYPES: tuple[str, ...]
"""Every type that `identify` can give, "" first."""

def identify(data: Buffer, /) -> str:
    """Media type of `data` by content, lower case; "" for plain text and for what is not known.

    Never raises on any bytes. Zip containers that are documents, Java or Android programs get their own type;
    macro-enabled Office documents differ from plain ones; an encrypted Office document is
    "application/encrypted". Cost: about 0.1 us, independent of size except for the names inside a zip.
    """
