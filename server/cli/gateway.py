"""Commands about the gateway as a whole: run, reload, status, check-config, version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mxward.server.cli.common import ConfigFile, Data, Json, load, opened, paths

if TYPE_CHECKING:
    from mxward.server.config import Config


def run(
    data: Data = "",
    config: ConfigFile = "",
    inbound: Annotated[
        list[str] | None,
        typer.Option("--inbound", metavar="ADDRESS", help="Listen here for mail from outside. May be repeated."),
    ] = None,
    outbound: Annotated[
        list[str] | None,
        typer.Option("--outbound", metavar="ADDRESS", help="Listen here for mail from inside. May be repeated."),
    ] = None,
    web: Annotated[str, typer.Option("--web", metavar="ADDRESS", help="Address of the console.")] = "",
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=0, help="SMTP processes (0: one a core).")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. log.level=debug. May be repeated."),
    ] = None,
    log: Annotated[
        str,
        typer.Option(
            "--log",
            metavar="FILE|-",
            help='Where the JSON log goes; "-" is standard output. Default: standard output when that is a pipe or '
            "file, and DATA/log/mxward.jsonl when it is a terminal.",
        ),
    ] = "auto",
) -> None:
    """Run the gateway until it is told to stop.

    On the first start it makes the data directory, its keys and the user admin, and prints a one-time password.
    SIGTERM or Ctrl-C stops it after open work is done (a second one at once); SIGHUP reloads.

    Example: mxward run --data ./data --inbound 127.0.0.1:2525 --set domains.local='["trust.example"]'
    """
    from mxward.server import supervisor

    directory, file = paths(data, config)
    overrides = _overrides(directory, file, inbound, outbound, web, workers, settings or [])
    raise typer.Exit(supervisor.run(supervisor.Options(file, directory, overrides, log)))


def _overrides(
    directory: str | None,
    file: str | None,
    inbound: list[str] | None,
    outbound: list[str] | None,
    web: str,
    workers: int | None,
    settings: list[str],
) -> dict[str, Any]:
    """Settings that the options stand for."""
    from mxward.server.config_source import parse_setting

    overrides = dict(map(parse_setting, settings))
    if web:
        overrides["web.address"] = web
    if workers is not None:
        overrides["server.workers"] = workers
    if inbound or outbound:
        overrides["listener"] = _listeners(directory, file, overrides, {"inbound": inbound, "outbound": outbound})
    return overrides


def _listeners(
    directory: str | None, file: str | None, overrides: dict[str, Any], chosen: dict[str, list[str] | None]
) -> list[dict[str, Any]]:
    """All listeners, those of a side given by addresses replaced; they keep the TLS settings of that side's first."""
    import msgspec

    from mxward.server import config as configuration

    config = configuration.load(file, data=directory, overrides=overrides)
    out: list[dict[str, Any]] = []
    for side, addresses in chosen.items():
        mine = [msgspec.to_builtins(listener) for listener in config.listener if listener.side == side]
        like = mine[0] if mine else {"side": side}
        out += [{**like, "address": address} for address in addresses] if addresses else mine
    return out


def reload(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Have the running gateway read configuration, rules and policy anew; no session is dropped.

    Faulty configuration (78), rules or policy (65) are refused here, and the gateway goes on as before.

    Example: mxward reload --data /var/lib/mxward
    """
    from mxward.server.cli.output import emit, line
    from mxward.server.services import reload as service

    with opened(data, config) as context:
        pid = service.request(context)
    if json:
        emit({"reloading": True, "pid": pid})
    else:
        line(f"the gateway (process {pid}) reloads; its log says what came of it")


def status(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Show processes, counters, queue, disk and whatever is wrong. Exit 1 when it is not running or not ready.

    Example: mxward status --json
    """
    from mxward.server.cli import statuspage
    from mxward.server.cli.output import emit
    from mxward.server.engines.setup import health
    from mxward.server.services import status as service

    with opened(data, config) as context:
        doc = service.collect(context) | {"engines": health(context.config)}
    if json:
        emit(doc)
    else:
        statuspage.show(doc)
    raise typer.Exit(0 if doc["ready"] else 1)


def check_config(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Check configuration, policy and rules, and show the configuration in force, defaults included.

    Also asks each other scanner whether it answers. Exit 78 with file, line and key when the configuration is wrong, 65
    when the policy or a rule pack is, 69 when a scanner does not answer.

    Example: mxward check-config --config ./mxward.toml
    """
    from mxward.server.cli import exitcodes
    from mxward.server.cli.output import complain, emit
    from mxward.server.engines.setup import health
    from mxward.server.services import scanning

    settings = load(data, config)
    if settings.data.is_dir():
        scanning.load_uncached(settings)
    doc = effective(settings)
    faults = [
        f"{engine['name']}: {server}: {fault}"
        for engine in health(settings) for server, fault in engine["servers"].items() if fault
    ]  # fmt: skip
    if json:
        emit(doc)
    else:
        _print_settings(doc)
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(exitcodes.UNAVAILABLE)


def _print_settings(doc: dict[str, Any]) -> None:
    from mxward.server.cli.output import line, safe, to_json

    for section, values in doc.items():
        for i, table in enumerate(values if isinstance(values, list) else [values]):
            head = f"[[{section}]]" if isinstance(values, list) else f"[{section}]"
            line(("\n" if i or section != "server" else "") + head)
            for name, value in _flat(table):
                line(f"{name} = {safe(to_json(value))}")


def effective(config: Config) -> dict[str, Any]:
    """The configuration as plain data; a password within store.url is masked."""
    import re

    import msgspec

    doc: dict[str, Any] = msgspec.to_builtins(config)
    doc["store"]["url"] = re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", doc["store"]["url"])
    return doc


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for name, value in table.items():
        out += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return out


def version(
    json: Json = False,
    exit_codes: Annotated[bool, typer.Option("--exit-codes", help="List the exit codes of all commands.")] = False,
) -> None:
    """Print the version.

    Example: mxward version --json
    """
    import platform

    from mxward import __version__
    from mxward.server.cli import exitcodes
    from mxward.server.cli.output import emit, line

    if exit_codes:
        if json:
            emit({str(code): text for code, text in exitcodes.MEANINGS.items()})
        for code, text in () if json else exitcodes.MEANINGS.items():
            line(f"{code:>3}  {text}")
    elif json:
        emit({"version": __version__, "python": platform.python_version()})
    else:
        line(f"mxward {__version__}")
