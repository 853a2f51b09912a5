"""Templates to pages: one Jinja2 environment, escaping always on, a missing name is an error and not a blank."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

import mxward
from mxward.server.web import text

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
NAVIGATION: Final = (
    ("/", "Overview"), ("/messages", "Messages"), ("/quarantine", "Quarantine"), ("/rules", "Rules"),
    ("/ledger", "Ledger"),
)  # fmt: skip


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        mail=text.from_mail,
        visible=text.visible,
        when=text.when,
        when_exactly=text.when_exactly,
        size=text.size,
        number=text.number,
        state_words=text.state_words,
        verdict_words=text.verdict_words,
    )
    environment.globals.update(
        tag=text.tag,
        fate=text.fate,
        zone=text.ZONE_WORDS,
        navigation=NAVIGATION,
        version=mxward.__version__,
        STATES=text.STATES,
        VERDICTS=text.VERDICTS,
        nhsuk="/static/vendor/nhsuk-frontend-10.6.1/nhsuk-frontend.min.css",
        htmx="/static/vendor/htmx.org-4.0.1/htmx.min.js",
    )
    return environment


ENVIRONMENT: Final = _environment()


def render(
    request: Request, template: str, status: int = 200, *, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """A page, with the signed-in session (or None) and its notice, which is shown once."""
    session = request.state.session
    notice = ""
    if session is not None and not template.startswith("part/"):
        notice, session.notice = session.notice, ""
    page = ENVIRONMENT.get_template(template)
    html = page.render(session=session, path=request.url.path, notice=notice, errors=values.pop("errors", ()), **values)
    return HTMLResponse(html.encode("utf-8", "replace"), status, headers=headers)


TITLES: Final = {
    400: "There is a problem with what was sent",
    403: "You cannot do that",
    404: "Page not found",
    405: "That is not possible here",
    409: "That was not done",
    413: "Too large",
    429: "Too many tries",
    503: "Try again in a moment",
}


def error_page(
    request: Request,
    status: int,
    sentence: str,
    *,
    reference: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One sentence about what went wrong, as a page or, under /api, as JSON."""
    if request.url.path.startswith("/api/"):
        body = {"error": sentence} | ({"reference": reference} if reference else {})
        return JSONResponse(body, status, headers=headers)
    title = TITLES.get(status, "Sorry, there is a problem")
    return render(request, "error.html", status, headers=headers, title=title, sentence=sentence, reference=reference)
