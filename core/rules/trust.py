"""Whose packs count: trusted keys, the duty to sign, and what is known of one pack's signature.

Cryptography is loaded for packs that carry a signature only (sums.py): starting with unsigned packs pays nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mxward.core.errors import RulePackError
from mxward.core.rules.files import PackFiles

if TYPE_CHECKING:
    from mxward.core.rules.signature import PublicKey

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


def check_trust(files: PackFiles, trust: Trust, *, samples: bool = True) -> Signed:
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
    from mxward.core.rules.sums import check_signature

    return check_signature(files, trust, samples=samples)
