"""`mxward quarantine ...`: what is kept back, release and deletion."""

from __future__ import annotations

from typing import Annotated

import typer

from mxward.server.cli import group
from mxward.server.cli.common import (
    ConfigFile,
    Data,
    Json,
    QueueId,
    Reason,
    Recipient,
    opened,
)
from mxward.server.cli.learn import Forget, Ham, Spam

QueueIdList = Annotated[list[str], typer.Argument(metavar="QUEUE_ID", help="Queue ids, as lists show them.")]

app = group.make("quarantine", "Mail that is kept back: quarantined or held.")


@app.command("list")
def list_(
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
    area: Annotated[str, typer.Option("--area", metavar="AREA", help="Only this quarantine area.")] = "",
    recipient: Annotated[str, typer.Option("--recipient", metavar="TEXT", help="A recipient contains this.")] = "",
    text: Annotated[
        str, typer.Option("--text", metavar="TEXT", help="Sender, recipient, subject or id contains this.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 50,
) -> None:
    """List what is kept back, newest first, with the reason.

    Example: mxward quarantine list --recipient @trust.example
    """
    from mxward.server.cli.messagepage import overview
    from mxward.server.cli.output import emit
    from mxward.server.services import quarantine

    with opened(data, config) as context:
        rows = quarantine.entries(context, area=area, text=text, recipient=recipient, limit=limit)
        if json:
            for row in rows:
                emit(quarantine.as_dict(row))
        else:
            overview(rows, empty="the quarantine is empty")


@app.command()
def show(queue_id: QueueId, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Show one message with verdict, hits and history, as `mxward message show`.

    Example: mxward quarantine show 0aB3dEfGhIjKlMnO
    """
    from mxward.server.cli import message

    message.show(queue_id, data, config, json)


@app.command()
def release(
    queue_id: QueueId,
    n: Recipient = None,
    force: Annotated[bool, typer.Option("--force", help="Although the new scan objects; needs --reason.")] = False,
    reason: Reason = "",
    teach: Annotated[
        bool, typer.Option("--learn/--no-learn", help="Teach the classifier that it is wanted (not when forced).")
    ] = True,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Deliver the original message to its original recipients, after scanning it again with today's rules.

    Refused (exit 77) when that scan finds malware or could not look inside, unless forced. Audited either way.

    Example: mxward quarantine release 0aB3dEfGhIjKlMnO --reason "confirmed by the sender"
    """
    from dataclasses import asdict

    from mxward.server.cli.output import emit, line
    from mxward.server.services import quarantine

    with opened(data, config) as context:
        done = quarantine.release(context, queue_id, n=n, force=force, reason=reason, teach=teach)
    if json:
        emit(asdict(done))
    else:
        line(f"{done.released} recipient(s) released; scanned again: {done.verdict}, score {done.score:g}")
    raise typer.Exit(0 if done.released else 1)


@app.command()
def delete(
    queue_id: QueueId,
    n: Recipient = None,
    reason: Reason = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Discard a message that is kept back; the ledger keeps it as discarded.

    Example: mxward quarantine delete 0aB3dEfGhIjKlMnO
    """
    from mxward.server.cli.output import emit, line
    from mxward.server.services import quarantine

    with opened(data, config) as context:
        deleted = quarantine.delete(context, queue_id, n=n, reason=reason)
    if json:
        emit({"queue_id": queue_id, "deleted": deleted})
    else:
        line(f"{deleted} recipient(s) deleted")
    raise typer.Exit(0 if deleted else 1)


@app.command()
def learn(
    queue_ids: QueueIdList,
    spam: Spam = False,
    ham: Ham = False,
    forget: Forget = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Teach the classifier by stored messages: unwanted (--spam), wanted (--ham), or take it back (--forget).

    Works for any message whose content is still kept. Exit 1 when nothing was new. Audited.

    Example: mxward quarantine learn 0aB3dEfGhIjKlMnO --ham
    """
    from mxward.server.cli.learn import lesson_of, report
    from mxward.server.services import learning, messages

    lesson = lesson_of(spam=spam, ham=ham, forget=forget)
    with opened(data, config) as context:
        raws = [messages.body(context, queue_id) for queue_id in queue_ids]
        done = learning.learn(context, raws, lesson, source=" ".join(queue_ids[:20]))
    report(done, lesson, json=json)
