"""What is wrong or doubtful in a pack, all at once: `mxward rules lint`.

error      the pack would be refused
warning    it does not do what its author wants, or is slow
note       something is missing that helps those who work with it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.bindings import yara
from mxward.core.errors import RulePackError
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.container import read_source
from mxward.core.rules.files import PackFiles
from mxward.core.rules.hashlist import HashList
from mxward.core.rules.literals import LiteralList
from mxward.core.rules.pack import Pack, YaraSource, parse_pack
from mxward.core.rules.regexlist import RegexList, unfiltered
from mxward.core.rules.sample import KINDS, samples_of
from mxward.core.rules.slow import slow_regex, slow_yara
from mxward.core.rules.spamassassin.source import scored_names
from mxward.core.rules.yara.report import unfilterable
from mxward.core.rules.yarasource import RuleSpan, rule_spans
from mxward.core.verdict import CATEGORIES

SEVERITIES: Final = ("error", "warning", "note")
MAX_REPORTED: Final = 200  # problems of SpamAssassin rules; public sets have lines for plug-ins by the dozen
_META: Final = re.compile(r'^\s*(category|weight|views)\s*=\s*"?([^"\n]*?)"?\s*$', re.M)
_COMMENT: Final = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.S | re.M)
_HEAD: Final = re.compile(r"\b(?:strings|condition)\s*:")


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `severity` is one of SEVERITIES; line 0 is the whole file."""

    file: str
    line: int
    severity: str
    text: str


def lint_pack(path: Path, others: Sequence[Pack] = ()) -> list[Problem]:
    """Problems of a pack, directory or container, worst first. Never raises on a pack's content.

    Args: others: packs that it would live beside.
    """
    try:
        files = read_source(path)
        pack = parse_pack(files, path)
    except RulePackError as error:
        text = f"{error.rule}: {error.reason}" if error.rule else error.reason
        return [Problem(error.pack, error.line, "error", text)]
    found = [problem for source in pack.yara for problem in _lint_yara(pack, source)]
    for check in (
        _lint_manifest(pack), _lint_regexes(pack), _lint_spamassassin(pack), _doubles(pack),
        _names_elsewhere(pack, others), _lint_samples(pack, files),
    ):  # fmt: skip
        found += check
    return sorted(found, key=lambda p: (SEVERITIES.index(p.severity), p.file, p.line))


def _lint_manifest(pack: Pack) -> Iterator[Problem]:
    if not pack.rule_names():
        yield Problem(pack.name, 0, "error", "holds no rules")
    for key in ("description", "author"):
        if not getattr(pack, key):
            yield Problem(f"{pack.name}/pack.toml", 0, "warning", f"has no {key}")
    lists: tuple[LiteralList | RegexList | HashList, ...] = (*pack.literals, *pack.regexes, *pack.hashes)
    for one in lists:
        if not one.description:
            yield Problem(one.file, 0, "note", f"{one.name} has no @description")
    for rule in pack.attachments:
        if not rule.description:
            yield Problem(f"{pack.name}/attachments.toml", 0, "note", f"{rule.name} has no description")


def _lint_yara(pack: Pack, source: YaraSource) -> list[Problem]:
    file = f"{pack.name}/{source.file}"
    try:
        yara.compile_rules({source.file: source.text}, EXTERNALS)
    except yara.YaraSyntaxError as error:
        return [Problem(file, error.line, "error", error.reason)]
    except yara.YaraFailure as error:
        return [Problem(file, 0, "error", str(error))]
    text = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), source.text)
    found = []
    for match in _META.finditer(text):
        fault = _meta_fault(match[1], match[2].strip())
        if fault:
            found.append(Problem(file, _line(text, match.start(1)), "error", fault))
    found += [Problem(file, line, "warning", reason) for line, reason in slow_yara(source.text)]
    for rule in unfilterable({source.file: source.text}, EXTERNALS):
        text = f"{rule.name or 'the file'} is tried on every message, whatever is in it ({rule.reason})"
        found.append(Problem(file, rule.line, "warning", text))
    for span in rule_spans(source.text):
        found += _lint_rule(pack, file, source.text, span)
    return found


