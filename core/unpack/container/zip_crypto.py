"""Encrypted members of zip: which scheme, whether a password fits, and what is inside.

The classic cipher is checked here by its twelve bytes and then run by libarchive, which is fast; AES is run by
cryptography. PKWARE's strong encryption is recognised only. Source: PKWARE APPNOTE 6.1; WinZip AE-1/AE-2.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mxward.core.unpack.container.libread import LibraryError, Reader
from mxward.core.unpack.container.zip_headers import ENCRYPTED, STREAMED, Header, fields
from mxward.core.unpack.work import Damaged

AES: Final = 99  # "method" of a member that is encrypted by AES; the real one stands in the extra field
_AES_FIELD: Final = 0x9901
_CLASSIC_HEAD: Final = 12


class Aes:
    """What the extra field of an AES member says. Raises: Damaged."""

    def __init__(self, extra: bytes) -> None:
        body = next((body for kind, body in fields(extra) if kind == _AES_FIELD), b"")
        if len(body) < 7 or not 1 <= body[4] <= 3:
            raise Damaged("it says it is encrypted by AES, and not how")
        self.n_key = (16, 24, 32)[body[4] - 1]
        self.n_salt = self.n_key // 2
        self.method = struct.unpack_from("<H", body, 5)[0]


def opened(packed: memoryview, header: Header, time_high: int, password: str) -> bytes | None:
    """The still packed content of an encrypted member; None when the password does not fit.

    Args: packed: its bytes as they stand; time_high: high byte of the time in its local header.
    Raises: Damaged. A classic password that fits by chance is noticed by the caller, by checksum.
    """
    raw = password.encode("utf-8")
    if header.method == AES:
        return _aes(packed, Aes(header.extra), raw)
    return _classic(packed, header, time_high, raw)


def _aes(packed: memoryview, scheme: Aes, password: bytes) -> bytes | None:
    at, end = scheme.n_salt + 2, len(packed) - 10
    if end < at:
        raise Damaged("its packed content breaks off")
    salt, check = bytes(packed[: scheme.n_salt]), bytes(packed[scheme.n_salt : at])
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 2 * scheme.n_key + 2)
    if keys[-2:] != check:
        return None
    content = packed[at:end]
    seal = hmac.new(keys[scheme.n_key : 2 * scheme.n_key], content, "sha1").digest()[:10]
    return _counted(content, keys[: scheme.n_key]) if hmac.compare_digest(seal, bytes(packed[end:])) else None


def _counted(content: memoryview, key: bytes) -> bytes:
    """AES in counter mode with a counter that is little-endian, which the library has not."""
    n = -(-len(content) // 16)
    counters = struct.pack(f"<{2 * n}Q", *(number for block in range(1, n + 1) for number in (block, 0)))
    stream = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(counters)[: len(content)]  # noqa: S305 - a counter mode is built of it
    return (int.from_bytes(content, "little") ^ int.from_bytes(stream, "little")).to_bytes(len(content), "little")


def _classic(packed: memoryview, header: Header, time_high: int, password: bytes) -> bytes | None:
    if len(packed) < _CLASSIC_HEAD:
        raise Damaged("its packed content breaks off")
    expected = {time_high, header.crc >> 24} if header.flags & STREAMED else {header.crc >> 24}
    if _last_of_head(packed, password) not in expected:
        return None
    # as a stored member of a zip of its own, so that what comes back is decrypted and nothing else
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 20, ENCRYPTED, 0, 0, 0, header.crc, len(packed), len(packed) - _CLASSIC_HEAD, 1, 0
    )
    head = _with_check(head, packed, password)
    out: list[bytes] = []
    try:
        with Reader(
            head + b"x" + bytes(packed), "zip_streamable", password=password, options="zip:ignorecrc32"
        ) as zip_:
            for _ in zip_:
                out.extend(zip_.pieces())
                break
    except LibraryError as error:
        raise Damaged("its classic encryption cannot be read") from error
    return b"".join(out)


def _with_check(head: bytes, packed: memoryview, password: bytes) -> bytes:
    """The header with the checksum byte that libarchive compares."""
    check = _last_of_head(packed, password)
    return head[:17] + bytes([check]) + head[18:]


def _last_of_head(packed: memoryview, password: bytes) -> int:
    """The last of the twelve bytes, decrypted. APPNOTE 6.1.5 to 6.1.7."""
    keys = (0x12345678, 0x23456789, 0x34567890)
    for byte in password:
        keys = _stirred(keys, byte)
    plain = 0
    for byte in packed[:_CLASSIC_HEAD]:
        mixed = (keys[2] | 2) & 0xFFFF
        plain = byte ^ (mixed * (mixed ^ 1) >> 8 & 0xFF)
        keys = _stirred(keys, plain)
    return plain


def _stirred(keys: tuple[int, int, int], byte: int) -> tuple[int, int, int]:
    first = _crc(keys[0], byte)
    second = ((keys[1] + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
    return first, second, _crc(keys[2], second >> 24)


def _crc(crc: int, byte: int) -> int:
    """One step of CRC-32 without its inversions."""
    return zlib.crc32(bytes([byte]), crc ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def packed_by(header: Header) -> int:
    """The method below the encryption. Raises: Damaged."""
    return Aes(header.extra).method if header.method == AES else header.method
