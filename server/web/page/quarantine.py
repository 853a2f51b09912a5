"""The quarantine: what is kept back, and releasing or deleting it: a page that asks, then a POST that acts."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mxward.server.services import messages, quarantine
from mxward.server.services.errors import BadRequest, Refused
from mxward.server.store.api import MessageRow
from mxward.server.web import role
from mxward.server.web.change import read_change
from mxward.server.web.console import Console
from mxward.server.web.form import FormError
from mxward.server.web.page.list import MAX_FILTER, PAGE, before_of, older, table
from mxward.server.web.page.messages import envelope, queue_id_of
from mxward.server.web.render import error_page, render
from mxward.server.web.text import from_mail

MAX_REASON: Final = 500
HEADINGS: Final = {"release": "Release this message?", "delete": "Delete this message?"}
BUTTONS: Final = {"release": "Release", "delete": "Delete"}
CONSEQUENCES: Final = {
    "release": "It is scanned again with today’s rules and then delivered as it was sent.",
    "delete": "It is not delivered to anyone and nobody is told. This cannot be undone.",
}
NOT_KEPT: Final = "This message is not kept back any more: someone else may have dealt with it."
NOT_YOURS: Final = "Your role does not let you do that with this message. Ask the security team."


async def listing(request: Request) -> Response:
    """What is held or in quarantine, newest first."""
    session = request.state.session
    filters = filters_of(request)
    rows = await find(request, filters, PAGE + 1)
    values = table(rows[:PAGE], "Kept back, newest first") | {"next": older("/quarantine", filters, rows)}

    def verbs(row: MessageRow) -> list[str]:
        return [verb for verb in ("release", "delete") if role.may(session, verb, row)]

    values |= {"kept": role.kept, "verbs": verbs, **filters}
    return render(request, "quarantine.html", **values)


def filters_of(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip()[:MAX_FILTER] for name in ("text", "recipient")}


async def find(request: Request, filters: dict[str, str], limit: int) -> list[MessageRow]:
    console: Console = request.app.state.console
    return await console.call(
        quarantine.entries,
        request.state.session.user,
        text=filters["text"],
        recipient=filters["recipient"],
        before_id=before_of(request.query_params),
        limit=limit,
    )


async def release(request: Request) -> Response:
    return await _decide(request, "release")


async def delete(request: Request) -> Response:
    return await _decide(request, "delete")


async def _decide(request: Request, verb: str) -> Response:
    """GET asks, POST acts. 403 when the role may not, 409 when there is nothing to decide any more."""
    console: Console = request.app.state.console
    session = request.state.session
    row, _ = await console.call(messages.show, session.user, queue_id_of(request))
    fields = await read_change(request) if request.method == "POST" else {}
    if not role.may(session, verb, row):
        return error_page(request, 403, NOT_YOURS)
    if not role.kept(row):
        return error_page(request, 409, NOT_KEPT)
    if request.method != "POST":
        return _ask(request, verb, row)
    return await _act(request, verb, row, fields)


async def _act(request: Request, verb: str, row: MessageRow, fields: dict[str, str]) -> Response:
    reason = fields.get("reason", "").strip()[:MAX_REASON]
    force = verb == "release" and fields.get("force") == "yes" and role.may(request.state.session, "force", row)
    if force and not reason:
        return _ask(request, verb, row, fields, [("reason", "Enter a reason.")], offer=True)
    try:
        teach = fields.get("teach") == "yes" and role.may(request.state.session, "learn", row)
        n = number_of(fields, row)
        notice = await act(request, verb, row.queue_id, n=n, reason=reason, force=force, teach=teach)
    except (Refused, BadRequest) as error:
        offer = verb == "release" and role.may(request.state.session, "force", row)
        return _ask(request, verb, row, fields, [("", sentence_of(error))], offer=offer)
    request.state.session.notice = notice
    return RedirectResponse("/quarantine", 303)


async def act(
    request: Request, verb: str, queue_id: str, *, n: int | None, reason: str, force: bool, teach: bool = False
) -> str:
    """Release or delete; returns what was done, in words. Raises Refused, BadRequest, NotFound."""
    console: Console = request.app.state.console
    user = request.state.session.user
    if verb == "release":
        await console.call(quarantine.release, user, queue_id, n=n, force=force, reason=reason, teach=teach)
        return "The message was released and is on its way."
    changed = await console.call(quarantine.delete, user, queue_id, n=n, reason=reason)
    if not changed:
        raise Refused(NOT_KEPT)
    return "The message was deleted."


def number_of(fields: dict[str, str], row: MessageRow) -> int | None:
    """The recipient number a form names, None for all. Raises FormError 400 when it is not one that is kept."""
    text = fields.get("n", "")
    if not text:
        return None
    if text not in {str(rcpt.n) for rcpt in role.kept(row)}:
        raise FormError(400, "There is no such recipient.")
    return int(text)


def sentence_of(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _ask(
    request: Request,
    verb: str,
    row: MessageRow,
    fields: dict[str, str] | None = None,
    errors: list[tuple[str, str]] | None = None,
    *,
    offer: bool = False,
) -> Response:
    given = fields or {}
    subject = ("Subject", from_mail(row.subject, "no subject"))
    values: dict[str, Any] = {
        "heading": HEADINGS[verb], "consequence": CONSEQUENCES[verb], "button": BUTTONS[verb], "verb": verb,
        "row": row, "kept": role.kept(row), "envelope": [subject, *envelope(row)][:5],
        "n": given.get("n", ""), "reason_given": given.get("reason", "")[:MAX_REASON], "force_offered": offer,
        "may_teach": verb == "release" and role.may(request.state.session, "learn", row),
    }  # fmt: skip
    return render(request, "confirm.html", 409 if errors else 200, errors=errors or [], **values)
