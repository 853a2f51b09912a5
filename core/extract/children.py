"""From the attachments of a message to what is inside them: asks the opener, and turns its answers into parts.

Plain mail pays for one look at a set. What an answer says is bounded and checked again here: it comes from a process
that hostile content may have taken over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mxward.core.extract import passwords, reply, views
from mxward.core.extract.container import list_containers
from mxward.core.extract.findings import FINDINGS
from mxward.core.extract.formats import OPENABLE
from mxward.core.extract.formats.trigger import TRIGGERS
from mxward.core.extract.opener import REASONS, Budget, Opened, Opener, Request, Session
from mxward.core.extract.parts import CONTAINED
from mxward.core.limits import MAX_CHILD_BYTES, MAX_CHILD_DEPTH, MAX_CHILDREN, MAX_OPENING_S, MAX_TEXT_BYTES
from mxward.core.message import Message, Part
from mxward.core.verdict import Evidence, Hit, NotInspected
from mxward.pyx.filetype import identify


def look_inside(message: Message, opener: Opener | None, seconds: float, of_site: Sequence[str] = ()) -> None:
    """Open the attachments as `open_attachments` does, or without an opener list what some containers hold."""
    if opener is None:
        list_containers(message)
    else:
        open_attachments(message, opener, seconds, of_site)


def open_attachments(message: Message, opener: Opener, seconds: float, of_site: Sequence[str] = ()) -> None:
    """Append to message.parts what is inside its attachments; note findings and what could not be inspected.

    Args: seconds: wall time for all of them together; of_site: passwords that are often used here.
    Reasons for something unseen go to message.not_inspected, findings to message.hits, links, names and texts to the
    views. Never raises on content.
    """
    outer = [part for part in message.parts if part.true_type in OPENABLE and part.data and _is_worth_it(part)]
    if not outer:
        return
    words = tuple(passwords.candidates(message, of_site))
    message.views.clear()  # made without what is about to be found
    message.views[views.OPENED] = True
    budget = _Left()
    pictures = [part for part in outer if part.true_type.startswith("image/")]
    with opener.session(seconds) as session:
        for part in pictures:
            _open(message, part, session, budget, words)
        shown = b"\n".join(part.text for part in message.parts if part.text)
        if shown:  # a password that a picture shows opens what the others hold
            words = tuple(dict.fromkeys((*passwords.in_text(shown.decode("utf-8", "replace")), *words)))
        for part in outer:
            if part not in pictures:
                _open(message, part, session, budget, words)


def _is_worth_it(part: Part) -> bool:
    """Text of mail is not opened for nothing; an attachment always is."""
    trigger = TRIGGERS.get(part.true_type)
    return trigger is None or bool(part.names) or trigger(part.data)


def _open(message: Message, part: Part, session: Session, budget: _Left, words: tuple[str, ...]) -> None:
    request = Request(part.true_type, part.content_type, part.names, budget.of_next(), words)
    answer = _Answer(message, part, request.budget)
    answer.take(session.open(request, part.data))
    budget.spend(answer)


class _Left:
    """What the attachments of one message may still cost together."""

    def __init__(self) -> None:
        self._bytes, self._items = MAX_CHILD_BYTES, MAX_CHILDREN

    def of_next(self) -> Budget:
        return Budget(self._bytes, self._items, MAX_CHILD_DEPTH, MAX_OPENING_S)

    def spend(self, answer: _Answer) -> None:
        self._bytes = max(0, self._bytes - answer.n_bytes)
        self._items = max(0, self._items - answer.n_items)


class _Answer:
    """One answer being turned into parts. Args: budget: what an honest worker kept to."""

    def __init__(self, message: Message, part: Part, budget: Budget) -> None:
        self._message, self._items, self._budget = message, [part], budget
        self._texts: dict[int, list[bytes]] = {}  # item -> pieces
        self._at = 0  # the item that was being looked into last
        self.n_bytes = 0  # that came out

    @property
    def n_items(self) -> int:
        """Things found inside."""
        return len(self._items) - 1

    def take(self, opened: Opened) -> None:
        ended = False
        try:
            for record, content in reply.read(opened.frames):
                ended = isinstance(record, reply.End)
                self.n_bytes += len(content)
                self._take(record, content)
        except reply.ReplyError:
            ended = False
        for item, pieces in self._texts.items():
            self._items[item].text = b"".join(pieces)[:MAX_TEXT_BYTES]
        if not ended or opened.failure:
            part = self._items[self._at]
            detail = "its reader ended before it was done" if opened.failure == "crashed" else ""
            self._message.not_inspected.append(NotInspected(part.index, opened.failure or "crashed", detail))

    def _take(self, record: reply.Record, content: memoryview) -> None:
        message = self._message
        match record:
            case reply.Child():
                self._items.append(self._part(record, content))
            case reply.Opening():
                self._at = record.item
            case reply.Text():
                self._texts.setdefault(record.item, []).append(bytes(content))
            case reply.Found():
                if record.name in FINDINGS:
                    self._find(record)
            case reply.Unseen():
                reason = record.reason if record.reason in REASONS else "damaged"
                message.not_inspected.append(NotInspected(self._index(record.item), reason, record.detail))
            case reply.Listed():
                message.views.setdefault("inside", {}).setdefault(self._index(record.item), []).append(record.name)
            case reply.Address():
                message.views.setdefault("inner_links", []).append((self._index(record.item), record.kind, record.url))
            case reply.Fact():
                message.views.setdefault("stated", []).append((self._index(record.item), record.key, record.value))

    def _index(self, item: int) -> int:
        return self._items[item].index

    def _part(self, child: reply.Child, content: memoryview) -> Part:
        parts, parent = self._message.parts, self._items[child.parent]
        if self.n_items >= self._budget.items or parent.depth - self._items[0].depth >= self._budget.depth:
            raise reply.ReplyError("more than was asked for")
        name = child.names[0] if child.names else ""
        part = Part(
            len(parts), parent=parent.index, depth=parent.depth + 1, content_type=child.content_type,
            charset=child.charset, encoding=CONTAINED, names=child.names, data=bytes(content), reading=parent.reading,
            child_path=f"{parent.child_path or (parent.names[0] if parent.names else '')}/{name}",
        )  # fmt: skip
        part.true_type = identify(part.data)
        if not part.content_type:
            part.content_type = part.true_type or guess_type(part.data)
        parts.append(part)
        return part

    def _find(self, record: reply.Found) -> None:
        finding = FINDINGS[record.name]
        evidence = (Evidence(self._index(record.item), "decoded", 0, 0),)
        self._message.hits.append(
            Hit(record.name, finding.category, finding.weight, "extract", detail=finding.detail, evidence=evidence)
        )


def guess_type(data: bytes | memoryview) -> str:
    """Plain text, or something that is none: control characters decide."""
    head = bytes(data[:1024])
    is_text = not head.translate(None, _TEXT) or head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return "text/plain" if is_text else "application/octet-stream"


_TEXT: Final = bytes([9, 10, 11, 12, 13, 27, *range(32, 127), *range(128, 256)])
