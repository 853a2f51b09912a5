"""Where configuration values come from (TOML file, MXWARD_* variables, overrides) and on which line they stand.

Knows nothing of what the keys mean: `config.py` has the schema, `config_check.py` what types cannot say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mxward.core.errors import ConfigError

_HEAD = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def read(path: str) -> str:
    """The text of a file. Raises ConfigError when it cannot be read or is not UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=path) from None


def parse(text: str, file: str) -> dict[str, Any]:
    """TOML text as a dictionary. Raises ConfigError with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", message)
        line = int(at[1]) if at and at[1] else text.count("\n") + 1 if at else 0
        reason = message[: at.start()] if at else message
        raise ConfigError(f"not valid TOML: {reason}", file=file, line=line) from None


def value_of(raw: str) -> Any:
    """A value as TOML writes it; what is not TOML is a plain string (`mail.example` needs no quotes)."""
    try:
        return tomllib.loads(f"v = {raw}")["v"]
    except tomllib.TOMLDecodeError:
        return raw


def place(document: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key. Raises ConfigError when something on the way is not a table."""
    *tables, leaf = key.split(".")
    here: Any = document
    for name in tables:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise ConfigError("is not a table", key=key)
    here[leaf] = value


def parse_setting(text: str) -> tuple[str, Any]:
    """ "smtp.limits.max_errors=5" -> ("smtp.limits.max_errors", 5). Raises ConfigError."""
    key, equals, raw = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", key.strip()):
        raise ConfigError(f"{text!r} is not a setting", key="--set", allowed="SECTION.KEY=VALUE")
    return key.strip(), value_of(raw.strip())


def environment_settings(env: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Settings among the variables; `names` maps MXWARD_SECTION_KEY to section.key. Others are left alone."""
    for variable, key in names.items():
        if variable in env:
            yield key, value_of(env[variable])


def lines_of(text: str) -> dict[str, int]:
    """Line number of every table and key, by path: {"smtp.limits.max_errors": 12, "route[1].via": 20, ...}."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := _HEAD.match(line):
            table = _bare(head[2])
            if head[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = f"{table}[{counts[table]}]"
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{table}.{_bare(key[1])}".lstrip("."), number)
    return found


def _bare(key: str) -> str:
    return ".".join(step.strip().strip("\"'") for step in key.split("."))


def line_of(text: str, key: str) -> int:
    """Line where `key` stands, or else the nearest key or table that encloses it; 0 when none does."""
    lines = lines_of(text)
    while key:
        if key in lines:
            return lines[key]
        cut = max(key.rfind("."), key.rfind("["))
        key = key[:cut] if cut > 0 else ""
    return 0
