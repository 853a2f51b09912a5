"""An index of YARA rules in use: one pass for literals, then libyara for the few groups that can match.

The results are those of libyara over the whole set. The block (build.py) is mapped; live.py loads compiled rules when
they are first wanted. When so many groups are wanted that the whole set is cheaper, it is run instead; so is it when
a piece could not be compiled alone.
"""

from __future__ import annotations

import json
import mmap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mxward.bindings import yara
from mxward.core.rules.yara.build import ALIGNED, MAGIC, digest_of
from mxward.core.rules.yara.facts import LITERALS_FROM, External, holding
from mxward.core.rules.yara.live import Live
from mxward.pyx.candidates import Candidates
from mxward.pyx.facts import Facts
from mxward.pyx.literals import Literals
from mxward.pyx.rulesearch import RuleSearch

MERGE_FROM: Final = 256 << 10  # bytes of text; what compiling takes is less than what going through it twice takes
MAX_MERGED: Final = 16  # rules that are compiled together on the spot
MAX_REMEMBERED: Final = 256  # combinations of externals whose conditions are remembered
# what libyara needs for one call, in microseconds: measured for a small group and for a set of 7,000 rules
_GROUP_CALL, _GROUP_MB, _WHOLE_CALL, _WHOLE_MB = 10, 2_200, 1_500, 12_000


class IndexDamaged(ValueError):
    """The block is not what `build` made, or of another version."""


class YaraIndex:
    """Immutable but for the store of loaded groups; `scan` may be called from several threads at once."""

    def __init__(
        self, block: bytes | mmap.mmap, *, monotonic: Callable[[], float] = time.monotonic, is_trusted: bool = False
    ) -> None:
        """Use a block that `build` made.

        Each part is checked when it is first used; what is found damaged then gives YaraFailure.

        Args: is_trusted: it was made by this process a moment ago, and is not checked.
        Raises: IndexDamaged.
        """
        about, base = _opened(block, is_trusted=is_trusted)
        self._block = memoryview(block)
        self._places: dict[str, tuple[int, int, str]] = {
            name: (base + at, size, digest) for name, (at, size, digest) in about["sections"].items()
        }
        self._checked: set[str] = set(self._places) if is_trusted else set()
        try:
            self._search = self._searching(about)
        except (yara.YaraFailure, ValueError) as error:
            raise IndexDamaged(str(error)) from None
        self._conditions = [_condition(condition) for condition in about["conditions"]]
        self._defaults: dict[str, str | int | bool] = about["defaults"]
        self._holding: dict[tuple[str | int | bool | None, ...], list[int]] = {}
        self._roots: list[tuple[str, str]] = [(root[0], root[1]) for root in about["roots"]]
        self._group_of: list[int] = [root[2] for root in about["roots"]]
        self._live = Live(self._section, about)
        self._order = {root: number for number, root in enumerate(self._roots)}
        self._monotonic = monotonic

    def _searching(self, about: Mapping[str, Any]) -> RuleSearch:
        return RuleSearch(
            Literals(self._section("literals")),
            Facts(_fact(fact) for fact in about["facts"]),
            Candidates(self._section("needs")),
            Candidates(self._section("loose")),
            about["masks"],
            LITERALS_FROM,
        )

    def _section(self, name: str) -> memoryview:
        """A part of the block. Raises: YaraFailure when it is not what was written, on its first use."""
        at, size, digest = self._places[name]
        body = self._block[at : at + size]
        if name not in self._checked:
            if digest_of(body).hex() != digest:
                raise yara.YaraFailure("the index of yara rules is damaged")
            self._checked.add(name)
        return body

    def names(self) -> list[str]:
        """Identifiers of the public yara rules, in source order; of a source that is not understood, none."""
        return [name for _, name in self._roots if name]

    def candidates(self, data: bytes | memoryview, externals: Mapping[str, str | int | bool]) -> list[tuple[str, str]]:
        """(namespace, name) of the rules that could match; an empty name is a whole namespace."""
        return [self._roots[number] for number in self._select(data, externals)]

    def _select(self, data: bytes | memoryview, externals: Mapping[str, str | int | bool]) -> list[int]:
        """Numbers of roots whose needs hold."""
        return self._search.select(data, self._conditions_holding(externals))

    def _conditions_holding(self, externals: Mapping[str, str | int | bool]) -> list[int]:
        if not self._conditions:
            return []
        key = tuple(map(externals.get, self._defaults))
        found = self._holding.get(key)
        if found is None:
            found = holding(self._conditions, {**self._defaults, **externals})
            if len(self._holding) >= MAX_REMEMBERED:
                self._holding.clear()
            self._holding[key] = found
        return found

    def scan(
        self, data: bytes | memoryview, externals: Mapping[str, str | int | bool], timeout_s: int
    ) -> list[yara.Finding]:
        """Yara rules that match `data`, in source order: what libyara finds with the whole set.

        Args: externals: values for variables given to `build`; timeout_s: whole seconds, for all that is run.
        Raises: YaraTimeout, YaraFailure.
        """
        chosen = self._select(data, externals)
        if not chosen:
            return []
        if len(data) >= MERGE_FROM and len(chosen) <= MAX_MERGED:
            merged = self._live.merged(chosen)
            if merged is not None:
                return self._of(merged[0].scan(data, _used(externals, merged[1]), timeout_s), set(chosen))
        groups = sorted({self._group_of[number] for number in chosen})
        if self._is_flood(len(groups), len(data)):
            return self._live.whole().scan(data, externals, timeout_s)
        return self._run(groups, data, externals, timeout_s)

    def _run(
        self, groups: Sequence[int], data: bytes | memoryview, externals: Mapping[str, str | int | bool],
        timeout_s: int,
    ) -> list[yara.Finding]:  # fmt: skip
        end = self._monotonic() + timeout_s
        findings: list[yara.Finding] = []
        for group in groups:
            rules = self._live.group(group)
            if rules is None:
                return self._live.whole().scan(data, externals, timeout_s)
            left = end - self._monotonic()
            if left <= 0:
                raise yara.YaraTimeout("scanning timed out")
            found = rules.scan(data, _used(externals, self._live.externals(group)), max(1, round(left)))
            # rules that others refer to, and global ones, match in more than one group: each reports its own
            findings += (one for one in found if self._group_of[self._place(one)] == group)
        if len(groups) > 1:
            findings.sort(key=self._place)
        return findings

    def _of(self, findings: Sequence[yara.Finding], roots: set[int]) -> list[yara.Finding]:
        """Those of these roots: what they refer to has matched, too, and is a root of its own when it is to be told."""
        return sorted((one for one in findings if self._place(one) in roots), key=self._place)

    def _place(self, finding: yara.Finding) -> int:
        place = self._order.get((finding.namespace, finding.name))
        return self._order[finding.namespace, ""] if place is None else place

    def _is_flood(self, n_groups: int, size: int) -> bool:
        """Would the whole set cost less than these groups one by one?"""
        mb = size / (1 << 20)
        return n_groups * (_GROUP_CALL + _GROUP_MB * mb) > _WHOLE_CALL + _WHOLE_MB * mb


