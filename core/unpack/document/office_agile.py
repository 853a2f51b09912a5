"""Passwords of the agile encryption of Office, verified before anything is decrypted.

The library's own check compares a padded hash with a bare one, so that it refuses every password where SHA-1 is used.
Source: [MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.13.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MAX_SPIN: Final = 1_000_000  # Office writes 100,000; each million takes half a second a try
_KEY: Final = re.compile(rb"<(?:\w{1,20}:)?encryptedKey\s([^<>]{1,4000})>")
_WORD: Final = re.compile(rb"(\w{1,40})\s?=\s?\"([^\"]{0,600})\"")
_HASHES: Final = {
    "SHA1": "sha1",
    "SHA-1": "sha1",
    "SHA256": "sha256",
    "SHA384": "sha384",
    "SHA512": "sha512",
    "MD5": "md5",
}
_INPUT, _VALUE, _SECRET = (
    bytes.fromhex("fea7d2763b4b9e79"), bytes.fromhex("d7aa0f6d3061344e"), bytes.fromhex("146e0be7abacd0d6"),
)  # fmt: skip


class Agile:
    """What EncryptionInfo says of its password. Raises: ValueError for what is no agile encryption, or one too slow."""

    def __init__(self, info: bytes) -> None:
        tag = _KEY.search(info)
        if info[:4] != b"\4\0\4\0" or tag is None:
            raise ValueError("no agile encryption")
        said = {name.decode(): value.decode("ascii", "replace") for name, value in _WORD.findall(tag[1])}
        try:
            self._spin = int(said["spinCount"])
            self._n_key = int(said["keyBits"]) // 8
            self._hash = _HASHES[said["hashAlgorithm"].upper()]
            self._salt, self._input, self._value, self._key = (
                base64.b64decode(said[name])
                for name in (
                    "saltValue",
                    "encryptedVerifierHashInput",
                    "encryptedVerifierHashValue",
                    "encryptedKeyValue",
                )
            )
        except (KeyError, binascii.Error) as error:
            raise ValueError("an agile encryption of an unknown kind") from error
        if said.get("cipherAlgorithm") != "AES" or said.get("cipherChaining") != "ChainingModeCBC":
            raise ValueError("an agile encryption of an unknown cipher")
        if not 0 <= self._spin <= MAX_SPIN or self._n_key not in (16, 24, 32) or len(self._salt) < 16:
            raise ValueError("an agile encryption that takes too long")

    def key(self, password: str) -> bytes | None:
        """The key of the content when the password is right, else None."""
        make = getattr(hashlib, self._hash)
        digest = make(self._salt + password[:255].encode("utf-16-le", "replace")).digest()
        for number in range(self._spin):
            digest = make(struct.pack("<I", number) + digest).digest()
        plain = self._decrypted(self._input, make(digest + _INPUT).digest())
        expected = self._decrypted(self._value, make(digest + _VALUE).digest())
        actual = make(plain).digest()
        if expected[: len(actual)] != actual:
            return None
        return self._decrypted(self._key, make(digest + _SECRET).digest())[: self._n_key]

    def _decrypted(self, data: bytes, key: bytes) -> bytes:
        key = (key + b"\x36" * self._n_key)[: self._n_key]
        whole = len(data) // 16 * 16
        decryptor = Cipher(algorithms.AES(key), modes.CBC(self._salt[:16])).decryptor()
        return decryptor.update(data[:whole]) + decryptor.finalize()
