"""What is signed of a pack: `pack.sums`, a list of all its files with their SHA-256.

    pack.sums            one line a file, sorted: hex digest, two spaces, path; `sha256sum -c pack.sums` reads it
    pack.sums.minisig    signature of pack.sums; `minisign -Vm pack.sums -P KEY` reads it

A file that is not listed, listed and absent, or different makes the pack invalid. Names that begin with a dot are no
part of a pack and may lie beside.
"""

from __future__ import annotations

import hashlib

from mxward.core.errors import RulePackError
from mxward.core.rules.files import SAMPLES, PackFiles
from mxward.core.rules.signature import SignatureError, parse_signature, verify
from mxward.core.rules.trust import SIGNATURE, SUMS, TRUSTED, UNKNOWN, Signed, Trust


def sums_of(files: PackFiles) -> bytes:
    """The text of pack.sums for these files."""
    lines = (
        f"{hashlib.sha256(content).hexdigest()}  {path}\n"
        for path, content in files.contents.items() if path not in (SUMS, SIGNATURE)
    )  # fmt: skip
    return "".join(lines).encode()


def check_signature(files: PackFiles, trust: Trust, *, samples: bool = True) -> Signed:
    """As `trust.check_trust`, of files that hold a signature."""
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
