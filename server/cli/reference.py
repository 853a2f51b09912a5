"""The page docs/commands.md, made from the commands themselves; a test checks that it is current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from mxward.server.cli.app import SETTINGS, app
from mxward.server.cli.exitcodes import MEANINGS

WIDTH = 100


def commands() -> Iterator[tuple[str, Any]]:
    """(full name, command object) of every command, in the order of `mxward --help`."""
    root = typer.main.get_command(app)
    for name, command in _children(root):
        if _children(command):
            yield from ((f"{name} {child}", sub) for child, sub in _children(command))
        else:
            yield name, command


def _children(command: Any) -> list[tuple[str, Any]]:
    return list(getattr(command, "commands", {}).items())


def help_of(name: str, command: Any) -> str:
    """The text of `mxward NAME --help`, at a fixed width."""
    context = command.make_context(
        f"mxward {name}", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=SETTINGS["help_option_names"],
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines()).strip()


def page() -> str:
    """The whole page as Markdown."""
    out = [
        "# Commands",
        "",
        "Generated from `server/cli`. `--data DIR` and `--config FILE` may stand before or after a command's name;",
        "every command prints JSON with `--json`. Errors are one plain sentence on standard error. Colour only on a",
        "terminal and never with `NO_COLOR`; control characters in names and headers are shown escaped.",
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|--:|---|",
        *(f"| {code} | {text} |" for code, text in MEANINGS.items()),
        "",
    ]
    for name, command in commands():
        out += [f"## mxward {name}", "", "```text", help_of(name, command), "```", ""]
    return "\n".join(out).rstrip() + "\n"
