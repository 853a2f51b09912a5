"""`mxward rules ...`: rule packs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mxward.server.cli import group
from mxward.server.cli.common import ConfigFile, Data, Json, load, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from mxward.server.services.context import Context

app = group.make("rules", "Rule packs: YARA rules, word lists, attachment rules.")

Pack = Annotated[str, typer.Argument(metavar="NAME", help="Name of the pack.")]


@app.command("list")
def list_(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """List the packs. Exit 1 when one that is enabled is faulty.

    Example: mxward rules list --json
    """
    from mxward.server.cli.output import emit, table
    from mxward.server.services import rules

    packs = rules.entries(load(data, config))
    if json:
        for pack in packs:
            emit(pack)
    else:
        table(("NAME", "VERSION", "STATE", "FROM", "RULES", "DESCRIPTION"), map(_row, packs))
    raise typer.Exit(1 if any(pack["fault"] and pack["enabled"] for pack in packs) else 0)


def _row(pack: dict[str, Any]) -> tuple[object, ...]:
    state = "faulty" if pack["fault"] else "enabled" if pack["enabled"] else "disabled"
    counts = f"{pack['n_yara_files']} yara, {pack['n_lists']} lists, {pack['n_attachment_rules']} attachment"
    source = "mxward" if pack["shipped"] else "added"
    return pack["name"], pack["version"], state, source, counts, pack["fault"] or pack["description"]


@app.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="The pack: a directory with a pack.toml.")],
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Check a pack beside those in force and take it in; a running gateway uses it at once.

    Example: mxward rules add ./trust-pack
    """
    from mxward.server.services import rules

    _change(data, config, json, "added", lambda context: rules.add(context, path))


@app.command()
def remove(name: Pack, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Delete a pack that was added.

    Example: mxward rules remove trust-pack
    """
    from mxward.server.services import rules

    _change(data, config, json, "removed", lambda context: rules.remove(context, name))


@app.command()
def enable(name: Pack, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Use a pack again.

    Example: mxward rules enable trust-pack
    """
    from mxward.server.services import rules

    _change(data, config, json, "enabled", lambda context: rules.enable(context, name))


@app.command()
def disable(name: Pack, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Use a pack no longer.

    Example: mxward rules disable trust-pack
    """
    from mxward.server.services import rules

    _change(data, config, json, "disabled", lambda context: rules.disable(context, name))


def _change(data: str, config: str, json: bool, done: str, action: Callable[[Context], dict[str, Any]]) -> None:
    from mxward.server.cli.output import emit, line, safe

    with opened(data, config) as context:
        result = action(context)
    if json:
        emit(result)
    else:
        line(f"{safe(result['pack'])} {done}{'; the gateway reloads' if result['reloading'] else ''}")


@app.command()
def lint(
    paths: Annotated[list[Path], typer.Argument(metavar="DIR", help="Pack directories.")], json: Json = False
) -> None:
    """Show what is wrong or doubtful in packs. Exit 1 when a pack would be refused.

    Example: mxward rules lint ./trust-pack
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import rules

    problems = rules.lint(paths)
    for problem in problems:
        if json:
            emit(problem)
        else:
            where = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
            line(safe(f"{where}: {problem['severity']}: {problem['text']}"))
    if not problems and not json:
        line("no problem found")
    raise typer.Exit(1 if any(problem["severity"] == "error" for problem in problems) else 0)


@app.command("test")
def run_samples(
    name: Annotated[str, typer.Argument(metavar="NAME|DIR", help="Only this pack, or a pack directory.")] = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Run the samples that packs bring: each must-match must hit, no must-not-match may. Exit 1 when one fails.

    Example: mxward rules test ./trust-pack
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import rules

    results = rules.run_samples(load(data, config), name)
    for result in results:
        if json:
            emit(result)
        elif not result["passed"]:
            wanted = "no hit" if result["must_match"] else "hit by " + ", ".join(result["hits"])
            line(safe(f"FAILED {result['pack']}/{result['file']}: {wanted}"))
    failed = sum(not result["passed"] for result in results)
    if not json:
        line(f"{len(results)} samples, {failed} failed")
    raise typer.Exit(1 if failed else 0)
