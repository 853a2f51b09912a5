"""A new pack on live mail: when it turns out to match most of what comes, its last version is put back by itself.

The canary (rulegate.py) tries a pack on mail of yesterday. This watches the first day with mail of today, and acts
only on what no honest pack does: half of all messages hit, where before its version few were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mxward.core.errors import RulePackError
from mxward.core.rules import manage
from mxward.core.rules.history import read_history
from mxward.server.services import rules
from mxward.server.services.context import Context
from mxward.server.store.api import MessageQuery, MessageRow

WATCH_US: Final = 86_400_000_000  # after a version came
SAMPLE: Final = 500  # messages looked at, before and after
ENOUGH: Final = 50  # messages judged by the new version
TOO_MUCH: Final = 0.5  # share of them that it hits
RISE: Final = 0.4  # above what the pack hit before
WEIGHT: Final = 1.0  # hits below that change nothing; many rules just take notes


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many messages that a pack judged, how many it hit."""

    n_judged: int
    n_hit: int

    @property
    def hit(self) -> float:
        return self.n_hit / self.n_judged if self.n_judged else 0.0


def check(context: Context) -> list[dict[str, Any]]:
    """Look at every pack whose version is new; roll back those that match most mail, disable where nothing earlier is.

    Returns: what was done, each with pack, version, reason.
    """
    if not context.config.rules.automatic_rollback:
        return []
    done = []
    for status in manage.list_packs(rules.folder(context.config)):
        past = read_history(rules.folder(context.config), status.name)
        is_new = past.change.startswith("version ") and context.clock.now_us() - past.changed_at < WATCH_US
        if status.shipped or status.fault or not status.enabled or not is_new:
            continue
        reason = _verdict(context, status.name, f"{status.name}@{status.version}", past.changed_at)
        if reason:
            done.append(_undo(context, status.name, status.version, reason))
    return done


def _verdict(context: Context, name: str, label: str, since: int) -> str:
    """Why the new version cannot stay; "" when it can, or cannot be told yet."""
    after = _share(context.store.find(MessageQuery(since=since, limit=SAMPLE)), label)
    if after.n_judged < ENOUGH or after.hit < TOO_MUCH:
        return ""
    before = _share(context.store.find(MessageQuery(until=since, limit=SAMPLE)), f"{name}@")
    if after.hit - before.hit < RISE:
        return ""
    return f"it hit {after.n_hit} of the {after.n_judged} messages that came since ({before.hit:.0%} before)"


def _share(rows: list[MessageRow], label: str) -> Share:
    """Counts the messages from outside that a pack of that label (or any version, when it ends in "@") judged."""
    judged = hit = 0
    for row in rows:
        packs = row.judgement.get("packs", ())
        if row.origin != "smtp" or (not label.endswith("@") and label not in packs):
            continue
        judged += 1
        hits = row.judgement.get("hits", ())
        hit += any(_is_of(h["pack"], label) and h["weight"] >= WEIGHT for h in hits)
    return Share(judged, hit)


def _is_of(pack: str, label: str) -> bool:
    return pack.startswith(label) if label.endswith("@") else pack == label


def _undo(context: Context, name: str, version: str, reason: str) -> dict[str, Any]:
    try:
        result = rules.rollback(context, name, reason=reason)
        action = f"rolled back to {result['version']}"
    except RulePackError:  # nothing earlier, or it does not compile any more
        rules.disable(context, name)
        action = "disabled"
    return {"pack": name, "version": version, "action": action, "reason": reason}
