"""The application: every route in one table, the guard in front, and what each kind of error answers."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mxward.core.errors import StoreError
from mxward.server.services.errors import BadRequest, NotFound, NotRunning, Refused
from mxward.server.web import api
from mxward.server.web.console import Console
from mxward.server.web.form import FormError
from mxward.server.web.guard import Guard
from mxward.server.web.page import health, learn, ledger, login, messages, overview, quarantine, rules
from mxward.server.web.render import STATIC, error_page

STATUS: Final[dict[type[Exception], int]] = {NotFound: 404, BadRequest: 400, Refused: 409, NotRunning: 503}
STORE_TROUBLE: Final = "The store cannot be read just now. Mail that was accepted is safe. Try again in a moment."


async def icon(_request: Request) -> Response:
    return FileResponse(STATIC / "mark.svg")


def routes() -> list[Route | Mount]:
    return [
        Route("/", overview.overview),
        Route("/live", overview.live),
        Route("/login", login.login, methods=["GET", "POST"]),
        Route("/logout", login.logout, methods=["POST"]),
        Route("/password", login.password, methods=["GET", "POST"]),
        Route("/messages", messages.search),
        Route("/messages/{queue_id}", messages.message),
        Route("/messages/{queue_id}/learn", learn.page, methods=["GET", "POST"]),
        Route("/quarantine", quarantine.listing),
        Route("/quarantine/{queue_id}/release", quarantine.release, methods=["GET", "POST"]),
        Route("/quarantine/{queue_id}/delete", quarantine.delete, methods=["GET", "POST"]),
        Route("/ledger", ledger.page),
        Route("/rules", rules.listing),
        Route("/rules/{name}", rules.pack),
        Route("/rules/{name}/enable", rules.enable, methods=["GET", "POST"]),
        Route("/rules/{name}/disable", rules.disable, methods=["GET", "POST"]),
        Route("/rules/{name}/rollback", rules.rollback, methods=["GET", "POST"]),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
        Route("/favicon.ico", icon),
        *api.routes(),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]


async def _form_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, FormError)
    return error_page(request, error.status, error.sentence)


async def _service_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    return error_page(request, status, quarantine.sentence_of(error))


async def _store_error(request: Request, error: Exception) -> Response:
    console: Console = request.app.state.console
    console.log.exception("web_store_error", error)
    return error_page(request, 503, STORE_TROUBLE)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = {404: "There is no such page.", 405: "That is not possible here."}.get(error.status_code, error.detail)
    return error_page(request, error.status_code, sentence, headers=error.headers)


def build(console: Console) -> Starlette:
    """The ASGI application over one Console."""
    app = Starlette(
        routes=routes(),
        middleware=[Middleware(Guard, console=console)],
        exception_handlers={
            FormError: _form_error,
            StoreError: _store_error,
            HTTPException: _http_error,
            **dict.fromkeys(STATUS, _service_error),
        },
    )
    app.router.redirect_slashes = False
    app.state.console = console
    return app
