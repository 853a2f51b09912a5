"""The first page: counts as of now, whether the ledger adds up, the last messages; and the part that refreshes."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from mxward.server import metrics
from mxward.server.engines.setup import health
from mxward.server.sandbox import report
from mxward.server.services import ledger, messages, status
from mxward.server.services.context import Context
from mxward.server.store.api import BOUNCED, DELIVERED, MessageQuery
from mxward.server.web.console import Console
from mxward.server.web.page.ledger import values_of
from mxward.server.web.page.list import table
from mxward.server.web.render import render
from mxward.server.web.text import VERDICTS

SECONDS: Final = 10  # between automatic refreshes
LAST: Final = 20
ANSWER_S: Final = 1.0  # that another scanner may take to say that it lives
DAY_US: Final = 86_400_000_000
FRESH: Final = 3.0  # seconds that one count serves every viewer


async def overview(request: Request) -> Response:
    """The whole page; `?refresh=off` makes one that stays as it is (WCAG 2.2.2)."""
    refreshing = request.query_params.get("refresh") != "off"
    return render(request, "home.html", refreshing=refreshing, seconds=SECONDS, **await _values(request))


async def live(request: Request) -> Response:
    """Only what changes, for the script that refreshes; asking for it does not keep a session alive."""
    return render(request, "part/live.html", **await _values(request))


async def _values(request: Request) -> dict[str, Any]:
    console: Console = request.app.state.console
    return await console.cached("overview", FRESH, lambda: console.call(_collect, request.state.session.user))


def _collect(context: Context) -> dict[str, Any]:
    now = context.clock.now_us()
    account = ledger.verify(context)
    day = context.store.counts(now - DAY_US)
    rows = messages.find(context, MessageQuery(limit=LAST))
    refused = metrics.total(context.config.data / "run" / "metrics")["smtp_refused_total"]
    values = table(rows, "The last messages") | values_of(account) | rules_state(context)
    values |= {"sandbox": report.read(context.config.data), "engines_down": _down(context)}
    return values | {"now": now, "counts": _counts(account, day, refused), "verdicts": _verdicts(day["by_verdict"])}


def _down(context: Context) -> list[str]:
    """Servers of other scanners that do not answer, each with why."""
    found = health(context.config, ANSWER_S)
    return [f"{e['name']}, {server}: {fault}" for e in found for server, fault in e["servers"].items() if fault]


def rules_state(context: Context) -> dict[str, Any]:
    """What part/rules_state.html tells: which rules are not there yet, or why they will not be; "" when all are."""
    data = context.config.data
    return {"rules_loading": status.loading(data), "rules_fault": status.fault_of_rules(data)}


def _counts(account: dict[str, Any], day: dict[str, Any], refused: int) -> list[dict[str, Any]]:
    states = day["by_state"]
    return [
        {"name": "Accepted", "n": sum(day["by_verdict"].values()), "note": "messages, 24 hours"},
        {"name": "Delivered", "n": states.get(DELIVERED, 0), "note": "recipients, 24 hours"},
        {"name": "Returned", "n": states.get(BOUNCED, 0), "note": "recipients, 24 hours"},
        {"name": "Waiting", "n": account["queued"], "note": "recipients, now"},
        {"name": "Kept back", "n": account["held"], "note": "held or in quarantine, now"},
        {"name": "Refused", "n": refused, "note": "messages not accepted, since installation"},
    ]


def _verdicts(by_verdict: dict[str, int]) -> list[tuple[str, int]]:
    """In order of severity, without those that did not occur."""
    return [(verdict, by_verdict[verdict]) for verdict in VERDICTS if by_verdict.get(verdict)]
