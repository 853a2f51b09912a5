"""The two cookies of the console: the session's, and the one that ties the log-in form to the browser it went to."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from mxward.server.config import Config

LOGIN_MINUTES: Final = 60


def session_name(config: Config) -> str:
    """`__Host-` makes browsers refuse the cookie without Secure, with a Domain or with another path."""
    return "__Host-mxward_session" if config.web.secure_cookies else "mxward_session"


def login_name(config: Config) -> str:
    return "__Host-mxward_login" if config.web.secure_cookies else "mxward_login"


def _set(response: Response, name: str, value: str, config: Config, max_age: int | None) -> None:
    response.set_cookie(
        name, value, max_age=max_age, path="/", httponly=True, samesite="strict", secure=config.web.secure_cookies
    )


def set_session(response: Response, token: str, config: Config) -> None:
    _set(response, session_name(config), token, config, None)


def clear_session(response: Response, config: Config) -> None:
    _set(response, session_name(config), "", config, 0)


def login_token(request: Request, secret: bytes, config: Config) -> tuple[str, str]:
    """(cookie value, form token) of the log-in form; the cookie is kept when the browser already has one."""
    nonce = request.cookies.get(login_name(config), "")
    if not 20 <= len(nonce) <= 64 or not nonce.isascii():
        nonce = secrets.token_urlsafe(24)
    return nonce, sign(nonce, secret)


def set_login(response: Response, nonce: str, config: Config) -> None:
    _set(response, login_name(config), nonce, config, LOGIN_MINUTES * 60)


def is_login_token(request: Request, token: str, secret: bytes, config: Config) -> bool:
    nonce = request.cookies.get(login_name(config), "")
    return bool(nonce) and hmac.compare_digest(sign(nonce, secret).encode(), token.encode("utf-8", "replace"))


def sign(nonce: str, secret: bytes) -> str:
    return hmac.digest(secret, nonce.encode("utf-8", "replace"), hashlib.sha256).hex()
