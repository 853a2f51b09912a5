"""`mxward user ...`: who may log in to the console."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mxward.server.cli import group
from mxward.server.cli.common import ConfigFile, Data, Json, opened

app = group.make("user", "Users of the console.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of making one up.")
]


@app.command()
def add(
    name: Name,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="admin, security, helpdesk or auditor.")
    ] = "helpdesk",
    password_stdin: FromInput = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Make a user and print a one-time password, which the console asks to change.

    Example: mxward user add jo.smith --role security
    """
    from mxward.server.services import users

    with opened(data, config) as context:
        password = users.create(context, name, role, _read() if password_stdin else None)
    _tell(name, "" if password_stdin else password, json)


@app.command()
def passwd(
    name: Name, password_stdin: FromInput = False, data: Data = "", config: ConfigFile = "", json: Json = False
) -> None:
    """Give a user a new one-time password, or the one on standard input. Ends the user's sessions.

    Example: mxward user passwd admin
    """
    from mxward.server.services import users

    with opened(data, config) as context:
        password = users.set_password(context, name, _read() if password_stdin else None)
    _tell(name, "" if password_stdin else password, json)


def _read() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _tell(name: str, password: str, json: bool) -> None:
    from mxward.server.cli.output import emit, line

    if json:
        emit({"name": name, **({"password": password} if password else {})})
    elif password:
        line(f"one-time password of {name}: {password}")
    else:
        line(f"the password of {name} is set")


@app.command("list")
def list_(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """List the users.

    Example: mxward user list --json
    """
    from mxward.server.cli.messagepage import when
    from mxward.server.cli.output import emit, table
    from mxward.server.services import users

    with opened(data, config) as context:
        rows = users.entries(context)
    if json:
        for row in rows:
            emit(users.as_dict(row))
    else:
        table(
            ("NAME", "ROLE", "SINCE", "STATE"),
            ((u.name, u.role, when(u.created_at), "disabled" if u.disabled else "active") for u in rows),
        )


@app.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let the user in again.")] = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Keep a user from logging in; the last administrator stays.

    Example: mxward user disable jo.smith
    """
    from mxward.server.cli.output import emit, line
    from mxward.server.services import users

    with opened(data, config) as context:
        users.set_disabled(context, name, not undo)
    if json:
        emit({"name": name, "disabled": not undo})
    else:
        line(f"{name} is {'active' if undo else 'disabled'}")
