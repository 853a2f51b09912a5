"""Lists of messages: what the overview, the search and the quarantine show of a row, and paging by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from mxward.server.store.api import STATES as ALL_STATES
from mxward.server.store.api import MessageQuery, MessageRow
from mxward.server.web.text import STATES, VERDICTS

PAGE: Final = 50
MAX_FILTER: Final = 320  # characters; an address is not longer
QUEUE_ID: Final = re.compile(r"[0-9A-Za-z]{16}")
TEXT_FILTERS: Final = ("sender", "recipient", "subject", "text")


def reason(row: MessageRow) -> str:
    """Why, in the sentence that policy wrote for the first recipient that has one."""
    sentences = (str(rcpt.disposition.get("sentence", "")) for rcpt in row.recipients)
    return next(filter(None, sentences), "")


def fate_tag(state: str, words: str) -> Markup:
    colour = STATES.get(state, ("", "grey"))[1]
    return Markup('<strong class="nhsuk-tag nhsuk-tag--{}">{}</strong>').format(colour, words)


def table(rows: list[MessageRow], caption: str) -> dict[str, Any]:
    """The values that part/message_table.html needs."""
    return {"rows": rows, "caption": caption, "reason": reason, "fate_tag": fate_tag}


def query_of(parameters: Mapping[str, str], limit: int = PAGE) -> MessageQuery:
    """The search that a page's address asks for; what is not one of the allowed values counts as not given."""
    query = MessageQuery(limit=limit)
    for name in TEXT_FILTERS:
        setattr(query, name, parameters.get(name, "").strip()[:MAX_FILTER].replace("\x00", ""))
    query.verdict = _one_of(parameters.get("verdict", ""), VERDICTS)
    query.state = _one_of(parameters.get("state", ""), ALL_STATES)
    query.before_id = before_of(parameters)
    return query


def before_of(parameters: Mapping[str, str]) -> str:
    before = parameters.get("before", "")
    return before if QUEUE_ID.fullmatch(before) else ""


def _one_of(value: str, allowed: Any) -> str:
    return value if value in allowed else ""


def older(path: str, filters: Mapping[str, str], rows: list[MessageRow], limit: int = PAGE) -> str:
    """Address of the next page: the same filters, before the last row shown; "" at the end.

    `rows` holds one row more than a page when there is a next page.
    """
    if len(rows) <= limit:
        return ""
    given = {name: value for name, value in filters.items() if value}
    return f"{path}?{urlencode({**given, 'before': rows[limit - 1].queue_id})}"
