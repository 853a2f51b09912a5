"""`mxward message ...`: message tracking."""

from __future__ import annotations

from typing import Annotated

import typer

from mxward.server.cli import group
from mxward.server.cli.common import ConfigFile, Data, Json, QueueId, opened

app = group.make("message", "Find messages, see what became of them, and why.")


@app.command()
def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="Sender, recipient, subject, queue id or Message-ID contains this.")
    ] = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
    sender: Annotated[str, typer.Option("--sender", metavar="TEXT", help="The envelope sender contains this.")] = "",
    recipient: Annotated[str, typer.Option("--recipient", metavar="TEXT", help="A recipient contains this.")] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="TEXT", help="The subject contains this.")] = "",
    state: Annotated[
        str, typer.Option("--state", metavar="STATE", help="A recipient is queued, delivered, held, ...")
    ] = "",
    verdict: Annotated[
        str, typer.Option("--verdict", metavar="VERDICT", help="clean, bulk, suspect, spam, phish, malware, ...")
    ] = "",
    direction: Annotated[
        str, typer.Option("--direction", metavar="DIRECTION", help="inbound, outbound or internal.")
    ] = "",
    since: Annotated[str, typer.Option("--since", metavar="WHEN", help="2026-01-31, 2026-01-31T09:00, 2h, 7d.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="As --since.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 50,
) -> None:
    """Find messages, newest first. Exit 1 when there are none.

    Example: mxward message find invoice --recipient @trust.example --since 7d
    """
    from mxward.server.cli.messagepage import overview
    from mxward.server.cli.output import emit
    from mxward.server.cli.when import parse_when
    from mxward.server.services import messages
    from mxward.server.store.api import MessageQuery

    with opened(data, config) as context:
        now = context.clock.now_us()
        query = MessageQuery(
            sender=sender, recipient=recipient, subject=subject, text=text, state=state, verdict=verdict,
            direction=direction, since=parse_when(since, now), until=parse_when(until, now), limit=limit,
        )  # fmt: skip
        rows = messages.find(context, query)
        if json:
            for row in rows:
                emit(messages.as_dict(row))
        else:
            overview(rows, empty="no message matches")
    raise typer.Exit(0 if rows else 1)


@app.command()
def show(queue_id: QueueId, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Show one message: envelope, verdict, hits, the fate of each recipient, history.

    Example: mxward message show 0aB3dEfGhIjKlMnO --json
    """
    from mxward.server.cli.messagepage import details
    from mxward.server.cli.output import emit
    from mxward.server.services import messages

    with opened(data, config) as context:
        row, events = messages.show(context, queue_id)
    if json:
        emit(messages.as_dict(row, events))
    else:
        details(row, events)


@app.command()
def explain(queue_id: QueueId, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Say in plain English what became of a message and why.

    Example: mxward message explain 0aB3dEfGhIjKlMnO
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import messages

    with opened(data, config) as context:
        row, _ = messages.show(context, queue_id)
    text = messages.explain(row)
    if json:
        emit({"queue_id": row.queue_id, "explanation": text})
        return
    for paragraph in text.split("\n"):
        line(safe(paragraph))
