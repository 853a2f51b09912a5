"""What every command shares: --data, --config, --json, the configuration and store they name, who acts."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # each command loads what it needs when it runs: `mxward --help` stays quick
    from mxward.server.config import Config
    from mxward.server.services.context import Context

Data = Annotated[str, typer.Option("--data", metavar="DIR", help="Data directory (default: server.data_dir).")]
ConfigFile = Annotated[
    str, typer.Option("--config", metavar="FILE", help="Configuration file (default: /etc/mxward/mxward.toml).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON: one object, or one a line for lists.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; goes to the audit trail.")]
QueueIds = Annotated[list[str], typer.Argument(metavar="QUEUE_ID|ALL", help="Queue ids, or ALL.")]
QueueId = Annotated[str, typer.Argument(metavar="QUEUE_ID", help="The queue id, as lists and logs show it.")]
Recipient = Annotated[
    int | None, typer.Option("--n", metavar="NUMBER", min=0, help="Only this recipient (default: all); 0 is the first.")
]


@dataclass(slots=True)
class Globals:
    """--data and --config given before the command."""

    data: str = ""
    config: str = ""


GLOBALS = Globals()


def paths(data: str, config: str) -> tuple[str | None, str | None]:
    """(data directory, configuration file) as given after or before the command; None: not given."""
    return data or GLOBALS.data or None, config or GLOBALS.config or None


def load(data: str, config: str) -> Config:
    """The configuration. Raises ConfigError."""
    from mxward.server import config as configuration

    directory, file = paths(data, config)
    return configuration.load(file, data=directory)


@contextmanager
def opened(data: str, config: str) -> Iterator[Context]:
    """Configuration and store, with this command's user as the actor.

    As root with `server.user` set, the command becomes that user first: what it writes belongs to the gateway.
    Raises ConfigError, StoreError, NotFound (no data directory yet).
    """
    from mxward.server.run import datadir
    from mxward.server.services.context import Context
    from mxward.server.services.errors import NotFound
    from mxward.server.store import open_store

    settings = load(data, config)
    who = actor()
    if not (settings.data / "keys").is_dir():
        raise NotFound(f"{settings.data} is not a data directory yet: `mxward run` makes it (or give --data)")
    if owner := datadir.account(settings):
        datadir.drop(owner)
    os.umask(0o027)
    store = open_store(settings, process="cli")
    try:
        yield Context(settings, store, who)
    finally:
        store.close()


def actor() -> str:
    """ "cli:LOGIN" of the person, also behind sudo."""
    uid = os.getuid()
    if uid == 0 and os.environ.get("SUDO_USER"):
        return f"cli:{os.environ['SUDO_USER']}"
    try:
        return f"cli:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"cli:{uid}"
