"""The record: one message compressed, encrypted and framed so that it proves itself whole and its own.

    header   magic "MXWR", version, flags, header size, stored size, raw size, queue id, master key id,
             wrap nonce, wrapped data key, nonce
    body     AES-256-GCM(data key, nonce, zstd(raw)); bound to queue id and raw size
    trailer  CRC-32 of header and body, end mark "RWXM"

The checksum tells damage apart from a wrong key, and lets a record be checked without any key.
"""

from __future__ import annotations

import hmac
import os
import struct
import threading
import zlib
from dataclasses import dataclass
from typing import Final

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mxward.core.errors import StoreCorrupt
from mxward.server.store.keys import KEY_ID_BYTES, KeyRing

MAGIC: Final = b"MXWR"
END: Final = b"RWXM"
VERSION: Final = 1
_HEAD: Final = struct.Struct("<4sBBHQQ16s8s12s48s12s")
_TAIL: Final = struct.Struct("<I4s")
HEAD_BYTES: Final = _HEAD.size
KEY_ID_OFFSET: Final = struct.calcsize("<4sBBHQQ16s")
OVERHEAD: Final = _HEAD.size + _TAIL.size
MAX_RAW: Final = 1 << 31  # far above any configured message size; bounds what a damaged size may allocate


@dataclass(slots=True)
class Sealed:
    """A record ready to be appended: its pieces, whole length, and the keyed hash of the message."""

    queue_id: str
    pieces: tuple[bytes, bytes, bytes]
    length: int
    digest: bytes


class Sealer:
    """Makes and opens records; thread-safe."""

    def __init__(self, keys: KeyRing, level: int) -> None:
        self._keys, self._level = keys, level
        self._local = threading.local()

    def seal(self, queue_id: str, raw: bytes) -> Sealed:
        """The record of a message. Cost: one compression, one encryption, one HMAC, no copy of the whole."""
        name = queue_id.encode("ascii")
        random = os.urandom(56)
        key, wrap_nonce, nonce = random[:32], random[32:44], random[44:]
        body = AESGCM(key).encrypt(nonce, self._compressor().compress(raw), _bound(name, len(raw)))
        key_id, master = self._keys.current()
        head = _head(
            name, len(body), len(raw), key_id, wrap_nonce, master.encrypt(wrap_nonce, key, key_id + name), nonce
        )
        digest = hmac.digest(self._keys.content_key, raw, "sha256")
        return Sealed(queue_id, (head, body, _tail(head, body)), len(head) + len(body) + _TAIL.size, digest)

    def open(self, record: bytes, queue_id: str) -> bytes:
        """The message inside. Raises StoreCorrupt when the record is not whole, not its own, or was changed."""
        fields = check(record, queue_id)
        key = self._unwrap(fields)
        body = record[_HEAD.size : -_TAIL.size]
        try:
            packed = AESGCM(key).decrypt(fields.nonce, body, _bound(fields.name, fields.raw_size))
            raw = self._decompressor().decompress(packed, max_output_size=fields.raw_size or 1)
        except (InvalidTag, zstandard.ZstdError) as error:
            raise StoreCorrupt(f"{queue_id}: record fails authentication: {error!r}") from None
        if len(raw) != fields.raw_size:
            raise StoreCorrupt(f"{queue_id}: {len(raw)} bytes instead of {fields.raw_size}")
        return raw

    def rewrap(self, record: bytes, queue_id: str) -> Sealed:
        """The same record with its data key wrapped by the current master key; the body is not decrypted."""
        fields = check(record, queue_id)
        key = self._unwrap(fields)
        key_id, master = self._keys.current()
        wrap_nonce = os.urandom(12)
        wrapped = master.encrypt(wrap_nonce, key, key_id + fields.name)
        body = record[_HEAD.size : -_TAIL.size]
        head = _head(fields.name, len(body), fields.raw_size, key_id, wrap_nonce, wrapped, fields.nonce)
        return Sealed(queue_id, (head, body, _tail(head, body)), len(record), b"")

    def is_current(self, head: bytes) -> bool:
        """Whether the record that begins with these HEAD_BYTES has its data key wrapped by the current master key."""
        return head[KEY_ID_OFFSET : KEY_ID_OFFSET + KEY_ID_BYTES] == self._keys.current()[0]

    def _unwrap(self, fields: Fields) -> bytes:
        try:
            return self._keys.cipher(fields.key_id).decrypt(
                fields.wrap_nonce, fields.wrapped, fields.key_id + fields.name
            )
        except InvalidTag:
            raise StoreCorrupt(f"{fields.name.decode()}: data key does not open with {fields.key_id!r}") from None

    def _compressor(self) -> zstandard.ZstdCompressor:
        found: zstandard.ZstdCompressor | None = getattr(self._local, "compressor", None)
        if found is None:
            found = self._local.compressor = zstandard.ZstdCompressor(level=self._level)
        return found

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        found: zstandard.ZstdDecompressor | None = getattr(self._local, "decompressor", None)
        if found is None:
            found = self._local.decompressor = zstandard.ZstdDecompressor()
        return found


@dataclass(slots=True)
class Fields:
    """What a record's header says."""

    name: bytes
    raw_size: int
    key_id: bytes
    wrap_nonce: bytes
    wrapped: bytes
    nonce: bytes


def check(record: bytes, queue_id: str) -> Fields:
    """Prove that `record` is complete, undamaged and of this queue id. Raises StoreCorrupt; needs no key."""
    if len(record) < OVERHEAD:
        raise StoreCorrupt(f"{queue_id}: record torn after {len(record)} bytes")
    magic, version, _, head_size, stored, raw, name, key_id, wrap_nonce, wrapped, nonce = _HEAD.unpack_from(record)
    crc, end = _TAIL.unpack_from(record, len(record) - _TAIL.size)
    if magic != MAGIC or version != VERSION or head_size != _HEAD.size:
        raise StoreCorrupt(f"{queue_id}: no record of version {VERSION} here")
    if end != END or stored != len(record) - OVERHEAD or raw > MAX_RAW:
        raise StoreCorrupt(f"{queue_id}: record is not complete")
    if zlib.crc32(memoryview(record)[: -_TAIL.size]) != crc:
        raise StoreCorrupt(f"{queue_id}: checksum mismatch")
    if name != queue_id.encode("ascii", "replace"):
        raise StoreCorrupt(f"{queue_id}: record belongs to {name!r}")
    return Fields(name, raw, key_id, wrap_nonce, wrapped, nonce)


def _bound(name: bytes, raw_size: int) -> bytes:
    return b"%b%b%d" % (MAGIC, name, raw_size)


def _head(name: bytes, stored: int, raw: int, key_id: bytes, wrap_nonce: bytes, wrapped: bytes, nonce: bytes) -> bytes:
    return _HEAD.pack(MAGIC, VERSION, 0, _HEAD.size, stored, raw, name, key_id, wrap_nonce, wrapped, nonce)


def _tail(head: bytes, body: bytes) -> bytes:
    return _TAIL.pack(zlib.crc32(body, zlib.crc32(head)), END)
