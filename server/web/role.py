"""Which role may change what in the console. Reading is open to every role; what is not listed is refused."""

from __future__ import annotations

from typing import Final

from mxward.server.store.api import HELD, QUARANTINED, MessageRow, RecipientRow
from mxward.server.web.session import Session

_ALL: Final = frozenset(("release", "delete", "force", "learn", "rules"))  # learn: teach the classifier, for all mail
MAY: Final[dict[str, frozenset[str]]] = {
    "admin": _ALL,
    "security": _ALL,
    "helpdesk": frozenset(("release",)),
    "auditor": frozenset(),
}
# What a helpdesk may release; anything worse needs the security team.
HARMLESS: Final = frozenset(("clean", "bulk", "suspect", "spam"))


def kept(row: MessageRow) -> list[RecipientRow]:
    """The recipients whose copy is held or in quarantine."""
    return [rcpt for rcpt in row.recipients if rcpt.state in (HELD, QUARANTINED)]


def may(session: Session, verb: str, row: MessageRow) -> bool:
    """Whether this person may `release`, `delete` or `force` (release although the scan says no) this message."""
    if verb not in MAY.get(session.role, frozenset()):
        return False
    return session.role != "helpdesk" or row.verdict in HARMLESS


def may_change_rules(session: Session) -> bool:
    """Whether this person may use, stop using and roll back rule packs."""
    return "rules" in MAY.get(session.role, frozenset())
