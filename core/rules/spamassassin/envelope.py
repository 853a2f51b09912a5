"""The envelope sender as SpamAssassin finds it in the fields of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mxward.pyx.saheader import usual_mailboxes

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

# Where a list may have sent the message on, the field tells of the reverse-path before that.
_GUESSES: Final = (("X-Envelope-From", True), ("Envelope-Sender", False), ("Return-Path", False))


def envelope_from(texts: TextSet) -> bytes | None:
    """The reverse-path: by the setting envelope_sender_header, the first relay that is not trusted, or the fields that
    servers add at delivery; None when there is none or none that can be trusted."""
    headers = texts.headers
    configured = texts.site.last("envelope_sender_header")
    if configured:
        found = headers.values(f"{configured}:first:addr")
        return found[0] if found and found[0].find(b"@") > 0 else None
    relays = texts.relays
    last = relays.untrusted[0] if relays.untrusted else relays.trusted[-1] if relays.trusted else None
    handed = None if last is None else last.envelope_from
    if handed is not None and (not handed or handed.find(b"@") > 0):
        return handed
    names = texts.nodes[0].fields.names
    sender = headers.values("X-Sender:first:addr") if b"x-sender" in names else []
    if sender and b"@" in sender[0] and any(b"(fetchmail" in line for line in headers.values("Received")):
        return None
    for name, is_final in _GUESSES:
        written = names.raw(name.lower().encode())
        boxes = usual_mailboxes(written[0]) if written else None
        found = headers.values(f"{name}:first:addr") if written and not boxes else [boxes[0][1]] if boxes else []
        if not found:
            continue
        if not _stands_below(texts, name):
            return found[0]
        if is_final:
            return None
    return None


def _stands_below(texts: TextSet, name: str) -> bool:
    """Whether a Received field stands above the field."""
    table = texts.nodes[0].fields.table
    lines = table.text()
    if lines.count(b"\n") == table.n_lines:
        received = table.numbers(b"received")
        own = [number for number in table.numbers(name.lower().encode()) if number < table.n_lines]
        return bool(received and own) and received[0] < own[-1]
    lines = b"\n" + lines.lower()  # a decoded word has a line feed in it, behind which another name may seem to stand
    above = lines.find(b"\nreceived:")
    return above >= 0 and lines.find(b"\n" + name.encode().lower() + b":", above) >= 0
