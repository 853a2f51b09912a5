"""A pack taken apart: each of its rules alone, with what it needs of the others, as a pack of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from mxward.core.rules.pack import Pack, YaraSource
from mxward.core.rules.spamassassin.source import scored_names
from mxward.core.rules.yarasource import RuleSpan, needed_by, rule_spans

_IMPORT: Final = re.compile(r'^[ \t]*import[ \t]+"[a-z0-9_]+"', re.M)
_TEXT_STRING: Final = re.compile(r'\$\w*\s*=\s*"((?:\\.|[^"\\\n])+)"')
_ESCAPE: Final = re.compile(r'\\(x[0-9A-Fa-f]{2}|[nrt"\\])')
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class SingleRule:
    """One rule: its name as hits have it, of what kind, where it stands (line 0: the whole file), and itself alone."""

    name: str
    kind: str  # "yara", "list", "regex", "hashes", "attachment", or "spamassassin" for the rules of a whole .cf file
    file: str
    line: int
    pack: Pack


def single_rules(pack: Pack) -> Iterator[SingleRule]:
    """Every rule of a pack that can give a hit, in the order of its files."""
    bare = replace(pack, yara=(), literals=(), attachments=(), regexes=(), spamassassin=(), hashes=())
    for source in pack.yara:
        yield from _yara_rules(bare, source)
    for literal_list in pack.literals:
        file = literal_list.file.partition("/")[2]
        yield SingleRule(literal_list.name, "list", file, 0, replace(bare, literals=(literal_list,)))
    for regexes in pack.regexes:
        file = regexes.file.partition("/")[2]
        yield SingleRule(regexes.name, "regex", file, 0, replace(bare, regexes=(regexes,)))
    for hashes in pack.hashes:
        file = hashes.file.partition("/")[2]
        yield SingleRule(hashes.name, "hashes", file, 0, replace(bare, hashes=(hashes,)))
    for rule in pack.attachments:
        yield SingleRule(rule.name, "attachment", "attachments.toml", 0, replace(bare, attachments=(rule,)))
    # Meta rules, tags and scores reach over all files: the rules of the others are left out, their lines are read.
    for cf in pack.spamassassin:
        names = frozenset(scored_names([cf]))
        others = frozenset(scored_names(pack.spamassassin)) - names
        alone = replace(bare, spamassassin=pack.spamassassin, left_out=pack.left_out | others)
        if names - pack.left_out:
            yield SingleRule(cf.file, "spamassassin", cf.file, 0, alone)


def rules_named(pack: Pack, names: Collection[str]) -> set[str]:
    """The rules that these names of `single_rules` stand for: a .cf file for all rules in it."""
    files = {source.file: source for source in pack.spamassassin}
    found = {name for name in names if name not in files}
    return found.union(*(scored_names([files[name]]) for name in names if name in files))


def _yara_rules(bare: Pack, source: YaraSource) -> Iterator[SingleRule]:
    spans = rule_spans(source.text)
    imports = "\n".join(dict.fromkeys(match[0] for match in _IMPORT.finditer(source.text)))
    line, at = 1, 0
    for span in spans:
        line += source.text.count("\n", at, span.start)
        at = span.start
        if "private" not in span.modifiers:
            text = f"{imports}\n{_with_needs(source.text, spans, span)}"
            yield SingleRule(span.name, "yara", source.file, line, replace(bare, yara=(YaraSource(source.file, text),)))


def _with_needs(text: str, spans: list[RuleSpan], wanted: RuleSpan) -> str:
    needed = needed_by(spans, wanted.name) | {wanted.name}
    return "\n".join(text[span.start : span.end] for span in spans if span.name in needed)


def searched_strings(pack: Pack, most: int) -> list[bytes]:
    """Some of the strings that its rules look for, spread over the pack, for mails that almost match."""
    found = [_unescaped(match[1]) for source in pack.yara for match in _TEXT_STRING.finditer(source.text)] + [
        phrase.encode() for literal_list in pack.literals for phrase, _ in literal_list.phrases[:most]
    ]
    found = list(dict.fromkeys(text for text in found if len(text) > 3))
    step = max(1, len(found) // most)
    return found[::step][:most]


def _unescaped(text: str) -> bytes:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "x" else _ESCAPED[code]

    return _ESCAPE.sub(one, text).encode("utf-8")
