"""`mxward queue ...`: what waits, and what may be done with it; for people who know mailq, postqueue and postsuper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mxward.server.cli import group
from mxward.server.cli.common import (
    ConfigFile,
    Data,
    Json,
    QueueId,
    QueueIds,
    Reason,
    Recipient,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mxward.server.services.context import Context

app = group.make("queue", "Mail that waits for delivery or is held.")


@app.command("list")
def list_(
    data: Data = "",
    config: ConfigFile = "",
    json: Annotated[bool, typer.Option("--json", "-j", help="One JSON object a line, as postqueue -j.")] = False,
    text: Annotated[
        str, typer.Option("--text", metavar="TEXT", help="Sender, recipient, subject or queue id contains this.")
    ] = "",
    recipient: Annotated[str, typer.Option("--recipient", metavar="TEXT", help="A recipient contains this.")] = "",
    sender: Annotated[str, typer.Option("--sender", metavar="TEXT", help="The sender contains this.")] = "",
    held: Annotated[bool, typer.Option("--held", help="Only what is held.")] = False,
) -> None:
    """List the queue, oldest first: "*" is being delivered now, "!" is held.

    Example: mxward queue list -j --recipient @trust.example
    """
    from mxward.server.cli.output import emit
    from mxward.server.services import queue

    with opened(data, config) as context:
        entries = queue.entries(context, text=text, recipient=recipient, sender=sender, held_only=held)
        if json:
            for entry in entries:
                emit(entry)
        else:
            _print_like_mailq(entries)


def _print_like_mailq(entries: Iterable[dict[str, Any]]) -> None:
    import time

    from mxward.server.cli.output import line, safe

    marks = {"active": "*", "hold": "!"}
    size = count = 0
    for entry in entries:
        if not count:
            line("-Queue ID-          --Size-- ----Arrival Time---- -Sender/Recipient-------")
        count, size = count + 1, size + entry["message_size"]
        queue_id = entry["queue_id"] + marks.get(entry["queue_name"], "")
        arrival = time.strftime("%a %b %d %H:%M:%S", time.localtime(entry["arrival_time"]))
        line(f"{queue_id:<18} {entry['message_size']:>9} {arrival}  {safe(entry['sender'])}")
        for rcpt in entry["recipients"]:
            if rcpt.get("delay_reason"):
                line(f"{'':<19}({safe(rcpt['delay_reason'])})")
            line(f"{'':<50}{safe(rcpt['address'])}")
        line()
    line(f"-- {size // 1024} Kbytes in {count} Request{'s' if count != 1 else ''}." if count else "Mail queue is empty")


@app.command()
def show(queue_id: QueueId, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Show one message of the queue with its history, as `mxward message show`.

    Example: mxward queue show 0aB3dEfGhIjKlMnO
    """
    from mxward.server.cli import message

    message.show(queue_id, data, config, json)


@app.command()
def shape(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Count queued recipients by domain and age in minutes, as qshape.

    Example: mxward queue shape
    """
    from mxward.server.cli.output import emit, table
    from mxward.server.services import queue

    with opened(data, config) as context:
        rows = queue.shape(context)
    if json:
        for row in rows:
            emit(row)
    else:
        head = list(rows[0])
        table(["", *head[1:]], (list(row.values()) for row in rows), right=frozenset(range(1, len(head))))


@app.command()
def hold(
    queue_ids: QueueIds, reason: Reason = "", data: Data = "", config: ConfigFile = "", json: Json = False
) -> None:
    """Keep messages from being delivered until `unhold`.

    Example: mxward queue hold 0aB3dEfGhIjKlMnO --reason "asked by the ward"
    """
    from mxward.server.services import queue

    _act(data, config, json, "held", lambda context: queue.hold(context, queue_ids, reason=reason))


@app.command()
def unhold(
    queue_ids: QueueIds, reason: Reason = "", data: Data = "", config: ConfigFile = "", json: Json = False
) -> None:
    """Queue held messages again, as they are (`mxward quarantine release` scans them again first).

    Example: mxward queue unhold ALL
    """
    from mxward.server.services import queue

    _act(data, config, json, "queued", lambda context: queue.unhold(context, queue_ids, reason=reason))


@app.command()
def delete(
    queue_ids: QueueIds, reason: Reason = "", data: Data = "", config: ConfigFile = "", json: Json = False
) -> None:
    """Discard queued and held messages; the ledger keeps them as discarded, and nobody is notified.

    Example: mxward queue delete 0aB3dEfGhIjKlMnO --reason "loop"
    """
    from mxward.server.services import queue

    _act(data, config, json, "discarded", lambda context: queue.delete(context, queue_ids, reason=reason))


@app.command()
def requeue(queue_ids: QueueIds, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Try the delivery of some messages now.

    Example: mxward queue requeue 0aB3dEfGhIjKlMnO
    """
    from mxward.server.services import queue

    _act(data, config, json, "due now", lambda context: queue.requeue(context, queue_ids))


@app.command()
def flush(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Only recipients of this domain.")] = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Try the delivery of everything queued now, or of one domain.

    Example: mxward queue flush trust.example
    """
    from mxward.server.services import queue

    _act(data, config, json, "due now", lambda context: queue.flush(context, domain), may_be_none=True)


@app.command()
def reroute(
    queue_id: QueueId,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The recipient address to use instead.")],
    n: Recipient = None,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Send what is queued or held of a message to another address instead.

    Example: mxward queue reroute 0aB3dEfGhIjKlMnO postmaster@trust.example --n 0
    """
    from mxward.server.services import queue

    _act(data, config, json, "rerouted", lambda context: queue.reroute(context, queue_id, address, n=n))


def _act(
    data: str,
    config: str,
    json: bool,
    done: str,
    action: Callable[[Context], int],
    *,
    may_be_none: bool = False,
) -> None:
    """Run a change and say how many recipients it changed; none is the answer no."""
    from mxward.server.cli.output import emit, line

    with opened(data, config) as context:
        changed = action(context)
    if json:
        emit({"changed": changed})
    else:
        line(f"{changed} recipient{'s' if changed != 1 else ''} {done}")
    if not changed and not may_be_none:
        raise typer.Exit(1)
