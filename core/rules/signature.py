"""Signatures in the format of minisign: public keys, signature files, verification, and signing with Ed25519.

What is made here `minisign -V` accepts and the other way round. A signature file has four lines:

    untrusted comment: anything
    base64("Ed" or "ED", key id, Ed25519 signature)
    trusted comment: covered by the next line
    base64(Ed25519 signature of the first signature followed by the trusted comment)

"ED" signs the BLAKE2b-512 of the content, "Ed" (older) the content itself. Secret keys with their passwords are
secretkey.py; what of a pack is signed is sums.py.

Source: jedisct1.github.io/minisign, "Signature format", "Public key format"; RFC 8032; RFC 7693.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_SIGNATURE_BYTES: Final = 16_384  # a signature file; minisign's own are below 400
MAX_COMMENT: Final = 8192  # bytes of a comment, as minisign's
_UNTRUSTED: Final = b"untrusted comment: "
_TRUSTED: Final = b"trusted comment: "
PURE, HASHED = b"Ed", b"ED"


class SignatureError(Exception):
    """A key or signature is malformed, of another key, or wrong; the text says which."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key and the 8 bytes by which signatures name it."""

    key_id: bytes
    key: bytes
    name: str = ""  # how the trust list calls it

    @property
    def id_text(self) -> str:
        """As minisign prints it: the little-endian number in hex."""
        return f"{int.from_bytes(self.key_id, 'little'):016X}"

    def encode(self) -> str:
        """The one line that `minisign -P` takes."""
        return b64encode(PURE + self.key_id + self.key).decode()

    def file(self) -> str:
        """The content of a public key file."""
        return f"{_UNTRUSTED.decode()}minisign public key {self.id_text}\n{self.encode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature file, taken apart; nothing of it is verified yet."""

    algorithm: bytes
    key_id: bytes
    signature: bytes
    trusted_comment: bytes
    global_signature: bytes

    @property
    def id_text(self) -> str:
        """The id of the key that is said to have made it, as minisign prints it."""
        return PublicKey(self.key_id, b"").id_text


def parse_public_key(text: str, name: str = "") -> PublicKey:
    """A public key from its line in base64 or from its file. Raises: SignatureError."""
    lines = [line for line in text.strip().splitlines() if not line.startswith(_UNTRUSTED.decode())]
    if len(lines) != 1:
        raise SignatureError("is no minisign public key: one line of base64 is expected")
    blob = _decode(lines[0].strip().encode("ascii", "replace"), 42, "is no minisign public key")
    if blob[:2] != PURE:
        raise SignatureError("is a key of another kind than Ed25519")
    return PublicKey(blob[2:10], blob[10:], name)


def parse_signature(content: bytes) -> Signature:
    """Take a signature file apart. Raises: SignatureError when it is malformed or too long."""
    lines = content.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    if len(content) > MAX_SIGNATURE_BYTES or len(lines) != 4:
        raise SignatureError("is no minisign signature: four lines are expected")
    if not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        raise SignatureError("is no minisign signature: a comment is missing")
    blob = _decode(lines[1], 74, "is no minisign signature")
    if blob[:2] not in (PURE, HASHED):
        raise SignatureError("is a signature of another kind than Ed25519")
    comment = lines[2][len(_TRUSTED) :]
    if len(comment) > MAX_COMMENT:
        raise SignatureError("is no minisign signature: its comment is too long")
    return Signature(blob[:2], blob[2:10], blob[10:], comment, _decode(lines[3], 64, "has no valid global signature"))


def _decode(line: bytes, size: int, fault: str) -> bytes:
    try:
        blob = b64decode(line, validate=True)
    except binascii.Error:
        raise SignatureError(fault) from None
    if len(blob) != size:
        raise SignatureError(fault)
    return blob


def verify(content: bytes, signature: Signature, key: PublicKey) -> str:
    """Check content and trusted comment against a key.

    Returns: the trusted comment. Raises: SignatureError when the key is another or either signature is wrong.
    """
    if signature.key_id != key.key_id:
        raise SignatureError(f"was made with key {signature.id_text}, not {key.id_text}")
    try:
        public = Ed25519PublicKey.from_public_bytes(key.key)
        public.verify(signature.signature, _signed(content, signature.algorithm))
    except (InvalidSignature, ValueError):
        raise SignatureError("does not fit the content") from None
    try:
        public.verify(signature.global_signature, signature.signature + signature.trusted_comment)
    except InvalidSignature:
        raise SignatureError("has a trusted comment that was changed") from None
    return signature.trusted_comment.decode("utf-8", "replace")


def sign(content: bytes, seed: bytes, key_id: bytes, trusted_comment: str) -> bytes:
    """A signature file over `content`, prehashed. Args: seed: the 32 bytes of the private key.

    Raises: SignatureError when the comment cannot stand on one line.
    """
    comment = trusted_comment.encode()
    if b"\n" in comment or b"\r" in comment or len(comment) > MAX_COMMENT:
        raise SignatureError("needs a trusted comment of one line")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    signature = private.sign(_signed(content, HASHED))
    head = _UNTRUSTED + b"signature by mxward"
    lines = (
        head, b64encode(HASHED + key_id + signature), _TRUSTED + comment, b64encode(private.sign(signature + comment)),
    )  # fmt: skip
    return b"\n".join(lines) + b"\n"


def _signed(content: bytes, algorithm: bytes) -> bytes:
    return hashlib.blake2b(content).digest() if algorithm == HASHED else content
