"""Teaching the classifier by a message: "this is unwanted", "this is wanted", or taking that back."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mxward.server.services import learning, messages
from mxward.server.services.context import Context
from mxward.server.web import role
from mxward.server.web.change import read_change
from mxward.server.web.console import Console
from mxward.server.web.form import FormError
from mxward.server.web.page.messages import envelope, queue_id_of
from mxward.server.web.render import error_page, render
from mxward.server.web.text import from_mail

NOT_YOURS: Final = "Your role does not let you teach the classifier. Ask the security team."
NOTICES: Final = {
    "spam": "The classifier has learned that this is unwanted.",
    "ham": "The classifier has learned that this is wanted.",
    "forget": "The classifier has forgotten this message.",
}
KNOWN: Final = "The classifier knew that already: nothing was changed."


async def page(request: Request) -> Response:
    """GET asks what the message is, POST teaches it. 403 when the role may not."""
    console: Console = request.app.state.console
    session = request.state.session
    row, _ = await console.call(messages.show, session.user, queue_id_of(request))
    fields = await read_change(request) if request.method == "POST" else {}
    if not role.may(session, "learn", row):
        return error_page(request, 403, NOT_YOURS)
    if request.method != "POST":
        lesson = await console.call(_lesson, session.user, row.queue_id)
        lines = [("Subject", from_mail(row.subject, "no subject")), *envelope(row)][:5]
        return render(request, "learn.html", row=row, envelope=lines, lesson=lesson)
    session.notice = await act(request, row.queue_id, fields)
    return RedirectResponse(f"/messages/{row.queue_id}", 303)


async def act(request: Request, queue_id: str, fields: dict[str, str]) -> str:
    """Teach by a message; returns what was done, in words. Raises FormError for another lesson, NotFound."""
    lesson = fields.get("lesson", "")
    if lesson not in NOTICES:
        raise FormError(400, "Say whether the message is unwanted, wanted, or to be forgotten.")
    console: Console = request.app.state.console
    done = await console.call(learning.learn_message, request.state.session.user, queue_id, lesson)
    return NOTICES[lesson] if done.changed else KNOWN


def _lesson(context: Context, queue_id: str) -> str:
    return learning.lesson_of(context.config, messages.body(context, queue_id))
