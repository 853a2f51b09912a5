"""Rule packs: which judge mail, whose they are, what they cost; using, not using and rolling back: asked, then done."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mxward.core.errors import RulePackError
from mxward.core.rules.pack import PACK_NAME
from mxward.server.services import rules
from mxward.server.services.errors import NotFound, Refused
from mxward.server.web import role
from mxward.server.web.change import read_change
from mxward.server.web.console import Console
from mxward.server.web.page.overview import rules_state
from mxward.server.web.page.quarantine import MAX_REASON, sentence_of
from mxward.server.web.render import error_page, render

HEADINGS: Final = {
    "enable": "Use this pack again?", "disable": "Use this pack no longer?", "rollback": "Roll this pack back?",
}  # fmt: skip
BUTTONS: Final = {"enable": "Use it", "disable": "Do not use it", "rollback": "Roll back"}
CONSEQUENCES: Final = {
    "enable": "Its rules judge every message that comes from now on.",
    "disable": "Its rules judge no message that comes from now on. It stays here and can be used again.",
    "rollback": "The other version judges every message that comes from now on. The newer one stays here.",
}  # fmt: skip
DONE: Final = {
    "enable": "The pack is used again.", "disable": "The pack is not used any more.",
    "rollback": "The pack was rolled back.",
}  # fmt: skip
NOT_YOURS: Final = "Your role does not let you change rules. Ask the security team."


async def listing(request: Request) -> Response:
    """Every pack there is."""
    console: Console = request.app.state.console
    packs, state = await console.call(
        lambda context: (rules.entries(context.config), rules_state(context)), request.state.session.user
    )
    return render(request, "rules.html", packs=packs, **state, **_words(request))


async def pack(request: Request) -> Response:
    """One pack with its versions."""
    entry, versions = await _find(request)
    return render(request, "rule_pack.html", pack=entry, versions=versions, **_words(request))


async def _find(request: Request) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The pack in the path and its versions. Raises NotFound."""
    console: Console = request.app.state.console
    name = str(request.path_params["name"])
    if not PACK_NAME.fullmatch(name):
        raise NotFound("There is no such rule pack.")
    return await console.call(
        lambda context: (rules.entry(context.config, name), rules.history(context.config, name)),
        request.state.session.user,
    )


def _words(request: Request) -> dict[str, Any]:
    session = request.state.session
    may = role.may_change_rules(session)
    return {"state_tag": state_tag, "signed_words": signed_words, "verbs": lambda p: verbs_of(p) if may else []}


def verbs_of(pack: dict[str, Any]) -> list[str]:
    """What can be done with a pack."""
    found = ["disable" if pack["enabled"] else "enable"]
    return [*found, "rollback"] if pack["can_roll_back"] else found


def state_tag(pack: dict[str, Any]) -> Markup:
    """Whether a pack is used, as a tag."""
    words, colour = ("In use", "green") if pack["enabled"] else ("Not used", "grey")
    if pack["fault"]:
        words, colour = "Faulty", "red"
    return Markup('<strong class="nhsuk-tag nhsuk-tag--{}">{}</strong>').format(colour, words)


def signed_words(signed: dict[str, str]) -> str:
    """Whose signature it is, in words."""
    if not signed:
        return "Part of mxward"
    if signed.get("signer"):
        return f"By {signed['signer']}"
    return {"unsigned": "Nobody", "unknown key": f"By an unknown key, {signed.get('key_id', '')}"}.get(
        signed.get("state", ""), "Not known"
    )


async def enable(request: Request) -> Response:
    return await _decide(request, "enable")


async def disable(request: Request) -> Response:
    return await _decide(request, "disable")


async def rollback(request: Request) -> Response:
    return await _decide(request, "rollback")


async def _decide(request: Request, verb: str) -> Response:
    """GET asks, POST acts. 403 when the role may not, 409 with the reason when it cannot be done."""
    entry, versions = await _find(request)
    fields = await read_change(request) if request.method == "POST" else {}
    if not role.may_change_rules(request.state.session):
        return error_page(request, 403, NOT_YOURS)
    given = fields if request.method == "POST" else dict(request.query_params)
    digest = _digest_of(given.get("to", ""), versions)
    if request.method != "POST":
        return _ask(request, verb, entry, versions, digest)
    reason = fields.get("reason", "").strip()[:MAX_REASON]
    try:
        await _act(request, verb, entry["name"], digest, reason)
    except (Refused, RulePackError) as error:
        return _ask(request, verb, entry, versions, digest, reason, [("", sentence_of(error))])
    request.state.session.notice = DONE[verb]
    return RedirectResponse(f"/rules/{entry['name']}", 303)


def _digest_of(given: str, versions: list[dict[str, Any]]) -> str:
    """A version's digest, or "" for what is none."""
    return given if given in {version["digest"] for version in versions} else ""


async def _act(request: Request, verb: str, name: str, digest: str, reason: str) -> None:
    console: Console = request.app.state.console
    user = request.state.session.user
    if verb == "rollback":
        await console.call(rules.rollback, user, name, digest, reason)
    else:
        await console.call(rules.enable if verb == "enable" else rules.disable, user, name)


def _ask(
    request: Request, verb: str, entry: dict[str, Any], versions: list[dict[str, Any]], digest: str,
    reason: str = "", errors: list[tuple[str, str]] | None = None,
) -> Response:  # fmt: skip
    others = [version for version in versions if not version["in_force"]]
    values: dict[str, Any] = {
        "heading": HEADINGS[verb], "consequence": CONSEQUENCES[verb], "button": BUTTONS[verb], "verb": verb,
        "pack": entry, "others": others if verb == "rollback" else [], "to": digest, "reason_given": reason,
    }  # fmt: skip
    return render(request, "rule_confirm.html", 409 if errors else 200, errors=errors or [], **values)
