"""What is wrong or doubtful in a pack, all at once: `mxward rules lint`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.bindings import yara
from mxward.core.errors import RulePackError
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.pack import Pack, YaraSource, load_pack
from mxward.core.verdict import CATEGORIES

_RULE: Final = re.compile(r"^\s*(?:(?:private|global)\s+)*rule\s+(\w+)", re.M)
_META: Final = re.compile(r'^\s*(category|weight|views)\s*=\s*"?([^"\n]*?)"?\s*$', re.M)
_COMMENT: Final = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.S | re.M)
_COSTLY: Final = re.compile(r"^\s*\$\w*\s*=\s*/(?:\.\*|\.\+|\[\^?[^\]]{1,20}\][*+])", re.M)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `severity` is "error" (the pack is refused) or "warning"; line 0 is the whole file."""

    file: str
    line: int
    severity: str
    text: str


def lint_pack(path: Path) -> list[Problem]:
    """Problems of a pack directory, errors first. Never raises on a pack's content."""
    try:
        pack = load_pack(path)
    except RulePackError as error:
        return [
            Problem(error.pack, error.line, "error", f"{error.rule}: {error.reason}" if error.rule else error.reason)
        ]
    found = [problem for source in pack.yara for problem in _lint_yara(pack, source)]
    if not (pack.yara or pack.literals or pack.attachments):
        found.append(Problem(pack.name, 0, "error", "holds no rules"))
    found += _doubles(pack)
    if not any((path / "tests" / kind).is_dir() for kind in ("must-match", "must-not-match")):
        found.append(
            Problem(f"{pack.name}/tests", 0, "warning", "no samples: add tests/must-match and tests/must-not-match")
        )
    return sorted(found, key=lambda p: (p.severity != "error", p.file, p.line))


def _lint_yara(pack: Pack, source: YaraSource) -> list[Problem]:
    file = f"{pack.name}/{source.file}"
    try:
        yara.compile_rules({source.file: source.text}, EXTERNALS)
    except yara.YaraSyntaxError as error:
        return [Problem(file, error.line, "error", error.reason)]
    except yara.YaraFailure as error:
        return [Problem(file, 0, "error", str(error))]
    text = _COMMENT.sub(lambda m: "\n" * m[0].count("\n"), source.text)
    found = []
    for match in _META.finditer(text):
        fault = _meta_fault(match[1], match[2].strip())
        if fault:
            found.append(Problem(file, _line(text, match.start(1)), "error", fault))
    for match in _COSTLY.finditer(text):
        found.append(Problem(file, _line(text, match.start()), "warning", "begins with a repetition, which is slow"))
    for rule in _RULE.finditer(text):
        body = text[rule.start() : text.find("condition", rule.start())]
        if "description" not in body:
            found.append(Problem(file, _line(text, rule.start(1)), "warning", f"{rule[1]} has no description"))
    return found


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


def _doubles(pack: Pack) -> list[Problem]:
    """Names that two rules of the pack share: hits could not be told apart."""
    seen: dict[str, str] = {}
    found = []
    named = [
        (m[1], f"{pack.name}/{s.file}", _line(s.text, m.start(1))) for s in pack.yara for m in _RULE.finditer(s.text)
    ]
    named += [(literal_list.name, literal_list.file, 0) for literal_list in pack.literals]
    named += [(rule.name, f"{pack.name}/attachments.toml", 0) for rule in pack.attachments]
    for name, file, line in named:
        if name in seen:
            found.append(Problem(file, line, "warning", f"the name {name} is used in {seen[name]} too"))
        seen.setdefault(name, file)
    return found
