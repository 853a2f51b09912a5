"""Hash lists in a pack (*.hashes): files that are known, by digest. The search is core/detect/hashlist.py.

    # a comment
    @name KNOWN_BAD_FILES        hit name; default: the file's stem in capitals
    @kind block                  block: a hit; allow: such files are trusted (see below); default block
    @category malware            one of verdict.CATEGORIES; default malware
    @weight 15                   default 15
    @distance 30                 how far a TLSH digest may be from a listed one; 0 to 300, default 30
    @description was seen in an attack
    275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f   a remark
    44d88612fea8a8f36de82e1278abb02f
    T1F722231BB92E7618A46E33D348661A4FE6A4F04432330A4F5D0A37D0E4133ADAF7635E

MD5, SHA-1 and SHA-256 in hexadecimal, and TLSH, mixed as they come; what follows a digest is a remark. The directives
stand before the first digest. An allow list has no category and weight: hits of category `attachment` are not given
for the files on it, nor for what is inside them.
"""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mxward.core.errors import RulePackError
from mxward.core.rules.cachefile import open_cache, write_cache
from mxward.core.rules.directives import default_name, fault
from mxward.pyx import hashlist
from mxward.pyx.hashlist import TLSH_SIZE, HashTable
from mxward.pyx.tlsh import Nearest

BLOCK, ALLOW = "block", "allow"
MAX_DISTANCE: Final = 300  # beyond it everything resembles everything
_DIRECTIVE: Final = re.compile(r"^[ \t]*@(\S*)[ \t]*(.*?)\s*$", re.M)
_DIGEST: Final = re.compile(r"^[ \t]*[0-9A-Fa-fTt]", re.M)
_NAMES: Final = ("name", "kind", "category", "weight", "distance", "description")


@dataclass(frozen=True, slots=True)
class HashList:
    """One list. `digests`: its MD5, SHA-1, SHA-256 and TLSH digests, those of a kind one after another; () once they
    are in a HashIndex."""

    name: str
    kind: str
    category: str
    weight: float
    distance: int
    description: str
    digests: tuple[bytes, ...]
    key: str  # of its digests
    file: str = ""

    @property
    def is_allow(self) -> bool:
        return self.kind == ALLOW


def parse_hashes(text: str, file: str) -> HashList:
    """Read one .hashes file. Raises: RulePackError with file and line."""
    settings = _settings(text, file)
    try:
        digests = hashlist.read(text.encode("utf-8", "replace"))
    except ValueError as error:
        line, quoted = error.args
        reason = f"{quoted!r} is no digest (MD5, SHA-1 or SHA-256 in hexadecimal, or a TLSH digest with T1)"
        raise RulePackError(reason, pack=file, line=line) from None
    if not any(digests):
        raise RulePackError("holds no digest", pack=file)
    is_allow = settings.get("kind", BLOCK) == ALLOW
    return HashList(
        name=settings.get("name", default_name(file)), kind=settings.get("kind", BLOCK),
        category="info" if is_allow else settings.get("category", "malware"),
        weight=0.0 if is_allow else float(settings.get("weight", "15")), distance=int(settings.get("distance", "30")),
        description=settings.get("description", ""), digests=digests, key=_key(digests), file=file,
    )  # fmt: skip


def _settings(text: str, file: str) -> dict[str, str]:
    first = _DIGEST.search(text)
    found: dict[str, str] = {}
    for match in _DIRECTIVE.finditer(text):
        key, value = match[1], match[2]
        line = text.count("\n", 0, match.start()) + 1
        if first and match.start() > first.start():
            raise RulePackError(f"@{key} stands after the first digest", pack=file, line=line)
        if allowed := _fault(key, value):
            raise RulePackError(f"@{key} {value!r} (allowed: {allowed})", pack=file, line=line)
        found[key] = value
    if found.get("kind") == ALLOW and (wrong := {"category", "weight"} & set(found)):
        raise RulePackError(f"an allow list has no @{min(wrong)}", pack=file)
    return found


def _fault(key: str, value: str) -> str:
    if key == "kind":
        return "" if value in (BLOCK, ALLOW) else f"{BLOCK}, {ALLOW}"
    if key == "distance":
        return "" if re.fullmatch(r"\d{1,3}", value) and int(value) <= MAX_DISTANCE else f"0 to {MAX_DISTANCE}"
    return fault(key, value, _NAMES)


def _key(digests: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for one in digests:
        digest.update(len(one).to_bytes(8, "big"))
        digest.update(one)
    return digest.hexdigest()


class HashIndex:
    """All hash lists of all packs, ready to be asked. Immutable; lists are named by their position."""

    def __init__(self, lists: Sequence[tuple[str, HashList]], table: HashTable) -> None:
        self.lists = tuple((label, replace(one, digests=())) for label, one in lists)
        self.table = table
        self.has_md5, self.has_sha1, self.has_sha256 = (count > 0 for count in table.counts)
        near = [one.digests[3] for _, one in lists]
        self.nearest = Nearest(near) if any(near) else None
        self.distance = max((one.distance for _, one in lists if one.digests[3]), default=0)


def index_hashes(lists: Sequence[tuple[str, HashList]], cache: Path | None = None) -> HashIndex | None:
    """The index of these (pack label, list); None when there are none.

    Args: cache: directory where the table is kept and mapped from, so that processes share it. A file that is damaged
    or absent is made anew.
    """
    if not lists:
        return None
    together = hashlib.sha256("\0".join(one.key for _, one in lists).encode()).hexdigest()[:32]
    file = cache / f"hashes-{together}.table" if cache else None
    if file is not None and (table := _load(file)) is not None:
        return HashIndex(lists, table)
    block = hashlist.compile([one.digests[:3] for _, one in lists])
    kept = _load(file) if file is not None and write_cache(file, block) else None
    return HashIndex(lists, kept or HashTable(block))


def _load(file: Path) -> HashTable | None:
    try:
        with open_cache(file) as opened:
            return HashTable(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None


def n_digests(one: HashList) -> int:
    """How many digests a list has that is not in an index yet."""
    sizes = (*hashlist.SIZES, TLSH_SIZE)
    return sum(len(digests) // size for digests, size in zip(one.digests, sizes, strict=True))
