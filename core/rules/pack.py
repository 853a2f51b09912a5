"""A rule pack on disk: what its files are and how they are read. Compiling is compile.py, changing manage.py.

A pack is a directory:

    pack.toml             name, version, description, author; [defaults] category, weight
    *.yar                 YARA rules (see below)
    *.list                literal lists (literals.py)
    *.regex               lists of regular expressions (regexlist.py)
    *.hashes              lists of known files (hashlist.py)
    attachments.toml      attachment rules (attachments.py)
    tests/must-match/     samples of which each must give at least one hit of this pack
    tests/must-not-match/ samples of which none may give a hit with a weight

A sample is a whole message when its name ends in .eml, else the content of one attachment of that name.

YARA metadata that count: `category` (one of verdict.CATEGORIES), `weight` (a number, may be a string such as
"2.5"), `description` (plain English clause shown to helpdesks), `views` (space-separated: "raw" the message
as received, "part" each decoded part, "text" the readable text; default: all). Without `category` a rule whose
metadata or tags speak of malware is `malware` with weight 15, any other `attachment` with weight 4: a foreign
rule set makes a message suspect, and only a rule that says so makes it malware. [defaults] overrides that.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mxward.core.errors import RulePackError
from mxward.core.rules.attachments import AttachmentRule, parse_attachments
from mxward.core.rules.files import SAMPLES, PackFiles, read_folder
from mxward.core.rules.hashlist import HashList, parse_hashes
from mxward.core.rules.literals import LiteralList, parse_list
from mxward.core.rules.regexlist import RegexList, parse_regexes
from mxward.core.rules.spamassassin.source import SUFFIX, CfOptions, CfSource, parse_options, scored_names
from mxward.core.rules.yarasource import leave_out, rule_spans
from mxward.core.verdict import CATEGORIES

PACK_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.+-]{0,31}")
_KEYS: Final = frozenset(("name", "version", "description", "author", "kinds", "defaults", "spamassassin"))


@dataclass(frozen=True, slots=True)
class YaraSource:
    """One .yar file: its path relative to the pack and its text."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as read; nothing is compiled yet."""

    name: str
    version: str
    path: Path
    description: str = ""
    author: str = ""
    default_category: str = ""
    default_weight: float | None = None
    yara: tuple[YaraSource, ...] = ()
    literals: tuple[LiteralList, ...] = ()
    attachments: tuple[AttachmentRule, ...] = ()
    regexes: tuple[RegexList, ...] = ()
    spamassassin: tuple[CfSource, ...] = ()
    spamassassin_options: CfOptions = CfOptions()  # noqa: RUF009 - frozen
    digest: str = ""  # of all rule files, hex
    hashes: tuple[HashList, ...] = ()
    left_out: frozenset[str] = frozenset()  # names of rules that it has and that are not used

    @property
    def label(self) -> str:
        """`name@version`, as hits name it."""
        return f"{self.name}@{self.version}"

    def rule_names(self, *, private: bool = True) -> list[str]:
        """Names of all its rules, as hits have them; one may be there twice. `private` ones serve other rules only."""
        spans = [span for source in self.yara for span in rule_spans(source.text)]
        names = [span.name for span in spans if private or "private" not in span.modifiers]
        names += [literal_list.name for literal_list in self.literals] + [rule.name for rule in self.attachments]
        names += [regexes.name for regexes in self.regexes] + [one.name for one in self.hashes]
        return names + scored_names(self.spamassassin)

    def without(self, names: Collection[str]) -> Pack:
        """The pack without the rules of these names; names that it does not have do not matter."""
        gone = frozenset(names) & set(self.rule_names()) if names else frozenset()
        if not gone:
            return self
        return replace(
            self,
            yara=tuple(YaraSource(source.file, leave_out(source.text, gone)) for source in self.yara),
            literals=tuple(literal_list for literal_list in self.literals if literal_list.name not in gone),
            attachments=tuple(rule for rule in self.attachments if rule.name not in gone),
            regexes=tuple(regexes for regexes in self.regexes if regexes.name not in gone),
            hashes=tuple(one for one in self.hashes if one.name not in gone),
            digest=hashlib.sha256("\0".join((self.digest, *sorted(gone))).encode()).hexdigest(),
            left_out=gone,
        )


