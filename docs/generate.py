"""Generate the reference pages that are derived from the code: docs/{commands,configuration,formats,limits}.md.

`python docs/generate.py` writes them; tests/docs checks that doing so changes nothing.
"""

from __future__ import annotations

import ast
import inspect
import re
import typing
from pathlib import Path
from typing import Any

import msgspec

from mxward.core import limits
from mxward.core.extract import opener
from mxward.core.extract.findings import FINDINGS
from mxward.core.extract.formats import FORMATS
from mxward.core.extract.formats.disarm import DISARM
from mxward.server import config
from mxward.server.cli import reference

HERE = Path(__file__).resolve().parent


def comments(module: Any) -> dict[tuple[str, str], str]:
    """(class or "", name) -> the comment beside or just under its definition."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    out: dict[tuple[str, str], str] = {}

    def note(owner: str, node: ast.AnnAssign) -> None:
        if not isinstance(node.target, ast.Name):
            return
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            found = re.search(r"#\s*(.+)$", lines[number - 1])
            if found:
                out[owner, node.target.id] = found[1].strip()
                return

    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.AnnAssign):
                    note(node.name, item)
        elif isinstance(node, ast.AnnAssign):
            note("", node)
    return out


def type_name(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(f'"{v}"' for v in typing.get_args(kind))
    if typing.get_origin(kind) is list:
        return f"list of {type_name(typing.get_args(kind)[0])}"
    return {str: "text", int: "number", float: "number", bool: "true or false"}.get(kind, getattr(kind, "__name__", ""))


def default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "required"
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
    return f"`{text or (repr(value).replace(chr(39), chr(34)))}`"


def table(struct: type[msgspec.Struct], notes: dict[tuple[str, str], str]) -> list[str]:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            continue
        meaning = notes.get((struct.__name__, field.name), "").replace("|", "\\|")
        kind = type_name(field.type).replace("|", "\\|")
        rows.append(f"| `{field.name}` | {kind} | {default_of(field)} | {meaning} |")
    return rows


def section(title: str, struct: type[msgspec.Struct], notes: dict[tuple[str, str], str]) -> list[str]:
    doc = inspect.cleandoc(struct.__doc__ or "") if "Struct" not in (struct.__doc__ or "Struct") else ""
    lines = [f"## {title}", ""]
    if doc and not doc.startswith(struct.__name__ + "("):
        lines += [doc, ""]
    return [*lines, *table(struct, notes), ""]


def configuration() -> str:
    notes = comments(config)
    lines = [
        "# Configuration",
        "",
        "Generated from `server/config.py`. The file is `/etc/mxward/mxward.toml`, `--config FILE` or",
        "`MXWARD_CONFIG`; a variable `MXWARD_SECTION_KEY` overrides one key. Without a file these defaults are a",
        "complete, working gateway.",
        "`mxward check-config` names file, line and key of any fault.",
        "",
    ]
    for field in msgspec.structs.fields(config.Config):
        kind = field.type
        if typing.get_origin(kind) is list:
            lines += section(f"[[{field.name}]]", typing.get_args(kind)[0], notes)
            continue
        lines += section(f"[{field.name}]", kind, notes)
        for inner in msgspec.structs.fields(kind):
            if isinstance(inner.type, type) and issubclass(inner.type, msgspec.Struct):
                lines += section(f"[{field.name}.{inner.name}]", inner.type, notes)
    return "\n".join(lines).rstrip() + "\n"


def content_limits() -> str:
    notes = comments(limits)
    lines = [
        "# Limits on content",
        "",
        "Generated from `core/limits.py`. Beyond each of them the message gets an anomaly or a `not_inspected` mark",
        "that policy decides about; none of them makes a message pass unseen. Limits on sessions are configuration.",
        "",
        "| limit | value | reason |",
        "|---|--:|---|",
    ]
    for (owner, name), reason in notes.items():
        if not owner:
            lines.append(f"| `{name}` | {getattr(limits, name):,} | {reason} |")
    return "\n".join(lines) + "\n"


def formats() -> str:
    """Which formats are opened and by what, what is found in them, and why something may not be inspected."""
    lines = [
        "# Formats of attachments",
        "",
        "Generated from `core/extract/formats` and `core/extract/findings`; how they are opened: docs/attachments.md.",
        "What a format is follows from its content, whatever its name says.",
        "",
        "| format | true types | opened by | limits |",
        "|---|---|---|---|",
    ]
    for entry in FORMATS:
        by = entry.library if entry.opener else "recognised only: `not_inspected: unsupported`"
        by += ", can be disarmed" if DISARM.keys() & set(entry.types) else ""
        types = ", ".join(f"`{kind}`" for kind in entry.types)
        lines.append(f"| {entry.title} | {types} | {by} | {entry.limits} |")
    lines += ["", "## Findings", "", "| name | category | weight | the message |", "|---|---|--:|---|"]
    lines += [f"| `{name}` | {f.category} | {f.weight:g} | {f.detail} |" for name, f in sorted(FINDINGS.items())]
    notes = comments_of(opener, "REASONS")
    lines += ["", "## Reasons for what was not inspected", "", "| reason | when |", "|---|---|"]
    lines += [f"| `{reason}` | {notes.get(reason, '')} |" for reason in opener.REASONS]
    return "\n".join(lines) + "\n"


def comments_of(module: Any, name: str) -> dict[str, str]:
    """The comment beside each string of a tuple written one a line."""
    source = inspect.getsource(module)
    block = source[source.index(f"{name}: Final") :].partition("\n)")[0]
    return {found[1]: found[2].strip() for found in re.finditer(r'"([^"]+)",\s*#\s*(.+)', block)}


PAGES = {
    "formats.md": formats,
    "commands.md": reference.page,
    "configuration.md": configuration,
    "limits.md": content_limits,
}


def main() -> None:
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
