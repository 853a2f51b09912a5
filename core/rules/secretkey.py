"""Secret keys in the format of minisign: made, stored encrypted by a password (scrypt), read again.

The file's second line is base64 of: "Ed", "Sc" or two zero bytes (no password), "B2", salt (32), opslimit (8),
memlimit (8), and 104 bytes that are XORed with scrypt's output: key id (8), seed and public key (64), BLAKE2b-256 of
"Ed", key id and keys (32).

Source: jedisct1.github.io/minisign, "Secret key format"; RFC 7914; libsodium's mapping of its two limits to scrypt's
parameters.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mxward.core.rules.signature import PURE, PublicKey, SignatureError

_COMMENT: Final = "untrusted comment: "
_SCRYPT, _PLAIN, _BLAKE = b"Sc", b"\0\0", b"B2"
_SIZE: Final = 2 + 2 + 2 + 32 + 8 + 8 + 104
# Ours: 2**17 blocks, 128 MiB and half a second, so that a small box can sign. Read: up to minisign's own 1 GiB.
OPSLIMIT, MEMLIMIT = 1 << 22, 1 << 27
MAX_OPSLIMIT, MAX_MEMLIMIT = 1 << 25, 1 << 30
_R: Final = 8


@dataclass(frozen=True, slots=True)
class SecretKey:
    """The seed of an Ed25519 key and the public half that goes with it."""

    seed: bytes
    public: PublicKey


def generate() -> SecretKey:
    """A new key from the system's random source."""
    private = Ed25519PrivateKey.generate()
    return _of_seed(private.private_bytes_raw(), secrets.token_bytes(8))


def _of_seed(seed: bytes, key_id: bytes) -> SecretKey:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SecretKey(seed, PublicKey(key_id, public))


def encode(key: SecretKey, password: str) -> str:
    """The file of a secret key; with an empty password it is not encrypted."""
    keys = key.public.key_id + key.seed + key.public.key
    body = keys + _checksum(keys)
    salt, kind = secrets.token_bytes(32), _SCRYPT if password else _PLAIN
    if password:
        body = _xor(body, _stream(password, salt, OPSLIMIT, MEMLIMIT))
    limits = OPSLIMIT.to_bytes(8, "little") + MEMLIMIT.to_bytes(8, "little")
    words = "minisign encrypted secret key" if password else "minisign secret key without a password"
    return f"{_COMMENT}{words}\n{b64encode(PURE + kind + _BLAKE + salt + limits + body).decode()}\n"


def is_encrypted(text: str) -> bool:
    """Does this secret key need a password? Raises: SignatureError when it is no secret key."""
    return _blob(text)[2:4] == _SCRYPT


def parse_secret_key(text: str, password: str = "") -> SecretKey:
    """Read a secret key. Raises: SignatureError when it is none, damaged, or the password is wrong."""
    blob = _blob(text)
    body = blob[54:]
    if blob[2:4] == _SCRYPT:
        opslimit, memlimit = (int.from_bytes(blob[at : at + 8], "little") for at in (38, 46))
        if opslimit > MAX_OPSLIMIT or memlimit > MAX_MEMLIMIT:
            raise SignatureError("asks for more work than a secret key may")
        body = _xor(body, _stream(password, blob[6:38], opslimit, memlimit))
    keys, checksum = body[:72], body[72:]
    if not hmac.compare_digest(_checksum(keys), checksum):
        raise SignatureError("cannot be opened: the password is wrong, or the file is damaged")
    key = _of_seed(keys[8:40], keys[:8])
    if key.public.key != keys[40:]:
        raise SignatureError("is damaged: its halves do not belong together")
    return key


def _blob(text: str) -> bytes:
    lines = [line for line in text.strip().splitlines() if not line.startswith(_COMMENT)]
    try:
        blob = b64decode(lines[0], validate=True) if len(lines) == 1 else b""
    except (binascii.Error, ValueError):
        blob = b""
    if len(blob) != _SIZE or blob[:2] != PURE or blob[2:4] not in (_SCRYPT, _PLAIN) or blob[4:6] != _BLAKE:
        raise SignatureError("is no minisign secret key")
    return blob


def _checksum(keys: bytes) -> bytes:
    return hashlib.blake2b(PURE + keys, digest_size=32).digest()


def _stream(password: str, salt: bytes, opslimit: int, memlimit: int) -> bytes:
    log_n, p = parameters(opslimit, memlimit)
    n = 1 << log_n
    return hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=_R, p=p, maxmem=128 * _R * (n + p + 2) + 65536, dklen=104
    )


def parameters(opslimit: int, memlimit: int) -> tuple[int, int]:
    """(log2 of N, p) of scrypt with r = 8 that libsodium takes for these limits."""
    opslimit = max(opslimit, 32_768)
    is_short = opslimit < memlimit // 32
    most = opslimit // (_R * 4) if is_short else memlimit // (_R * 128)
    log_n = max(1, (most // 2).bit_length())
    p = 1 if is_short else min((opslimit // 4) >> log_n, 0x3FFFFFFF) // _R
    return log_n, max(p, 1)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
