"""Cuts sources into rules that libyara can compile alone: each with the rules that it refers to and its globals.

A namespace whose text is not understood stays one piece. Nothing is compiled here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mxward.core.rules.yara.facts import External, Leaves
from mxward.core.rules.yara.lean import Pruner, folded
from mxward.core.rules.yara.need import need_of
from mxward.core.rules.yara.parser import parse
from mxward.core.rules.yara.text import required
from mxward.core.rules.yara.tree import NotUnderstood, Rule, Source
from mxward.pyx.candidates import Need

MAX_CLOSURE: Final = 2000  # rules that one rule may bring along; a namespace with more stays one piece
VIEW: Final = "view"  # the variable that says what is scanned
VIEWS: Final = frozenset(("raw", "part", "text"))
COSTLY: Final = frozenset(
    ("pe", "elf", "dotnet", "macho", "dex", "magic", "cuckoo")
)  # parse the whole file when imported


@dataclass(slots=True)
class Root:
    """A rule whose match is reported, with all that it needs to be compiled.

    `name` is "" when it stands for a whole namespace that is not understood. `spans` are of the namespace's text.
    """

    namespace: str
    name: str
    spans: tuple[tuple[int, int], ...]
    imports: tuple[str, ...]
    externals: tuple[str, ...]
    need: Need
    line: int = 0
    reasons: tuple[str, ...] = ()  # why nothing is known of its strings or condition

    @property
    def costly(self) -> tuple[str, ...]:
        """Its modules that parse the whole file whenever they are imported."""
        return tuple(sorted(COSTLY.intersection(self.imports)))


@dataclass(slots=True)
class Partition:
    """All roots, in the order in which libyara reports rules, and the leaves of their needs."""

    roots: list[Root] = field(default_factory=list)
    leaves: Leaves = field(default_factory=Leaves)


def partition(sources: Mapping[str, str], externals: Iterable[str]) -> Partition:
    """Roots of all sources. Never raises on content."""
    done = Partition()
    known = frozenset(externals)
    for namespace, text in sources.items():
        done.roots += roots_of(namespace, text, known, done.leaves)
    pruner = Pruner(done.leaves)
    needs = done.leaves.compact(folded(pruner.prune(root.need)) for root in done.roots)
    for root, need in zip(done.roots, needs, strict=True):
        root.need = need
    return done


def roots_of(namespace: str, text: str, externals: frozenset[str], leaves: Leaves) -> list[Root]:
    """Roots of one namespace, in order."""
    try:
        source = parse(namespace, text)
        closures = _closures(source)
    except NotUnderstood as error:
        return [Root(namespace, "", ((0, len(text)),), tuple(sorted(COSTLY)), tuple(externals), True, 1, (str(error),))]
    needs: dict[str, Need] = {}
    for rule in source.rules:
        needs[rule.name] = need_of(rule, source.imports, externals, leaves, needs)
    everywhere: list[Need] = [needs[rule.name] for rule in source.rules if rule.is_global]
    return [
        _root(
            source, rule, closures[number], externals,
            ("all", [needs[rule.name], *everywhere, _in_view(rule, externals, leaves)]),
        )
        for number, rule in enumerate(source.rules)
        if not rule.is_private
    ]  # fmt: skip


def _in_view(rule: Rule, externals: frozenset[str], leaves: Leaves) -> Need:
    """A rule whose metadata tell where its match counts is not run elsewhere."""
    if not rule.views or VIEW not in externals or not set(rule.views.split()) <= VIEWS:
        return True
    return ("any", [leaves.external(External(VIEW, "==", view)) for view in sorted(set(rule.views.split()))])


def _root(source: Source, rule: Rule, closure: Sequence[int], externals: frozenset[str], need: Need) -> Root:
    together = [source.rules[number] for number in closure]
    words = frozenset().union(*(one.words for one in together))
    return Root(
        source.namespace, rule.name, tuple((one.start, one.end) for one in together),
        tuple(name for name in source.imports if name in words), tuple(sorted(externals & words)), need, rule.line,
        _reasons(rule),
    )  # fmt: skip


def _reasons(rule: Rule) -> tuple[str, ...]:
    if rule.reason:
        return (rule.reason,)
    weak = ((string.name, required(string).reason) for string in rule.strings)
    return tuple(f"{name}: {reason}" for name, reason in weak if reason)


def _closures(source: Source) -> list[list[int]]:
    """Of each rule: itself, the globals and all that these refer to, in order."""
    numbers: dict[str, int] = {}
    globals_: list[int] = []
    refers: list[set[int]] = []
    closures: list[list[int]] = []
    for number, rule in enumerate(source.rules):
        if rule.name in numbers:
            raise NotUnderstood("two rules have one name")
        own = {numbers[word] for word in rule.words if word in numbers}
        for prefix in rule.rule_sets:
            own.update(n for name, n in numbers.items() if name.startswith(prefix))
        refers.append(own)
        numbers[rule.name] = number
        if rule.is_global:
            globals_.append(number)
    for number in range(len(source.rules)):
        found, left = {number, *globals_}, [number, *globals_]
        while left:
            new = refers[left.pop()] - found
            found |= new
            left += new
        if len(found) > MAX_CLOSURE:
            raise NotUnderstood("a rule refers to too many others")
        closures.append(sorted(found))
    return closures


def text_of(roots: Iterable[Root], sources: Mapping[str, str]) -> dict[str, str]:
    """Namespace -> text of these roots and of all that they refer to, in the order of the source."""
    spans: dict[str, set[tuple[int, int]]] = {}
    imports: dict[str, dict[str, None]] = {}
    for root in roots:
        spans.setdefault(root.namespace, set()).update(root.spans)
        imports.setdefault(root.namespace, {}).update(dict.fromkeys(root.imports if root.name else ()))
    return {
        namespace: "".join(f'import "{name}"\n' for name in imports[namespace])
        + "\n".join(sources[namespace][start:end] for start, end in sorted(wanted))
        for namespace, wanted in spans.items()
    }
