"""`mxward ledger ...`: proof that every accepted recipient is accounted for."""

from __future__ import annotations

import typer

from mxward.server.cli import group
from mxward.server.cli.common import ConfigFile, Data, Json, QueueId, opened

app = group.make("ledger", "The account of every accepted recipient.")


@app.command()
def verify(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Prove that accepted = queued + delivered + held + discarded + bounced + redirected. Exit 1 when not.

    Example: mxward ledger verify --json
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ledger

    with opened(data, config) as context:
        doc = ledger.verify(context)
    if json:
        emit(doc)
    else:
        for name in ("accepted", "queued", "delivered", "held", "discarded", "bounced", "redirected"):
            line(f"{name:<11}{doc[name]:>12,}")
        for problem in doc["problems"]:
            line(f"problem: {safe(problem)}")
        line("consistent" if doc["consistent"] else "NOT CONSISTENT")
    raise typer.Exit(0 if doc["consistent"] else 1)


@app.command()
def show(queue_id: QueueId, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Show the ledger rows and the history of one message.

    Example: mxward ledger show 0aB3dEfGhIjKlMnO
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ledger

    with opened(data, config) as context:
        doc = ledger.show(context, queue_id)
    if json:
        emit(doc)
        return
    for rcpt in doc["recipients"]:
        line(f"{rcpt['n']:>3} {safe(rcpt['address'])} {rcpt['state']} {safe(rcpt['reply'])}".rstrip())
    for event in doc["events"]:
        line(f"    {event['at']:.6f} {safe(event['kind'])} {event['n']} {safe(event['actor'])} {safe(event['detail'])}")
