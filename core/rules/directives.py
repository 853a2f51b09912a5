"""The lines `@name value` at the head of a list (literals.py, regexlist.py): what each may say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from mxward.core.verdict import CATEGORIES

VIEWS: Final = ("text", "subject", "names", "urls")
_HIT_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def default_name(file: str) -> str:
    """The hit name of a list that gives none: its file's stem in capitals."""
    return re.sub(r"[^A-Z0-9]+", "_", PurePosixPath(file).stem.upper()).strip("_") or "LIST"


def fault(key: str, value: str, known: Sequence[str]) -> str:
    """What would be allowed, or "" when the directive is right. Args: known: directives of this kind of list."""
    if key not in known:
        return ", ".join(f"@{directive}" for directive in known)
    if key == "category":
        return "" if value in CATEGORIES else ", ".join(CATEGORIES)
    if key in ("weight", "cap"):
        return "" if re.fullmatch(r"-?\d{1,3}(\.\d{1,3})?", value) else "a number such as 2.5"
    if key == "words":
        return "" if value in ("yes", "no") else "yes, no"
    if key == "views":
        return "" if value and set(value.split()) <= set(VIEWS) else " ".join(VIEWS)
    if key == "name":
        return "" if _HIT_NAME.fullmatch(value) else "capitals, digits and _"
    return ""
