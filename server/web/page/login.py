"""Sign in, sign out, change the password."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mxward.server.addresses import client_key
from mxward.server.services import users
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest
from mxward.server.store.api import UserRow
from mxward.server.web import access, cookie
from mxward.server.web.change import read_change
from mxward.server.web.console import Busy, Console
from mxward.server.web.form import FormError, read_form
from mxward.server.web.render import render

Errors = list[tuple[str, str]]

WRONG: Final = "The user name or the password is not right."
BUSY: Final = "Many people are signing in just now. Try again in a few seconds."


async def login(request: Request) -> Response:
    """GET shows the form, POST tries a name and a password."""
    console: Console = request.app.state.console
    if request.method != "POST":
        return _form(request, next_=access.safe_next(request.query_params.get("next", "/")))
    fields = await read_form(request)
    if not cookie.is_login_token(request, fields.get("csrf", ""), console.secret, console.config):
        sentence = "The page was too old, or your browser does not keep cookies. Try again."
        return _form(request, 403, [("", sentence)], fields)
    name, password = fields.get("user", "").strip().lower(), fields.get("password", "")
    missing = [(f, w) for f, v, w in (("user", name, "Enter your user name."),
                                      ("password", password, "Enter your password.")) if not v]  # fmt: skip
    if missing:
        return _form(request, 400, missing, fields)
    return await _try(request, console, name, password, fields)


async def _try(request: Request, console: Console, name: str, password: str, fields: dict[str, str]) -> Response:
    client = client_key(request.client.host if request.client else "")
    keys = (f"account:{name[:64]}", f"client:{client}")
    if console.throttle.wait(*keys) > 0:
        return _locked(request, console, keys, fields)
    # Counted before it is known to be wrong, so that guesses sent at the same time are counted each.
    console.throttle.fail(*keys)
    try:
        user = await console.call_password(users.verify, name, name, password)
    except Busy:
        console.throttle.forgive(*keys)
        return _form(request, 503, [("", BUSY)], fields)
    if user is None:
        console.log.warning("web_login_failed", client=client)
        if console.throttle.wait(*keys) > 0:
            return _locked(request, console, keys, fields)
        return _form(request, 401, [("user", WRONG)], fields)
    console.throttle.succeed(keys[0])
    console.throttle.forgive(keys[1])  # a right one does not wipe out what the same client guessed before
    await console.call(_audit, name, "web.login", client)
    return _enter(request, console, user, access.safe_next(fields.get("next", "/")))


def _audit(context: Context, action: str, client: str) -> None:
    context.audit(action, context.actor, client=client)


def _enter(request: Request, console: Console, user: UserRow, target: str) -> Response:
    """A new session under a new token; the one that the browser may still hold ends."""
    if request.state.session is not None:
        console.sessions.end(request.state.session)
    token, _ = console.sessions.create(user)
    response = RedirectResponse("/password" if user.must_change else target, 303)
    cookie.set_session(response, token, console.config)
    return response


def _locked(request: Request, console: Console, keys: tuple[str, ...], fields: dict[str, str]) -> Response:
    seconds = console.throttle.wait(*keys)
    minutes = max(1, round(seconds / 60))
    sentence = f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again."
    return _form(request, 429, [("", sentence)], fields, headers={"retry-after": str(int(seconds) + 1)})


def _form(
    request: Request,
    status: int = 200,
    errors: Errors | None = None,
    fields: dict[str, str] | None = None,
    *,
    next_: str = "/",
    headers: dict[str, str] | None = None,
) -> Response:
    console: Console = request.app.state.console
    given = fields or {}
    nonce, token = cookie.login_token(request, console.secret, console.config)
    target = access.safe_next(given.get("next", next_))
    values = {"token": token, "next": target, "user": given.get("user", "")[:64], "errors": errors or []}
    response = render(request, "login.html", status, headers=headers, **values)
    cookie.set_login(response, nonce, console.config)
    return response


async def logout(request: Request) -> Response:
    """POST ends the session."""
    console: Console = request.app.state.console
    await read_change(request)
    session = request.state.session
    console.sessions.end(session)
    await console.call(_audit, session.user, "web.logout", "")
    response = RedirectResponse("/login", 303)
    cookie.clear_session(response, console.config)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


async def password(request: Request) -> Response:
    """GET shows the form, POST changes the password and ends every other session of this person."""
    if request.method != "POST":
        return render(request, "password.html", minimum=users.MIN_PASSWORD)
    fields = await read_change(request)
    errors = _look_at(fields)
    if not errors:
        try:
            errors = await _change(request, fields)
        except Busy:
            errors = [("", BUSY)]
    if errors:
        return render(request, "password.html", 400, minimum=users.MIN_PASSWORD, errors=errors)
    return await _renew(request)


def _look_at(fields: dict[str, str]) -> Errors:
    new = fields.get("new", "")
    if not fields.get("current"):
        return [("current", "Enter your current password.")]
    if len(new) < users.MIN_PASSWORD:
        return [("new", f"The new password needs at least {users.MIN_PASSWORD} characters.")]
    if new != fields.get("again", ""):
        return [("again", "The two new passwords are not the same.")]
    if new == fields["current"]:
        return [("new", "The new password must differ from the current one.")]
    return []


async def _change(request: Request, fields: dict[str, str]) -> Errors:
    console: Console = request.app.state.console
    name = request.state.session.user
    keys = (f"account:{name}",)
    if console.throttle.wait(*keys) > 0:
        raise FormError(429, "Too many tries with a wrong password. Wait some minutes and try again.")
    if await console.call_password(users.verify, name, name, fields["current"]) is None:
        console.throttle.fail(*keys)
        return [("current", "The current password is not right.")]
    try:
        await console.call_password(users.set_password, name, name, fields["new"])
    except BadRequest as error:
        return [("new", str(error))]
    console.throttle.succeed(*keys)
    return []


async def _renew(request: Request) -> Response:
    """End every session of this person and go on in a new one."""
    console: Console = request.app.state.console
    name = request.state.session.user
    console.sessions.end_user(name)
    user = await console.account(name)
    if user is None:
        return RedirectResponse("/login", 303)
    token, session = console.sessions.create(user)
    session.notice = "Your password was changed."
    response = RedirectResponse("/", 303)
    cookie.set_session(response, token, console.config)
    return response
