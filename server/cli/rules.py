"""`mxward rules ...`: the rule packs of a gateway. What authors of packs do is ruleauthor.py."""

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


Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; goes to history and audit trail.")]
OneRule = Annotated[str, typer.Option("--rule", metavar="RULE", help="Only this rule of the pack.")]


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
        table(("NAME", "VERSION", "STATE", "FROM", "SIGNED", "RULES", "DESCRIPTION"), map(_row, packs))
    raise typer.Exit(1 if any(pack["fault"] and pack["enabled"] for pack in packs) else 0)


def _row(pack: dict[str, Any]) -> tuple[object, ...]:
    state = "faulty" if pack["fault"] else "enabled" if pack["enabled"] else "disabled"
    kinds = (("n_yara_files", "yara"), ("n_lists", "lists"), ("n_regex_lists", "regex"), ("n_hash_lists", "hashes"),
             ("n_spamassassin_files", "spamassassin"), ("n_attachment_rules", "attachment"))  # fmt: skip
    counts = ", ".join(f"{pack[key]} {word}" for key, word in kinds if pack[key]) or "none"
    source = "mxward" if pack["shipped"] else "added"
    if pack["without"]:
        counts += f", {len(pack['without'])} left out"
    told = pack["fault"] or pack["description"]
    return pack["name"], pack["version"], state, source, _signed(pack["signed"]), counts, told


def _signed(signed: dict[str, str]) -> str:
    """Whose signature it is, in a word."""
    if not signed:
        return "-"
    return f"by {signed['signer']}" if signed["signer"] else signed["state"]


@app.command()
def add(
    path: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="The pack: a directory with a pack.toml, .tar.gz or .zip.")
    ],
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Leave out rules that cost too much or match everything; take the rest.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take it although it costs too much or matches too much.")
    ] = False,
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Let it replace a newer version that is signed.")
    ] = False,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Let it replace a signed pack although no trusted key signed it.")
    ] = False,
    reason: Why = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Check a pack beside those in force and take it in; a running gateway uses it at once.

    It must compile, its samples must behave, its signature must be right; it must leave the throughput that the
    configuration asks for, survive the worst mail, and not keep back mail that was delivered. Exit 65 when it is
    faulty, 77 when it costs or matches too much: the culprits are named.

    Example: mxward rules add ./trust-pack --isolate
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.cli.progress import watching
    from mxward.server.services import rules

    with opened(data, config) as context, watching() as watch:
        result = rules.add(
            context, path, isolate=isolate, force=force, reason=reason, watch=watch,
            allow_downgrade=allow_downgrade, allow_unsigned=allow_unsigned,
        )  # fmt: skip
    if json:
        emit(result)
        return
    line(f"{safe(result['pack'])} added{'; the gateway reloads' if result['reloading'] else ''}")
    if result["warning"]:
        line(safe(f"  {result['warning']}"))
    if "without" in result:
        line(safe(f"  left out: {', '.join(result['without'])}"))


@app.command()
def rollback(
    name: Pack,
    to: Annotated[str, typer.Option("--to", metavar="VERSION", help="A version or digest of `rules history`.")] = "",
    reason: Why = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Put the version of a pack in force again that was in force before, or another one.

    Example: mxward rules rollback trust-pack --reason "false alarms"
    """
    from mxward.server.services import rules

    _change(data, config, json, "rolled back", lambda context: rules.rollback(context, name, to, reason))


@app.command()
def history(name: Pack, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """List the versions of a pack that can be put in force, newest first.

    Example: mxward rules history trust-pack
    """
    from datetime import UTC, datetime

    from mxward.server.cli.output import emit, table
    from mxward.server.services import rules

    versions = rules.history(load(data, config), name)
    if json:
        for version in versions:
            emit(version)
        return

    def row(version: dict[str, Any]) -> tuple[object, ...]:
        at = f"{datetime.fromtimestamp(version['at'], UTC):%Y-%m-%d %H:%M}Z" if version["at"] else "-"
        cost = f"{version['cost']['microseconds']:,.0f} µs" if version["cost"] else "-"
        state = "in force" if version["in_force"] else ""
        return version["version"], version["digest"], at, version["by"] or "-", _signed(version["signed"]), cost, state

    table(("VERSION", "DIGEST", "ADDED", "BY", "SIGNED", "COST", ""), map(row, versions))


@app.command()
def remove(name: Pack, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Delete a pack that was added.

    Example: mxward rules remove trust-pack
    """
    from mxward.server.services import rules

    _change(data, config, json, "removed", lambda context: rules.remove(context, name))


@app.command()
def enable(name: Pack, rule: OneRule = "", data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Use a pack again, or one rule of it.

    Example: mxward rules enable trust-pack
    """
    from mxward.server.services import rules

    def act(context: Context) -> dict[str, Any]:
        return rules.leave_out(context, name, rule, out=False) if rule else rules.enable(context, name)

    _change(data, config, json, "enabled", act)


@app.command()
def disable(name: Pack, rule: OneRule = "", data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Use a pack no longer, or one rule of it, also in its later versions.

    Example: mxward rules disable trust-pack --rule NOISY
    """
    from mxward.server.services import rules

    def act(context: Context) -> dict[str, Any]:
        return rules.leave_out(context, name, rule, out=True) if rule else rules.disable(context, name)

    _change(data, config, json, "disabled", act)


def _change(data: str, config: str, json: bool, done: str, action: Callable[[Context], dict[str, Any]]) -> None:
    from mxward.server.cli.output import emit, line, safe

    with opened(data, config) as context:
        result = action(context)
    if json:
        emit(result)
    else:
        which = f"{result['pack']}: {result['rule']}" if "rule" in result else result["pack"]
        line(f"{safe(which)} {done}{'; the gateway reloads' if result['reloading'] else ''}")
