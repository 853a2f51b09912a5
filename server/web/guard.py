"""The middleware in front of every page: method, host, origin, session, security headers, and what a crash answers.

Rules are in access.py; here is only their order. Pages find the session in `request.state.session`.
"""

from __future__ import annotations

import secrets
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mxward.server.web import access, cookie
from mxward.server.web.console import Console
from mxward.server.web.form import MAX_BODY_BYTES
from mxward.server.web.render import error_page
from mxward.server.web.session import Session


class Guard:
    """Pure ASGI middleware; anything it refuses never reaches the router."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self._app, self._console = app, console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no page speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        secured, started = self._secured(scope, send)
        request = Request(scope, receive)
        try:
            refusal = await self._refuse(request)
            await (refusal or self._app)(scope, receive, secured)
        except Exception as error:
            reference = secrets.token_hex(4)
            # the route, not the path: a path can hold what someone searched for
            self._console.log.exception("web_request_failed", error, reference=reference, method=scope["method"])
            if started:
                raise
            sentence = "Something went wrong on our side. Nothing was changed twice; the log has the details."
            await error_page(request, 500, sentence, reference=reference)(scope, receive, secured)

    def _secured(self, scope: Scope, send: Send) -> tuple[Send, list[bool]]:
        started: list[bool] = []
        is_static = scope["path"].startswith(access.PUBLIC_PREFIX)

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(True)
                headers = MutableHeaders(scope=message)
                headers.raw.extend(access.HEADERS)
                if self._console.config.web.secure_cookies:
                    headers.raw.append(access.HSTS)
                if not is_static:
                    headers.raw.append(access.NO_STORE)
            await send(message)

        return secured, started

    async def _refuse(self, request: Request) -> Response | None:
        """The answer to a request that may not go on; None when it may."""
        request.state.session = None
        return self._refuse_head(request) or self._refuse_change(request) or await self._refuse_person(request)

    def _refuse_head(self, request: Request) -> Response | None:
        hosts = Headers(scope=request.scope).getlist("host")
        if len(hosts) != 1 or not access.is_host_allowed(hosts[0], self._console.config):
            return Response("This name is not served here.\n", 421, media_type="text/plain")
        if request.method not in access.METHODS:
            return error_page(request, 405, "That is not possible here.", headers={"allow": "GET, HEAD, POST"})
        target = len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"])
        if target > access.MAX_TARGET_BYTES:
            return error_page(request, 414, "The address is too long.")
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return error_page(request, 413, "What was sent is too large.")
        return None

    def _refuse_change(self, request: Request) -> Response | None:
        secure = self._console.config.web.secure_cookies
        if request.method == "POST" and not access.is_same_origin(request.headers, secure=secure):
            self._console.log.warning("web_foreign_request", client=request.client.host if request.client else "")
            return error_page(request, 403, "This did not come from a page of the console.")
        return None

    async def _refuse_person(self, request: Request) -> Response | None:
        path = request.url.path
        session = request.state.session = await self._session(request)
        if access.is_public(path):
            return None
        if session is None:
            return _sign_in(request)
        if session.must_change and path not in access.BEFORE_CHANGE:
            return _elsewhere(request, "/password", 403, "Change your password first.")
        return None

    async def _session(self, request: Request) -> Session | None:
        """The live session of the request's cookie; the account behind it is looked at every few seconds."""
        sessions = self._console.sessions
        token = request.cookies.get(cookie.session_name(self._console.config), "")
        session = sessions.find(token, touch=request.url.path not in access.AUTOMATIC) if token else None
        if session is None or not sessions.is_due(session):
            return session
        user = await self._console.account(session.user)
        if session.still_holds(user):
            return session
        sessions.end(session)
        return None


def _sign_in(request: Request) -> Response:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_page = request.method == "GET" and request.url.path not in access.AUTOMATIC and target != "/"
    place = f"/login?next={quote(target, safe='')}" if is_page else "/login"
    return _elsewhere(request, place, 401, "Sign in first.")


def _elsewhere(request: Request, place: str, status: int, sentence: str) -> Response:
    """Send a person to another page; a program gets the status, a refreshing page the order to go there itself."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": sentence}, status)
    if request.headers.get("hx-request"):
        return Response(status_code=status, headers={"hx-redirect": place})
    return RedirectResponse(place, 303)
