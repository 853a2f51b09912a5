"""The description of the JSON API at /api/openapi.json; a test holds it to the routes and to real answers."""

from __future__ import annotations

from typing import Any, Final

import mxward
from mxward.server.store.api import STATES
from mxward.server.web.text import VERDICTS

Doc = dict[str, Any]


def _parameter(name: str, description: str, schema: Doc, place: str = "query") -> Doc:
    return {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


TEXT: Final[Doc] = {"type": "string", "maxLength": 320}
QUEUE_ID: Final[Doc] = {"type": "string", "pattern": "^[0-9A-Za-z]{16}$"}
BEFORE: Final = _parameter("before", "Only messages older than this queue id (paging)", QUEUE_ID)
LIMIT: Final = _parameter("limit", "Messages in the answer", {"type": "integer", "minimum": 1, "maximum": 200})
ID: Final = _parameter("queue_id", "Queue id of the message", QUEUE_ID, "path")
TOKEN: Final[Doc] = _parameter("X-CSRF-Token", "`csrf` of /api/session", {"type": "string"}, "header")
SEARCH: Final = [
    _parameter("text", "In sender, recipient, subject, queue id or Message-ID", TEXT),
    _parameter("sender", "In the envelope sender", TEXT),
    _parameter("recipient", "In a recipient", TEXT),
    _parameter("subject", "In the subject", TEXT),
    _parameter("verdict", "Judged so", {"type": "string", "enum": list(VERDICTS)}),
    _parameter("state", "With a recipient in this state", {"type": "string", "enum": list(STATES)}),
]


def _object(required: list[str], **properties: Doc) -> Doc:
    return {"type": "object", "required": required, "properties": properties}


_STRING: Final[Doc] = {"type": "string"}
_INTEGER: Final[Doc] = {"type": "integer"}
SCHEMAS: Final[Doc] = {
    "Error": _object(["error"], error=_STRING, reference=_STRING),
    "Session": _object(["user", "role", "csrf"], user=_STRING, role=_STRING, csrf=_STRING),
    "Message": _object(
        ["queue_id", "received_at", "sender", "subject", "verdict", "score", "recipients"],
        queue_id=QUEUE_ID, received_at={"type": "number", "description": "seconds since the epoch"}, sender=_STRING,
        subject=_STRING, verdict={"type": "string", "enum": list(VERDICTS)}, score={"type": "number"},
        recipients={"type": "array", "items": {"$ref": "#/components/schemas/Recipient"}},
        explanation={"type": "string", "description": "plain English; of one message only"},
    ),
    "Recipient": _object(
        ["n", "address", "state", "reply"],
        n=_INTEGER, address=_STRING, state={"type": "string", "enum": list(STATES)}, reply=_STRING,
    ),
    "Messages": _object(
        ["messages", "next"], messages={"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
        next={"type": ["string", "null"], "description": "`before` of the next page"},
    ),
    "Ledger": _object(
        ["accepted", "queued", "delivered", "held", "discarded", "bounced", "redirected", "consistent", "problems"],
        **dict.fromkeys(("accepted", "queued", "delivered", "held", "discarded", "bounced", "redirected"), _INTEGER),
        consistent={"type": "boolean"}, problems={"type": "array", "items": _STRING},
    ),
    "Status": {"type": "object"},
    "Done": _object(["done"], done=_STRING),
}  # fmt: skip


def _answer(schema: str, description: str) -> Doc:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _operation(summary: str, schema: str, parameters: list[Doc] | None = None, *errors: int) -> Doc:
    answers = {"200": _answer(schema, "As asked")}
    for status in (401, *errors):
        answers[str(status)] = _answer("Error", ERRORS[status])
    return {"summary": summary, "parameters": parameters or [], "responses": answers}


ERRORS: Final = {
    400: "The request makes no sense",
    401: "Nobody is signed in",
    403: "Not allowed: role, token or origin",
    404: "No such message",
    409: "Not done: refused by policy, or nothing to do any more",
    503: "The store cannot be read just now",
}


def _change(summary: str, *, force: bool) -> Doc:
    operation = _operation(summary, "Done", [ID, TOKEN], 400, 403, 404, 409)
    fields: Doc = {"n": {"type": "integer", "description": "one recipient; all without it"}, "reason": _STRING}
    if force:
        fields["force"] = {"type": "string", "enum": ["yes"], "description": "although the scan says no"}
        fields["teach"] = {"type": "string", "enum": ["yes"], "description": "the classifier learns it as wanted"}
    form = {"schema": {"type": "object", "properties": fields}}
    operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": form}}
    return operation


def _learn() -> Doc:
    operation = _operation("Teach the classifier by a message", "Done", [ID, TOKEN], 400, 403, 404)
    lesson: Doc = {"type": "string", "enum": ["spam", "ham", "forget"], "description": "unwanted, wanted, take it back"}
    form = {"schema": {"type": "object", "required": ["lesson"], "properties": {"lesson": lesson}}}
    operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": form}}
    return operation


def document() -> Doc:
    """The OpenAPI 3.1 document of what exists."""
    paths: Doc = {
        "/api/session": {"get": _operation("Who is signed in", "Session")},
        "/api/messages": {"get": _operation("Search messages, newest first", "Messages", [*SEARCH, BEFORE, LIMIT])},
        "/api/messages/{queue_id}": {"get": _operation("One message with its history", "Message", [ID], 404)},
        "/api/messages/{queue_id}/learn": {"post": _learn()},
        "/api/quarantine": {"get": _operation("What is kept back", "Messages", [SEARCH[0], SEARCH[2], BEFORE, LIMIT])},
        "/api/quarantine/{queue_id}/release": {"post": _change("Release a message", force=True)},
        "/api/quarantine/{queue_id}/delete": {"post": _change("Delete a message", force=False)},
        "/api/ledger": {"get": _operation("Whether every recipient is accounted for", "Ledger")},
        "/api/status": {"get": _operation("State of the gateway", "Status")},
        "/api/openapi.json": {"get": {"summary": "This document", "responses": {"200": {"description": "OpenAPI"}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "mxward", "version": mxward.__version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "mxward_session"}},
        },
        "security": [{"session": []}],
    }