def _lint_regexes(pack: Pack) -> Iterator[Problem]:
    for one in pack.regexes:
        for expression in one.expressions:
            reason = slow_regex(expression.regex.pattern.decode("utf-8", "replace"))
            if reason:
                yield Problem(one.file, expression.line, "warning", reason)
        for line, reason in unfiltered(one):
            yield Problem(one.file, line, "warning", reason)


def _lint_spamassassin(pack: Pack) -> Iterator[Problem]:
    if not pack.spamassassin:
        return
    from mxward.core.rules.spamassassin.load import load_engine  # few packs have such rules

    report = load_engine(pack.spamassassin, pack.spamassassin_options)[1]
    for found in report.problems[:MAX_REPORTED]:
        severity = "warning" if found.severity == "error" else "note"  # a line without effect refuses no pack
        text = f"{found.rule}: {found.text}" if found.rule else found.text
        yield Problem(f"{pack.name}/{found.file}", found.line, severity, text)


def _lint_rule(pack: Pack, file: str, text: str, span: RuleSpan) -> Iterator[Problem]:
    """What a rule does not say about itself, as far as its pack does not say it for all."""
    if "private" in span.modifiers:
        return
    body = text[span.start : span.end]
    head = _HEAD.split(body, maxsplit=1)[0]
    line = _line(text, span.start)
    defaults = {"category": bool(pack.default_category), "weight": pack.default_weight is not None, "author": True}
    if not pack.author:
        defaults["author"] = False
    for key, is_given in (("description", False), *defaults.items()):
        if not is_given and not re.search(rf"\b{key}\s*=", head):
            yield Problem(file, line, "warning" if key == "description" else "note", f"{span.name} has no {key}")


def _meta_fault(key: str, value: str) -> str:
    if key == "category" and value not in CATEGORIES:
        return f"category {value!r} (allowed: {', '.join(CATEGORIES)})"
    if key == "weight" and not re.fullmatch(r"-?\d{1,3}(\.\d{1,3})?", value):
        return f"weight {value!r} is no number from -100 to 100"
    if key == "views" and not set(value.split()) <= {"raw", "part", "text"}:
        return f"views {value!r} (allowed: raw part text)"
    return ""


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _named(pack: Pack) -> Iterator[tuple[str, str, int]]:
    """(name, file, line) of every rule."""
    for source in pack.yara:
        for span in rule_spans(source.text):
            yield span.name, f"{pack.name}/{source.file}", _line(source.text, span.start)
    lists: tuple[LiteralList | RegexList | HashList, ...] = (*pack.literals, *pack.regexes, *pack.hashes)
    for one in lists:
        yield one.name, one.file, 0
    for name in scored_names(pack.spamassassin):
        yield name, f"{pack.name} (SpamAssassin rules)", 0
    for rule in pack.attachments:
        yield rule.name, f"{pack.name}/attachments.toml", 0


def _doubles(pack: Pack) -> Iterator[Problem]:
    """Names that two rules of the pack share: hits could not be told apart."""
    seen: dict[str, str] = {}
    for name, file, line in _named(pack):
        if name in seen:
            yield Problem(file, line, "warning", f"the name {name} is used in {seen[name]} too")
        seen.setdefault(name, file)


def _names_elsewhere(pack: Pack, others: Iterable[Pack]) -> Iterator[Problem]:
    """Names that rules of other packs have: both give hits, and a policy that names one means both."""
    taken = {name: other.label for other in others if other.name != pack.name for name in other.rule_names()}
    for name, file, line in _named(pack):
        if name in taken:
            yield Problem(file, line, "warning", f"the name {name} is used in the pack {taken[name]} too")


def _lint_samples(pack: Pack, files: PackFiles) -> Iterator[Problem]:
    where = f"{pack.name}/tests"
    if not any(samples_of(files, kind) for kind in KINDS):
        yield Problem(where, 0, "warning", "no samples: add tests/must-match and tests/must-not-match")
        return
    if not samples_of(files, "must-not-match"):
        yield Problem(where, 0, "note", "no must-not-match sample: say what is harmless too")
    tried = {path.rpartition("/")[2].partition(".")[0].partition("--")[0] for path in samples_of(files, "must-match")}
    without = sorted(set(pack.rule_names(private=False)) - tried)
    if without:
        more = f" and {len(without) - 5} more" if len(without) > 5 else ""
        yield Problem(where, 0, "note", f"no must-match sample is named after {', '.join(without[:5])}{more}")
