"""How the console shows what came out of mail: harmless characters, British dates, plain words for states.

Escaping for HTML is the template engine's; here a string loses what could mislead a reader even when it is escaped:
control characters, bidirectional overrides, invisible characters, towers of combining marks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup, escape

from mxward.server.store.api import BOUNCED, DELIVERED, DISCARDED, EXPIRED, HELD, QUARANTINED, QUEUED, REDIRECTED

MAX_SHOWN: Final = 1000  # characters of one value on a page; the store caps subjects and addresses well below
_MARKS = "[̀-ͯ҃-҉᪰-᫿᷀-᷿⃐-⃿︠-︯]"
_TOWER: Final = re.compile(f"({_MARKS}{{4}}){_MARKS}+")

# state -> (words, colour of the tag). The words carry the meaning, the colour only repeats it.
STATES: Final[dict[str, tuple[str, str]]] = {
    QUEUED: ("Waiting to be delivered", "blue"),
    DELIVERED: ("Delivered", "green"),
    HELD: ("Held", "orange"),
    QUARANTINED: ("In quarantine", "orange"),
    BOUNCED: ("Returned to sender", "red"),
    DISCARDED: ("Discarded", "grey"),
    REDIRECTED: ("Sent to another address", "purple"),
    EXPIRED: ("Removed at the end of its time", "grey"),
}
VERDICTS: Final[dict[str, tuple[str, str]]] = {
    "clean": ("Clean", "green"),
    "bulk": ("Bulk", "grey"),
    "suspect": ("Suspect", "yellow"),
    "spam": ("Spam", "orange"),
    "offensive": ("Offensive", "pink"),
    "policy": ("Against policy", "purple"),
    "phish": ("Phishing", "red"),
    "malware": ("Malware", "red"),
}


def _zone() -> tuple[tzinfo, str]:
    """UK time where the machine knows time zones, else UTC; with the words that say which."""
    try:
        return ZoneInfo("Europe/London"), "UK time"
    except ZoneInfoNotFoundError:
        return UTC, "UTC"


ZONE, ZONE_WORDS = _zone()


def _shown(character: str) -> str:
    code = ord(character)
    if character.isprintable():
        return character
    if code < 0x20:
        return chr(0x2400 + code)  # control pictures
    if code == 0x7F:
        return "\u2421"
    if character.isspace() and code not in (0x85, 0x2028, 0x2029):
        return " "  # the other widths of space
    return f"\u27e8U+{code:04X}\u27e9"


def visible(text: object) -> str:
    """The text with nothing in it that a reader cannot see: controls, overrides and invisibles become marks."""
    value = str(text)
    if len(value) > MAX_SHOWN:
        value = value[:MAX_SHOWN] + "\u2026"
    if not value.isprintable():
        value = "".join(map(_shown, value))
    return _TOWER.sub(r"\1", value)


def from_mail(text: object, empty: str = "") -> Markup:
    """Text out of a message as HTML: made visible, escaped and isolated from the direction of what is around it."""
    value = visible(text)
    if not value.strip():
        return Markup('<span class="nhsuk-u-secondary-text-colour">{}</span>').format(empty)
    return Markup("<bdi>{}</bdi>").format(value)


def _date(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, ZONE)


def when(us: int) -> Markup:
    """Microseconds since the epoch as `23 November 2026, 14:05`."""
    if us <= 0:
        return Markup("\u2013")
    date = _date(us)
    return Markup('<time datetime="{}">{}</time>').format(
        date.isoformat(timespec="seconds"), f"{date.day} {date:%B %Y, %H:%M}"
    )


def when_exactly(us: int) -> Markup:
    """As `when`, with seconds: the order of events matters in a history."""
    date = _date(us)
    return Markup('<time datetime="{}">{}</time>').format(date.isoformat(), f"{date.day} {date:%B %Y, %H:%M:%S}")


def size(n_bytes: int) -> str:
    """`812 bytes`, `4.2 KB`, `31 MB`."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    value = float(n_bytes)
    for unit in ("KB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    raise AssertionError("unreachable")


def number(value: int) -> str:
    return f"{value:,}"


def state_words(state: str) -> str:
    return STATES.get(state, (state, ""))[0]


def verdict_words(verdict: str) -> str:
    return VERDICTS.get(verdict, (verdict, ""))[0]


def tag(kind: str, value: str) -> Markup:
    """A coloured tag whose words say what its colour says; `kind` is "state" or "verdict"."""
    words, colour = (STATES if kind == "state" else VERDICTS).get(value, (value, "grey"))
    return Markup('<strong class="nhsuk-tag nhsuk-tag--{}">{}</strong>').format(colour, escape(visible(words)))


def fate(states: Iterable[str]) -> list[tuple[str, str]]:
    """What became of a message: (state, words) of each state that occurs, with the count when they differ."""
    counted = Counter(states)
    if len(counted) == 1:
        return [(state, state_words(state)) for state in counted]
    return [(state, f"{n} {state_words(state).lower()}") for state, n in counted.items()]
