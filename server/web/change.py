"""Every change goes through here: the form is read with limits and its token compared with the session's."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from mxward.server.web.form import FormError, read_form


async def read_change(request: Request) -> dict[str, str]:
    """Fields of a POST by a signed-in person. Raises FormError 403 without the session's token (field or header)."""
    fields = await read_form(request)
    check_token(request, request.headers.get("x-csrf-token") or fields.get("csrf", ""))
    return fields


def check_token(request: Request, token: str) -> None:
    expected = request.state.session.csrf
    if not hmac.compare_digest(expected.encode(), token.encode("utf-8", "replace")):
        raise FormError(403, "The page was too old. Go back, load it again and repeat what you did.")
