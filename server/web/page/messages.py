"""Search, and one message with everything but its body."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from mxward.server.services import messages
from mxward.server.services.errors import NotFound
from mxward.server.store.api import MessageQuery, MessageRow
from mxward.server.web import role, text
from mxward.server.web.console import Console
from mxward.server.web.page.list import PAGE, QUEUE_ID, fate_tag, older, query_of, table
from mxward.server.web.render import render

FILTERS: Final = ("text", "sender", "recipient", "subject", "verdict", "state")
MAX_RECIPIENTS: Final = 200  # of one message on its page
DIRECTIONS: Final = {"inbound": "Coming in", "outbound": "Going out", "internal": "Inside"}


async def search(request: Request) -> Response:
    """The newest messages, or those that match the filters, a page at a time."""
    console: Console = request.app.state.console
    query = query_of(request.query_params, PAGE + 1)
    rows = await console.call(messages.find, request.state.session.user, query)
    filters = {name: getattr(query, name) for name in FILTERS}
    searching = any(filters.values())
    caption = "Messages found" if searching else "All messages, newest first"
    values = table(rows[:PAGE], caption) | {"next": older("/messages", filters, rows)}
    return render(request, "messages.html", query=query, searching=searching, **values)


async def message(request: Request) -> Response:
    """One message: why, recipients, findings, envelope, history."""
    console: Console = request.app.state.console
    row, events = await console.call(messages.show, request.state.session.user, queue_id_of(request))
    found = row.judgement
    session = request.state.session
    return render(
        request,
        "message.html",
        row=row,
        events=events,
        paragraphs=messages.explain(row).strip().split("\n\n")[: MAX_RECIPIENTS + 1],
        most=MAX_RECIPIENTS,
        hits=sorted(found.get("hits", ()), key=lambda hit: -abs(hit["weight"])),
        not_inspected=found.get("not_inspected", ()),
        envelope=envelope(row),
        addresses={rcpt.n: rcpt.address for rcpt in row.recipients},
        fate_tag=fate_tag,
        may_learn=role.may(session, "learn", row),
        verbs=[verb for verb in ("release", "delete") if role.kept(row) and role.may(session, verb, row)],
    )


def queue_id_of(request: Request) -> str:
    """The queue id in the path. Raises NotFound when it cannot be one."""
    queue_id = str(request.path_params["queue_id"])
    if not QUEUE_ID.fullmatch(queue_id):
        raise NotFound("There is no such message.")
    return queue_id


def envelope(row: MessageRow) -> list[tuple[str, Any]]:
    """How it came: name and value of each line, empty ones left out."""
    client = Markup("{} {}").format(text.from_mail(row.client_name), text.from_mail(row.client_ip))
    lines: list[tuple[str, Any, bool]] = [
        ("Received", text.when_exactly(row.received_at), True),
        ("Direction", DIRECTIONS.get(row.direction, text.visible(row.direction)), bool(row.direction)),
        ("Sender (envelope)", text.from_mail(row.sender, "no sender (a notification)"), True),
        ("From (as people see it)", text.from_mail(row.header_from), bool(row.header_from)),
        ("Came from", client, bool(row.client_ip)),
        ("Called itself", text.from_mail(row.helo), bool(row.helo)),
        ("Protocol", text.from_mail(f"{row.protocol} {row.tls}".strip()), True),
        ("Signed in as", text.from_mail(row.auth_user), bool(row.auth_user)),
        ("Size", text.size(row.size), True),
        ("Message-ID", text.from_mail(row.message_id), bool(row.message_id)),
        ("About message", _link(row.parent), bool(row.parent)),
        ("Policy", text.from_mail(row.policy_version), bool(row.policy_version)),
    ]
    return [(name, value) for name, value, is_there in lines if is_there]


def _link(queue_id: str) -> Markup:
    return Markup('<a class="nhsuk-link" href="/messages/{0}">{0}</a>').format(queue_id)


async def last(console: Console, actor: str, limit: int) -> list[MessageRow]:
    """The newest messages, for the overview."""
    return await console.call(messages.find, actor, MessageQuery(limit=limit))
