"""Encrypted RAR 5: checks passwords, and writes the same file without its encryption, which libarchive then unpacks.

Source: RARLAB, "RAR 5.0 archive format", sections on the archive encryption header and the file encryption record.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mxward.core.unpack.work import Damaged

MAGIC5: Final = b"Rar!\x1a\x07\x01\0"
_FILE, _SERVICE, _CRYPT, _END = 2, 3, 4, 5
_MAX_POWER: Final = 18  # of the rounds a key takes; programs use 15
_MAX_BLOCKS: Final = 20_000
_HAS_CHECK, _TIME, _CHECKSUM = 1, 2, 4
_METHOD: Final = 0x380


class Lock(NamedTuple):
    """What an encryption header or record says."""

    power: int
    salt: bytes
    vector: bytes
    check: bytes  # "" when there is none

    def key(self, password: bytes) -> bytes | None:
        """The key, None when the password does not fit. Without a check every one fits."""
        if self.check and _folded(_derived(password, self.salt, (1 << self.power) + 32)) != self.check:
            return None
        return _derived(password, self.salt, 1 << self.power)


def opened(data: bytes, password: str) -> bytes | None:
    """The file without its encryption; None when the password does not fit. Raises: Damaged."""
    raw, out, key = password.encode(), [MAGIC5], None
    at = len(MAGIC5)
    _, kind, place = _head(data, at)
    if kind == _CRYPT:
        lock, _ = _lock(data, place, has_vector=False)
        key = lock.key(raw)
        if key is None:
            return None
        size, begin = number(data, at + 4)
        at = begin + size
    for block, content in _blocks(data, at, key):
        plain = _plain(block, content, raw)
        if plain is None:
            return None
        out.append(plain)
    return b"".join(out)


def _head(block: bytes, at: int) -> tuple[int, int, int]:
    """Flags and kind of a block, and the place behind its general part."""
    _, begin = number(block, at + 4)
    kind, place = number(block, begin)
    flags, place = number(block, place)
    place = number(block, place)[1] if flags & 1 else place
    place = number(block, place)[1] if flags & 2 else place
    return flags, kind, place


def _blocks(data: bytes, at: int, key: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """Each block, decrypted, and its data area as it stands."""
    for _ in range(_MAX_BLOCKS):
        if at + 8 > len(data):
            return
        if key is None:
            size, begin = number(data, at + 4)
            block, at = data[at : begin + size], begin + size
        else:
            vector, first = data[at : at + 16], data[at + 16 : at + 32]
            size, begin = number(_decrypted(first, key, vector), 4)
            n = -(-(begin + size) // 16) * 16
            block = _decrypted(data[at + 16 : at + 16 + n], key, vector)[: begin + size]
            at += 16 + n
        _, begin = number(block, 4)
        kind, place = number(block, begin)
        flags, place = number(block, place)
        place = number(block, place)[1] if flags & 1 else place
        n_data = number(block, place)[0] if flags & 2 else 0
        yield block, data[at : at + n_data]
        if kind == _END:
            return
        at += n_data


def _plain(block: bytes, content: bytes, password: bytes) -> bytes | None:
    """A block and its data without encryption, None when the password does not fit, b"" for a service."""
    _, kind, _ = _head(block, 0)
    if kind == _SERVICE:
        return b""
    if kind != _FILE:
        return block + content
    _, at = number(block, 4)
    _, at = number(block, at)
    flags, at = number(block, at)
    n_extra, at = number(block, at) if flags & 1 else (0, at)
    _, at = number(block, at) if flags & 2 else (0, at)
    lock = _file_lock(block[len(block) - n_extra :])
    if lock is None:
        return block + content
    key = lock.key(password)
    if key is None:
        return None
    content = _decrypted(content[: len(content) & ~15], key, lock.vector)
    fields, size, method = _file_fields(block[at : len(block) - n_extra])
    content = content if method else content[:size]
    body = _packed(_FILE) + _packed(flags & ~1 | 2) + _packed(len(content)) + fields
    head = _packed(len(body)) + body
    return struct.pack("<I", zlib.crc32(head)) + head + content


def _file_fields(fields: bytes) -> tuple[bytes, int, int]:
    """The fields of a file without its checksum, which is of encrypted content; its size and method."""
    flags, at = number(fields, 0)
    size, at = number(fields, at)
    _, at = number(fields, at)
    at += 4 if flags & _TIME else 0
    start = number(fields, 0)[1]
    kept = _packed(flags & ~_CHECKSUM) + fields[start:at]
    at += 4 if flags & _CHECKSUM else 0
    method = number(fields, at)[0] & _METHOD
    return kept + fields[at:], size, method


def _file_lock(extra: bytes) -> Lock | None:
    at = 0
    while at < len(extra):
        size, begin = number(extra, at)
        kind, place = number(extra, begin)
        if kind == 1:
            return _lock(extra, place, has_vector=True)[0]
        at = begin + max(1, size)
    return None


def _lock(data: bytes, at: int, *, has_vector: bool) -> tuple[Lock, int]:
    _, at = number(data, at)
    flags, at = number(data, at)
    need = 1 + 16 + (16 if has_vector else 0) + (12 if flags & _HAS_CHECK else 0)
    if at + need > len(data) or data[at] > _MAX_POWER:
        raise Damaged("its encryption makes no sense")
    power, salt, at = data[at], data[at + 1 : at + 17], at + 17
    vector, at = (data[at : at + 16], at + 16) if has_vector else (b"", at)
    check = data[at : at + 8] if flags & _HAS_CHECK else b""
    return Lock(power, salt, vector, check), at + len(check)


@lru_cache(maxsize=64)
def _derived(password: bytes, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, rounds)


def _folded(value: bytes) -> bytes:
    """Eight bytes of 32, each four of them joined by exclusive or."""
    return bytes(value[n] ^ value[n + 8] ^ value[n + 16] ^ value[n + 24] for n in range(8))


def _decrypted(content: bytes, key: bytes, vector: bytes) -> bytes:
    if len(vector) != 16 or len(content) % 16:
        raise Damaged("its encrypted part breaks off")
    return Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor().update(content)


def _packed(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the place behind it. Raises: Damaged."""
    value = 0
    for n in range(10):
        if at + n >= len(data):
            raise Damaged("a header of it is not rar's")
        byte = data[at + n]
        value |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return value, at + n + 1
    raise Damaged("a header of it is not rar's")
