"""The JSON API: what the pages show, for programs; described in openapi.py. Changes take URL-encoded forms."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mxward.server.services import ledger, messages, status
from mxward.server.store.api import MessageRow
from mxward.server.web import openapi, role
from mxward.server.web.change import read_change
from mxward.server.web.console import Console
from mxward.server.web.form import FormError
from mxward.server.web.page import learn as learn_page
from mxward.server.web.page import quarantine as quarantine_page
from mxward.server.web.page.list import PAGE, query_of
from mxward.server.web.page.messages import queue_id_of
from mxward.server.web.render import error_page

MAX_LIMIT: Final = 200


def _console(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


async def session(request: Request) -> Response:
    """Who is signed in, and the token that changes need."""
    who = request.state.session
    return JSONResponse({"user": who.user, "role": who.role, "csrf": who.csrf})


async def find(request: Request) -> Response:
    limit = _limit(request)
    query = query_of(request.query_params, limit + 1)
    rows = await _console(request).call(messages.find, request.state.session.user, query)
    return _page_of(rows, limit)


async def show(request: Request) -> Response:
    row, events = await _console(request).call(messages.show, request.state.session.user, queue_id_of(request))
    return JSONResponse(messages.as_dict(row, events) | {"explanation": messages.explain(row)})


async def kept(request: Request) -> Response:
    limit = _limit(request)
    rows = await quarantine_page.find(request, quarantine_page.filters_of(request), limit + 1)
    return _page_of(rows, limit)


async def release(request: Request) -> Response:
    return await _decide(request, "release")


async def delete(request: Request) -> Response:
    return await _decide(request, "delete")


async def learn(request: Request) -> Response:
    fields = await read_change(request)
    who = request.state.session
    row, _ = await _console(request).call(messages.show, who.user, queue_id_of(request))
    if not role.may(who, "learn", row):
        return error_page(request, 403, learn_page.NOT_YOURS)
    return JSONResponse({"done": await learn_page.act(request, row.queue_id, fields)})


async def _decide(request: Request, verb: str) -> Response:
    fields = await read_change(request)
    who = request.state.session
    row, _ = await _console(request).call(messages.show, who.user, queue_id_of(request))
    force = fields.get("force") == "yes"
    if not role.may(who, verb, row) or (force and not role.may(who, "force", row)):
        return error_page(request, 403, quarantine_page.NOT_YOURS)
    if not role.kept(row):
        return error_page(request, 409, quarantine_page.NOT_KEPT)
    done = await quarantine_page.act(
        request,
        verb,
        row.queue_id,
        n=quarantine_page.number_of(fields, row),
        reason=fields.get("reason", "")[: quarantine_page.MAX_REASON],
        force=force,
        teach=fields.get("teach") == "yes" and role.may(who, "learn", row),
    )
    return JSONResponse({"done": done})


async def account(request: Request) -> Response:
    return JSONResponse(await _console(request).call(ledger.verify, request.state.session.user))


async def state(request: Request) -> Response:
    return JSONResponse(await _console(request).call(status.collect, request.state.session.user))


async def describe(_request: Request) -> Response:
    return JSONResponse(openapi.document())


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        raise FormError(400, f"The limit must be 1 to {MAX_LIMIT}.")
    return int(text)


def _page_of(rows: list[MessageRow], limit: int) -> Response:
    following = rows[limit - 1].queue_id if len(rows) > limit else None
    return JSONResponse({"messages": [messages.as_dict(row) for row in rows[:limit]], "next": following})


def routes() -> list[Route]:
    return [
        Route("/api/session", session),
        Route("/api/messages", find),
        Route("/api/messages/{queue_id}", show),
        Route("/api/messages/{queue_id}/learn", learn, methods=["POST"]),
        Route("/api/quarantine", kept),
        Route("/api/quarantine/{queue_id}/release", release, methods=["POST"]),
        Route("/api/quarantine/{queue_id}/delete", delete, methods=["POST"]),
        Route("/api/ledger", account),
        Route("/api/status", state),
        Route("/api/openapi.json", describe),
    ]
