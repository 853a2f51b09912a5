"""Makes an index of YARA rules: which literals and facts lead to which groups of compiled rules, as one block of bytes.

Rules are compiled by libyara in groups of a few that stand next to each other in their source, so that families stay
together; a scan of one group costs about the same whatever it holds, and so does keeping one. Rules that any ordinary
mail would make candidates are gathered in groups of their own. Format and use of the block are index.py.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from mxward.bindings import yara
from mxward.core.rules.yara.facts import LITERALS_FROM, SEARCHED, Leaves, holding
from mxward.core.rules.yara.ordinary import ORDINARY
from mxward.core.rules.yara.partition import Partition, Root, partition, text_of
from mxward.pyx import candidates, literals
from mxward.pyx.candidates import Need
from mxward.pyx.facts import Facts

MAGIC: Final = b"MXYIDX2\n"
ALIGNED: Final = 64  # sections begin at multiples of that many bytes
GROUP: Final = 16  # roots that are compiled together
Externals = Mapping[str, str | int | bool]
Progress = Callable[[int, int], None]  # groups done, groups in all


def build(sources: Mapping[str, str], externals: Externals, progress: Progress | None = None) -> bytes:
    """The block of an index.

    Args: sources: namespace -> text; externals: variables of conditions, with default values; progress: told after
    each group. Cost: about 1 ms a rule.
    Raises: YaraSyntaxError with the first offending namespace and line; YaraFailure.
    """
    whole = yara.compile_rules(sources, externals)
    parts = partition(sources, externals)
    groups = _groups(parts, externals)
    blobs = []
    for number, group in enumerate(groups):
        blobs.append(_compiled(parts, group, sources, externals))
        if progress is not None:
            progress(number + 1, len(groups))
    sections = {"literals": _literals(parts), "needs": candidates.compile([root.need for root in parts.roots])}
    sections |= {"loose": candidates.compile(_loose_needs(parts))}
    sections |= {f"group{number}": blob for number, blob in enumerate(blobs)} | {"whole": whole.dump()}
    texts = {namespace: text.encode("utf-8", "surrogatepass") for namespace, text in sources.items()}
    sections |= {"texts": b"".join(texts.values()), "spans": _spans(parts.roots)}
    places = dict(zip(texts, _places(texts.values()), strict=True))
    return _block(_describe(parts, groups) | {"defaults": dict(externals), "texts": places}, sections)


def _spans(roots: Sequence[Root]) -> bytes:
    """What it takes to compile each root anew: its place as two numbers of four bytes, then all of them as JSON."""
    bodies = [json.dumps([root.spans, root.imports, root.externals]).encode() for root in roots]
    head = b"".join(struct.pack("<II", at + 8 * len(bodies), size) for at, size in _places(bodies))
    return head + b"".join(bodies)


def _places(bodies: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """(offset, size) of each, one behind the other."""
    at = 0
    for body in bodies:
        yield at, len(body)
        at += len(body)


def _compiled(parts: Partition, group: Sequence[int], sources: Mapping[str, str], externals: Externals) -> bytes:
    """A group; b"" when libyara does not take the pieces alone: then the whole set is run in its place."""
    roots = [parts.roots[number] for number in group]
    used = {name: externals[name] for root in roots for name in root.externals}
    try:
        rules = yara.compile_rules(text_of(roots, sources), used)
    except (yara.YaraSyntaxError, yara.YaraFailure):
        return b""
    return rules.dump()


def _groups(parts: Partition, externals: Externals) -> list[list[int]]:
    """Numbers of roots, by group. Costly modules are not imported for rules that do not use them."""
    usual = usual_roots(parts, externals)
    piles: dict[tuple[bool, tuple[str, ...]], list[int]] = {}
    for number, root in enumerate(parts.roots):
        piles.setdefault((number in usual, root.costly), []).append(number)
    return [pile[at : at + GROUP] for pile in piles.values() for at in range(0, len(pile), GROUP)]


def usual_roots(parts: Partition, externals: Externals) -> set[int]:
    """Roots that ordinary mail makes candidates, or that always are."""
    found: set[int] = set()
    chosen = candidates.Candidates([root.need for root in parts.roots])
    compiled = literals.Literals(_literals(parts))
    facts = Facts(parts.leaves.facts)
    assumed = [*masks_of(parts.leaves), *holding(parts.leaves.externals, externals)]
    for text in ORDINARY:
        leaves = [*facts.holding(text), *assumed, *(LITERALS_FROM + number for number in compiled.seen(text))]
        found.update(chosen.select(leaves, len(text)))
    return found


def masks_of(leaves: Leaves) -> list[int]:
    """Leaves that are patterns to be searched."""
    return [number for number, fact in enumerate(leaves.facts) if fact[0] in SEARCHED]


def _literals(parts: Partition) -> bytes:
    flags = [literals.CASELESS if literal.is_caseless else 0 for literal in parts.leaves.literals]
    return literals.compile([literal.text for literal in parts.leaves.literals], flags)


def _describe(parts: Partition, groups: list[list[int]]) -> dict[str, Any]:
    group_of = {root: number for number, group in enumerate(groups) for root in group}
    return {
        "yara": yara.VERSION,
        "facts": [_plain(fact) for fact in parts.leaves.facts],
        "conditions": [list(condition) for condition in parts.leaves.externals],
        "masks": [masks for root in parts.roots if (masks := _masks_in(root.need, parts))],
        "roots": [[root.namespace, root.name, group_of[number]] for number, root in enumerate(parts.roots)],
        "externals": [sorted({name for number in group for name in parts.roots[number].externals}) for group in groups],
    }


def _plain(fact: Any) -> list[Any]:
    """A fact without bytes objects, for JSON."""
    return [part.hex() if isinstance(part, bytes) else part for part in fact]


def _masks_in(need: Need, parts: Partition) -> list[int]:
    masks, found = set(masks_of(parts.leaves)), set()
    left: list[Need] = [need]
    while left:
        one = left.pop()
        if isinstance(one, tuple):
            left += [] if one[0] == "size" else one[-1]  # type: ignore[arg-type]  # the last of all others is a list
        elif one in masks and not isinstance(one, bool):
            found.add(one)
    return sorted(found)


def _loose_needs(parts: Partition) -> list[Need]:
    """The needs that speak of masked patterns, with each of these taken to occur."""
    masks = frozenset(masks_of(parts.leaves))
    return [_loose(root.need, masks) for root in parts.roots if _masks_in(root.need, parts)]


def _loose(need: Need, masks: frozenset[int]) -> Need:
    if isinstance(need, int):
        return True if need in masks and not isinstance(need, bool) else need
    if need[0] == "size":
        return need
    *head, parts = need
    return (*head, [_loose(part, masks) for part in parts])  # type: ignore[union-attr]  # a list, as it is not a size


def _block(about: dict[str, Any], sections: Mapping[str, bytes]) -> bytes:
    """Magic, digest and length of the description, description, sections at multiples of ALIGNED bytes.

    The description holds the digest of each section, so that only what is used is read.
    """
    places, at = {}, 0
    for name, body in sections.items():
        places[name] = [at, len(body), digest_of(body).hex()]
        at += len(body) + -len(body) % ALIGNED
    text = json.dumps(about | {"sections": places}).encode()
    text += b" " * (-(len(MAGIC) + 32 + 8 + len(text)) % ALIGNED)
    return b"".join((MAGIC, digest_of(text), len(text).to_bytes(8, "little"), text, *_padded(sections.values())))


def digest_of(body: bytes | memoryview) -> bytes:
    """The digest that guards a part of the block: 32 bytes."""
    return hashlib.sha256(body).digest()


def _padded(bodies: Iterable[bytes]) -> Iterator[bytes]:
    for body in bodies:
        yield body
        yield bytes(-len(body) % ALIGNED)
