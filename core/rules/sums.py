"""What is signed of a pack: `pack.sums`, a list of all its files with their SHA-256, and who may sign.

    pack.sums            one line a file, sorted: hex digest, two spaces, path; `sha256sum -c pack.sums` reads it
    pack.sums.minisig    signature of pack.sums; `minisign -Vm pack.sums -P KEY` reads it

A file that is not listed, listed and absent, or different makes the pack invalid. Names that begin with a dot are no
part of a pack and may lie beside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mxward.core.errors import RulePackError
from mxward.core.rules.files import SAMPLES, PackFiles
from mxward.core.rules.signature import PublicKey, SignatureError, parse_signature, verify

SUMS: Final = "pack.sums"
SIGNATURE: Final = "pack.sums.minisig"
UNSIGNED, UNKNOWN, TRUSTED = "unsigned", "unknown key", "trusted"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count, and whether a pack without one of them is refused."""

    keys: Mapping[bytes, PublicKey] = field(default_factory=dict)  # by key id
    required: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of a pack's signature: a state, and of which key it is said to be."""

    state: str  # UNSIGNED, UNKNOWN or TRUSTED
    key_id: str = ""
    signer: str = ""  # the trusted key's name
    comment: str = ""  # the trusted comment


def sums_of(files: PackFiles) -> bytes:
    """The text of pack.sums for these files."""
    lines = (
        f"{hashlib.sha256(content).hexdigest()}  {path}\n"
        for path, content in files.contents.items() if path not in (SUMS, SIGNATURE)
    )  # fmt: skip
    return "".join(lines).encode()


def check_signature(files: PackFiles, trust: Trust, *, samples: bool = True) -> Signed:
    """Whose the files are.

    Args: samples: False when `files` were read without samples, which then are not compared.
    Returns: the state, which is UNKNOWN for a signature by a key that is not trusted.
    Raises: RulePackError when the signature is wrong or the files are not what was signed; when one is required and
    there is none by a trusted key.
    """
    if SIGNATURE not in files.contents:
        if trust.required:
            raise RulePackError("is not signed, and rules.require_signature asks for it", pack=files.name)
        return Signed(UNSIGNED)
    try:
        signature = parse_signature(files.contents[SIGNATURE])
        key = trust.keys.get(signature.key_id)
        if key is None:
            return _unknown(files, trust, signature.id_text)
        comment = verify(files.contents.get(SUMS, b""), signature, key)
    except SignatureError as error:
        raise RulePackError(f"the signature {error}", pack=f"{files.name}/{SIGNATURE}") from None
    _compare(files, samples=samples)
    return Signed(TRUSTED, key.id_text, key.name, comment)


def _unknown(files: PackFiles, trust: Trust, key_id: str) -> Signed:
    if trust.required:
        raise RulePackError(f"is signed by the key {key_id}, which is not trusted", pack=files.name)
    return Signed(UNKNOWN, key_id)


def _compare(files: PackFiles, *, samples: bool) -> None:
    """Raises: RulePackError naming the first file that is not as it was signed."""
    listed: dict[str, str] = {}
    for line in files.contents.get(SUMS, b"").decode("utf-8", "surrogateescape").splitlines():
        digest, _, path = line.partition("  ")
        if samples or not path.startswith(SAMPLES):
            listed[path] = digest
    for line in sums_of(files).decode("utf-8", "surrogateescape").splitlines():
        digest, _, path = line.partition("  ")
        if listed.pop(path, "") != digest:
            raise RulePackError("is not what was signed", pack=f"{files.name}/{path}")
    if listed:
        raise RulePackError("was signed and is missing", pack=f"{files.name}/{min(listed)}")
