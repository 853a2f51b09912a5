"""Attachment rules as data: which names and which true types count, and how much.

[[attachment]]
name = "PROGRAM"                    hit name
description = "is a Windows program"
category = "attachment"             default; one of verdict.CATEGORIES
weight = 6.0                        default 4.0
extensions = ["exe", "scr"]         last extension of any name some client would show
types = ["application/x-dosexec"]   true types, by content; "image/*" matches a family
inside = true                       also names inside containers that can be listed (default true)
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final

from mxward.core.errors import RulePackError
from mxward.core.verdict import CATEGORIES

_KEYS: Final = frozenset(("name", "description", "category", "weight", "extensions", "types", "inside"))
_HIT_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_EXTENSION: Final = re.compile(r"[a-z0-9][a-z0-9_+-]{0,31}")
_TYPE: Final = re.compile(r"[a-z0-9.+*-]+/[a-z0-9.+*-]+")


@dataclass(frozen=True, slots=True)
class AttachmentRule:
    """One attachment rule; extensions without a dot, in lower case."""

    name: str
    description: str
    category: str
    weight: float
    extensions: frozenset[str]
    types: tuple[str, ...]
    inside: bool


def parse_attachments(text: str, file: str) -> list[AttachmentRule]:
    """Read an attachments.toml. Raises: RulePackError with file and rule."""
    try:
        doc = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulePackError(f"is not valid TOML: {error}", pack=file) from None
    rows = doc.get("attachment", [])
    if set(doc) - {"attachment"} or not isinstance(rows, list):
        raise RulePackError("holds [[attachment]] tables only", pack=file)
    return [_rule(row, file) for row in rows]


def _rule(row: Any, file: str) -> AttachmentRule:
    name = row.get("name", "") if isinstance(row, dict) else ""
    if not isinstance(name, str) or not _HIT_NAME.fullmatch(name):
        raise RulePackError("an [[attachment]] needs a name of capitals, digits and _", pack=file)
    _check(row, file, name)
    return AttachmentRule(
        name, row.get("description", ""), row.get("category", "attachment"), float(row.get("weight", 4.0)),
        frozenset(row.get("extensions", ())), tuple(row.get("types", ())), row.get("inside", True),
    )  # fmt: skip


def _check(row: dict[str, Any], file: str, name: str) -> None:
    def refuse(reason: str) -> RulePackError:
        return RulePackError(reason, pack=file, rule=name)

    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise refuse(f"unknown key {unknown[0]} (allowed: {', '.join(sorted(_KEYS))})")
    if row.get("category", "attachment") not in CATEGORIES:
        raise refuse(f"category {row['category']!r} (allowed: {', '.join(CATEGORIES)})")
    weight = row.get("weight", 4.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise refuse("weight must be a number")
    if not isinstance(row.get("inside", True), bool) or not isinstance(row.get("description", ""), str):
        raise refuse("inside is true or false, description a string")
    for key, pattern in (("extensions", _EXTENSION), ("types", _TYPE)):
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and pattern.fullmatch(v) for v in values):
            raise refuse(f"{key} must be a list of strings that match {pattern.pattern}")
    if not row.get("extensions") and not row.get("types"):
        raise refuse("needs extensions or types")