def _used(externals: Mapping[str, str | int | bool], names: Sequence[str]) -> dict[str, str | int | bool]:
    """libyara takes values only for variables that the rules at hand have."""
    return {name: externals[name] for name in names if name in externals}


def _fact(fact: list[Any]) -> Any:
    """A fact as pyx/facts takes it, from its form in JSON."""
    if fact[0] == "compute":
        return "compute", tuple((name, value) for name, value in fact[1])
    return (fact[0], *(bytes.fromhex(part) if isinstance(part, str) else part for part in fact[1:]))


def _condition(condition: list[Any]) -> External:
    name, op, value, is_caseless = condition
    return External(name, op, tuple(map(tuple, value)) if op == "holds" else value, is_caseless)


def _opened(block: bytes | mmap.mmap, *, is_trusted: bool) -> tuple[dict[str, Any], int]:
    """The description, and where the sections begin. Raises: IndexDamaged."""
    view = memoryview(block)
    start = len(MAGIC) + 32
    size = int.from_bytes(view[start : start + 8], "little")
    text = bytes(view[start + 8 : start + 8 + size])
    if bytes(view[: len(MAGIC)]) != MAGIC or len(text) != size:
        raise IndexDamaged("no index of yara rules")
    if not is_trusted and digest_of(text) != view[len(MAGIC) : start]:
        raise IndexDamaged("the index of yara rules is damaged")
    about: dict[str, Any] = json.loads(text)
    base = start + 8 + size
    end = base + max(at + size + -size % ALIGNED for at, size, _ in about["sections"].values())
    if about["yara"] != yara.VERSION or len(view) != end:
        raise IndexDamaged("the index of yara rules is of another version, or cut off")
    return about, base
