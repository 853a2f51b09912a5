"""What conditions may ask about a message: made lazily from Message and Verdict, never from anything else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from mxward.core.extract import views
from mxward.core.extract.address import mailboxes
from mxward.core.extract.parts import is_inside
from mxward.core.lazy import lazy
from mxward.core.message import Envelope, Message, Part
from mxward.core.verdict import Verdict

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Facts:
    """Facts of one message under one verdict. Immutable to those who use it."""

    def __init__(self, message: Message, verdict: Verdict) -> None:
        self.message, self.verdict = message, verdict

    def under(self, verdict: Verdict) -> Facts:
        """The same message had it been judged otherwise."""
        other = Facts(self.message, verdict)
        other.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _OF_VERDICT})
        return other

    @property
    def envelope(self) -> Envelope:
        return self.message.envelope

    @property
    def size(self) -> int:
        return len(self.message.raw)

    @lazy
    def hit_names(self) -> frozenset[str]:
        return frozenset(hit.name for hit in self.verdict.hits)

    @lazy
    def categories(self) -> frozenset[str]:
        return frozenset(hit.category for hit in self.verdict.hits)

    @lazy
    def sender(self) -> str:
        """Reverse-path in lower case; "<>" for the null reverse-path."""
        return self.envelope.sender.lower() or "<>"

    @lazy
    def author(self) -> str:
        """First author address in lower case, "" when there is none."""
        value = self.message.mime.field("from") if self.message.mime is not None else None
        return next((m.address.lower() for m in mailboxes(value or b"")), "")

    @lazy
    def attachment_names(self) -> frozenset[str]:
        """Every file name, also inside containers, in lower case."""
        return frozenset(name.lower() for _, name in views.names(self.message))

    @lazy
    def attachment_types(self) -> frozenset[str]:
        """Declared and true types of all leaves that are attachments or have a name or a true type."""
        return frozenset(
            kind.lower()
            for part in self.message.parts
            if part.data and (part.names or part.true_type or part.disposition == "attachment")
            for kind in (part.content_type, part.true_type)
            if kind
        )

    @lazy
    def parts_at_fault(self) -> tuple[int, ...]:
        """Numbers of the parts of the mail in which something was found, or which could not be inspected."""
        parts, verdict = self.message.parts, self.verdict
        found = {e.part for hit in verdict.hits if hit.category in _OF_ATTACHMENTS for e in hit.evidence}
        found |= {item.part for item in verdict.not_inspected}
        found = {_in_mail(parts, number) for number in found if number < len(parts)}
        return tuple(sorted(n for n in found if parts[n].names or parts[n].disposition == "attachment"))

    @lazy
    def client(self) -> Address | None:
        try:
            address = ipaddress.ip_address(self.envelope.client_ip)
        except ValueError:
            return None
        return getattr(address, "ipv4_mapped", None) or address

    @lazy
    def is_ambiguous(self) -> bool:
        return self.message.mime is not None and self.message.mime.is_ambiguous

    def header(self, name: str) -> Iterable[str]:
        """Decoded values of a header field, lower case."""
        if self.message.mime is None:
            return ()
        return [value.decode("utf-8", "replace").strip().lower() for value in self.message.mime.field_all(name)]


def _in_mail(parts: Sequence[Part], number: int) -> int:
    """The part of the mail that holds that part, however deep."""
    while is_inside(parts[number]):
        number = parts[number].parent
    return number


_OF_ATTACHMENTS = frozenset(("malware", "attachment", "phish", "policy"))
_OF_VERDICT = frozenset(("message", "verdict", "hit_names", "categories", "parts_at_fault"))
