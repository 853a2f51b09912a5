"""The tree of commands. Each command module loads what it needs when it runs."""

from __future__ import annotations

import typer

from mxward.server.cli import gateway, importing, key, learn, ledger, message, quarantine, queue, scan, train, user
from mxward.server.cli.common import GLOBALS, ConfigFile, Data

# Plain help text: it is read in pipes, logs and over serial lines too.
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="mxward",
    help="A mail firewall: receives, scans, decides, accounts for and delivers mail.\n\n"
    'Exit codes: 0 yes, 1 no, 2 usage, above 63 as in sysexits.h ("mxward version --exit-codes" lists them).',
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


@app.callback()
def options(data: Data = "", config: ConfigFile = "") -> None:
    GLOBALS.data, GLOBALS.config = data, config


for command, name in (
    (gateway.run, "run"),
    (gateway.reload, "reload"),
    (gateway.status, "status"),
    (gateway.check_config, "check-config"),
    (scan.scan, "scan"),
    (learn.learn, "learn"),
    (train.train, "train"),
    (gateway.version, "version"),
):
    app.command(name)(command)

for group in (queue.app, quarantine.app, message.app, ledger.app, importing.app, key.app, user.app):
    app.add_typer(group)
