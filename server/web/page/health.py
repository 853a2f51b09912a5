"""For machines: is the process alive, is the gateway ready, and its numbers for Prometheus."""

from __future__ import annotations

from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from mxward.server.services import ledger
from mxward.server.services.context import Context
from mxward.server.web import access, prometheus
from mxward.server.web.console import Console
from mxward.server.web.ready import problems
from mxward.server.web.render import error_page

FRESH: Final = 2.0
ACTOR: Final = "probe"


async def healthz(_request: Request) -> Response:
    """200 as long as this process answers at all."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """200, or 503 with the reasons; an outsider learns only which of the two."""
    console: Console = request.app.state.console
    found = await console.cached("ready", FRESH, lambda: console.call(problems, ACTOR))
    body: dict[str, Any] = {"ready": not found}
    if may_see(request):
        body["problems"] = found
    return JSONResponse(body, 503 if found else 200)


async def metrics(request: Request) -> Response:
    """Prometheus text, for this machine itself or someone signed in."""
    console: Console = request.app.state.console
    if not may_see(request):
        return error_page(request, 403, "The numbers are for this machine itself, or for someone signed in.")
    text = await console.cached("metrics", FRESH, lambda: console.call(_exposition, ACTOR))
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_see(request: Request) -> bool:
    client = request.client.host if request.client else None
    return request.state.session is not None or access.is_local(client, request.headers)


def _exposition(context: Context) -> bytes:
    return prometheus.exposition(context.config.data / "run" / "metrics", ledger.verify(context), context.store)