def load_pack(path: Path) -> Pack:
    """Read a pack directory, without its samples.

    Raises: RulePackError naming the file, rule and line of the first fault. YARA syntax is checked by
    compile.py, not here.
    """
    return parse_pack(read_folder(path, samples=False), path)


def parse_pack(files: PackFiles, path: Path) -> Pack:
    """The pack that these files are; `path` is where they came from. Raises: as `load_pack`."""
    manifest = _manifest(files)
    name, version = manifest["name"], manifest["version"]
    digest = hashlib.sha256(f"{name}\0{version}\0".encode())

    def rules(kind: str) -> Iterator[tuple[str, str]]:
        for file, text in files.rules(kind):
            digest.update(f"{file}\0{text}\0".encode())
            yield file, text

    yara = tuple(YaraSource(file, text) for file, text in rules(".yar"))
    literals = tuple(parse_list(text, f"{name}/{file}") for file, text in rules(".list"))
    regexes = tuple(parse_regexes(text, f"{name}/{file}") for file, text in rules(".regex"))
    hashes = tuple(parse_hashes(text, f"{name}/{file}") for file, text in rules(".hashes"))
    attachments = tuple(
        rule for file, text in rules("attachments.toml") for rule in parse_attachments(text, f"{name}/{file}")
    )
    spamassassin = _spamassassin(files, digest)
    category, weight = _defaults(manifest.get("defaults", {}), name)
    options = _options(manifest.get("spamassassin", {}), name)
    digest.update(f"{category}\0{weight}\0{options}".encode())
    return Pack(
        name, version, path, manifest.get("description", ""), manifest.get("author", ""), category, weight,
        yara, literals, attachments, regexes, spamassassin, options, digest.hexdigest(), hashes,
    )  # fmt: skip


def _spamassassin(files: PackFiles, digest: Any) -> tuple[CfSource, ...]:
    """Rules are about bytes, in whatever charset their author wrote: one character a byte."""
    found = []
    for path, content in files.contents.items():
        if path.endswith(SUFFIX) and not path.startswith(SAMPLES):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
            found.append(CfSource(path, content.decode("latin-1")))
    return tuple(found)


def _options(doc: Any, name: str) -> CfOptions:
    try:
        return parse_options(doc)
    except ValueError as error:
        raise RulePackError(str(error), pack=f"{name}/pack.toml") from None


def _manifest(files: PackFiles) -> dict[str, Any]:
    where = f"{files.name}/pack.toml"
    if "pack.toml" not in files.contents:
        raise RulePackError("is missing: a pack is a directory with a pack.toml", pack=where)
    try:
        doc = tomllib.loads(files.text("pack.toml"))
    except tomllib.TOMLDecodeError as error:
        raise RulePackError(f"is not valid TOML: {error}", pack=where) from None
    unknown = sorted(set(doc) - _KEYS)
    if unknown:
        raise RulePackError(f"unknown key {unknown[0]} (allowed: {', '.join(sorted(_KEYS))})", pack=where)
    for key, pattern in (("name", PACK_NAME), ("version", _VERSION)):
        if not isinstance(doc.get(key), str) or not pattern.fullmatch(doc[key]):
            raise RulePackError(f"{key} must be a string that matches {pattern.pattern}", pack=where)
    for key in ("description", "author"):
        if not isinstance(doc.get(key, ""), str):
            raise RulePackError(f"{key} must be a string", pack=where)
    return doc


def _defaults(doc: Any, name: str) -> tuple[str, float | None]:
    where = f"{name}/pack.toml"
    if not isinstance(doc, dict) or set(doc) - {"category", "weight"}:
        raise RulePackError("[defaults] takes category and weight only", pack=where)
    category, weight = doc.get("category", ""), doc.get("weight")
    if category and category not in CATEGORIES:
        raise RulePackError(f"category {category!r} (allowed: {', '.join(CATEGORIES)})", pack=where)
    if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float)):
        raise RulePackError("weight must be a number", pack=where)
    return category, None if weight is None else float(weight)
