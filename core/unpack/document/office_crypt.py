"""Encrypted Office documents: recognised by kind, opened by a known password as a child. Source: [MS-OFFCRYPTO] 2.3."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace
from typing import Any, Final

import msoffcrypto
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError
from msoffcrypto.format import doc97, ppt97, xls97

from mxward.core.unpack.document.office_agile import Agile
from mxward.core.unpack.work import Damaged, Item, Work

_STANDARD: Final = "VelvetSweatshop"  # Excel tries it before it asks
_STANDARD_SLIDES: Final = "/01Hannes Ruescher/01"  # PowerPoint's
MAX_TRIES: Final = 100
MAX_TRYING_S: Final = 2.0  # of processor time, of which modern kinds take 50 ms a try
# the library decrypts old formats in a temporary file; the sandbox has none, and nothing of a mail belongs on a disk
for _module in (doc97, ppt97, xls97):
    _module.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)


def open_encrypted(item: Item, work: Work, info: bytes = b"") -> bool:
    """Try to decrypt the document `item`; tell it as a child, or that it stays unseen.

    Args: info: its EncryptionInfo stream, where it has one.
    Returns: whether it was opened. Raises: Damaged, OverBudget.
    """
    work.find(item, "OFFICE_ENCRYPTED")
    agile = None
    if info:
        try:
            agile = Agile(info) if info[:2] == b"\4\0" and info[2:4] == b"\4\0" else None
        except ValueError as error:
            return _locked(item, work, str(error))
        if b"<!" in info:
            return _locked(item, work, "its description declares entities")
    try:
        document: Any = msoffcrypto.OfficeFile(io.BytesIO(item.data))
    except (FileFormatError, DecryptionError, OSError):
        return _locked(item, work, "of a kind that no password opens")
    password = _password(document, agile, work)
    if password is None:
        return _locked(item, work, "no password is known")
    out = io.BytesIO()
    try:
        document.decrypt(out)
    except (DecryptionError, InvalidKeyError, ParseError, OSError, ValueError) as error:
        raise Damaged("what is encrypted breaks off") from error
    is_standard = password in (_STANDARD, _STANDARD_SLIDES)
    work.find(item, "OFFICE_STANDARD_PASSWORD" if is_standard else "CONTAINER_PASSWORD_KNOWN")
    work.child(item, out.getvalue(), *item.names[:1] or ("document",))
    return True


def _locked(item: Item, work: Work, detail: str) -> bool:
    work.find(item, "CONTAINER_ENCRYPTED")
    work.unseen(item, "encrypted", detail)
    return False


def _password(document: Any, agile: Agile | None, work: Work) -> str | None:
    """The password that opens it, its key being set then; or None."""
    until = time.process_time() + MAX_TRYING_S
    standard = _STANDARD_SLIDES if isinstance(document, ppt97.Ppt97File) else _STANDARD
    for password in (standard, *work.passwords[:MAX_TRIES]):
        work.purse.check_time()
        if not password or time.process_time() > until:
            continue
        try:
            if agile is not None:
                key = agile.key(password)
                if key is None:
                    continue
                document.secret_key = key
            elif _is_standard(document):
                document.load_key(password=password, verify_password=True)
            else:
                document.load_key(password=password[:255])
        except (InvalidKeyError, DecryptionError, ParseError, ValueError):
            continue  # wrong, not to be written in the document's code page, or a kind that takes no password
        return password
    return None


def _is_standard(document: Any) -> bool:
    """Whether the document is of the encryption before agile, in a package."""
    return getattr(document, "type", "") == "standard"
