"""Hash lists of all packs over every part: known files by digest, near duplicates by TLSH.

Runs before the detectors that look at attachments, as it says which parts are trusted. Digests are made of what a list
asks for only: without lists nothing is hashed. How lists are written is told in core/rules/hashlist.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from mxward.core.limits import MAX_EVIDENCE, MAX_TLSH_BYTES
from mxward.core.message import Message, Part
from mxward.core.rules.hashlist import HashIndex, HashList
from mxward.core.verdict import Evidence, Hit
from mxward.pyx import tlsh

ALLOWED: Final = (
    "allowed_parts"  # view: frozenset of indexes of parts that hits of category attachment are not given for
)


class HashListDetector:
    """Asks the hash lists. Immutable."""

    name = "hashlist"

    def __init__(self, hashes: HashIndex) -> None:
        self._hashes = hashes
        self.packs = tuple(dict.fromkeys(label for label, _ in hashes.lists))

    def detect(self, message: Message) -> Iterable[Hit]:
        """One hit a list. Also takes back what extraction found in trusted parts, and notes these for others."""
        found: dict[int, list[tuple[Part, int]]] = {}
        for part in message.parts:
            if message.is_late():
                break  # the pipeline says so of the detectors that follow
            if part.data:
                for number, distance in self._lists(part):
                    found.setdefault(number, []).append((part, distance))
        trusted = {p.index for n, seen in found.items() if self._hashes.lists[n][1].is_allow for p, _ in seen}
        if trusted:
            _trust(message, trusted)
        return [self._hit(number, seen) for number, seen in sorted(found.items())]

    def _lists(self, part: Part) -> Iterator[tuple[int, int]]:
        """(list, distance) of the lists that name a part; distance 0: exactly."""
        hashes, exact = self._hashes, set[int]()
        if hashes.has_sha256:
            exact.update(hashes.table.find(bytes.fromhex(part.sha256)))
        if hashes.has_sha1:
            exact.update(hashes.table.find(hashlib.sha1(part.data, usedforsecurity=False).digest()))
        if hashes.has_md5:
            exact.update(hashes.table.find(hashlib.md5(part.data, usedforsecurity=False).digest()))
        yield from ((number, 0) for number in exact)
        if hashes.nearest is None or not tlsh.LEAST <= len(part.data) <= MAX_TLSH_BYTES:
            return
        digest = tlsh.digest(part.data)
        for number, distance in hashes.nearest.find(digest, hashes.distance) if digest else ():
            one = hashes.lists[number][1]
            if number not in exact and distance <= one.distance and not one.is_allow:  # alike is no reason to trust
                yield number, distance

    def _hit(self, number: int, seen: list[tuple[Part, int]]) -> Hit:
        label, one = self._hashes.lists[number]
        evidence = tuple(Evidence(part.index, "decoded", 0, len(part.data)) for part, _ in seen[:MAX_EVIDENCE])
        detail = _detail(one, min(distance for _, distance in seen))
        return Hit(one.name, one.category, one.weight, self.name, label, detail, evidence)


def _detail(one: HashList, distance: int) -> str:
    if one.is_allow:
        return one.description or f"holds a file of the list {one.name}, which are trusted"
    about = one.description or f"holds a file of the list {one.name}"
    return f"{about} (nearly the same, distance {distance})" if distance else about


def _trust(message: Message, trusted: set[int]) -> None:
    """Note trusted parts with all that is inside of them, and drop what extraction found there."""
    for part in message.parts:  # a parent stands before what is inside it
        if part.parent in trusted:
            trusted.add(part.index)
    message.views[ALLOWED] = frozenset(trusted)
    message.hits[:] = [hit for hit in message.hits if not is_relieved(hit, trusted)]


def is_relieved(hit: Hit, trusted: Collection[int]) -> bool:
    """Is this hit not given, being of category attachment and about trusted parts alone?"""
    if hit.category != "attachment" or not trusted:
        return False
    return bool(hit.evidence) and all(e.part in trusted and e.view != "raw" for e in hit.evidence)
