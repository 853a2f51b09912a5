"""The ledger: accepted = the sum of the rest, or a clear warning."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from mxward.server.services import ledger
from mxward.server.web.console import Console
from mxward.server.web.render import render

PARTS: Final = (
    ("queued", "waiting"),
    ("delivered", "delivered"),
    ("held", "kept back"),
    ("discarded", "discarded"),
    ("bounced", "returned"),
    ("redirected", "redirected"),
)
FRESH: Final = 1.0


def values_of(account: dict[str, Any]) -> dict[str, Any]:
    """The values that the ledger's templates need."""
    parts = [(words, account[key]) for key, words in PARTS]
    return {"ledger": account, "ledger_parts": parts, "ledger_sum": sum(n for _, n in parts)}


async def page(request: Request) -> Response:
    console: Console = request.app.state.console
    user = request.state.session.user
    account = await console.cached("ledger", FRESH, lambda: console.call(ledger.verify, user))
    return render(request, "ledger.html", now=console.clock.now_us(), **values_of(account))
