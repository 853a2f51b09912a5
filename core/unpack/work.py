"""Item and Work: what every opener gets, and the only way by which it tells what it found.

An opener is `def open_x(item: Item, work: Work) -> None`. It reads item.data, and calls work.child(...) for everything
inside, work.text(...), work.find(...), work.unseen(...). It never recurses: children are opened by the loop in run.py.
It may raise Damaged when the bytes are not what the format asks for; any other exception counts the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Final, NamedTuple

from mxward.core.extract import reply
from mxward.core.extract.opener import REASONS, Request
from mxward.core.unpack.budget import OverBudget, Purse
from mxward.pyx.filetype import identify

MAX_TEXT: Final = 8 << 20  # readable text of one item, as limits.MAX_TEXT_BYTES
MAX_ADDRESSES: Final = 4000  # of one attachment, all items
MAX_LISTED: Final = 10_000  # names without content, of one attachment
MAX_DETAIL: Final = 120

Write = Callable[[bytes | memoryview], object]


class Damaged(Exception):
    """The content is not what its format asks for; the text says what, without quoting content."""


class Item(NamedTuple):
    """One thing to be looked into: `data` is whole, `true_type` comes from it, `names` are what others call it."""

    number: int
    parent: int  # -1: the attachment itself
    depth: int
    data: bytes
    true_type: str
    content_type: str = ""  # as declared, or guessed by the opener that found it
    charset: str = ""
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""


class Work:
    """One attachment being opened. Args: write: takes the frames; passwords: most likely first."""

    def __init__(self, request: Request, data: bytes, write: Write) -> None:
        self.purse = Purse(request.budget, len(data))
        self.passwords: Sequence[str] = request.passwords
        self.todo: deque[Item] = deque()
        self._write, self._n_items = write, 1
        self._addresses = self._listed = 0
        self._said: set[tuple[int, str]] = set()
        true_type = request.true_type or identify(data)
        self.todo.append(Item(0, -1, 0, data, true_type, request.content_type, "", request.names))

    # -- what openers call ---------------------------------------------------------------------------------------

    def child(
        self, item: Item, data: bytes, *names: str, content_type: str = "", charset: str = "", true_type: str = "",
    ) -> None:  # fmt: skip
        """Something inside `item`, whole. It is told, and opened later when its type can be.

        Args: names: what it is called, the likeliest first; content_type and charset: as declared inside, else "";
        true_type: only when identify() would not know. Raises: OverBudget (let it through: the loop reports it).
        """
        self.purse.spend_item(item.depth + 1)
        self.purse.spend_bytes(len(data))
        kept = tuple(name[: reply.MAX_NAME] for name in names[: reply.MAX_NAMES])
        self._tell(reply.Child(item.number, kept, content_type, charset), data)
        kind = true_type or identify(data)
        self.todo.append(Item(self._n_items, item.number, item.depth + 1, data, kind, content_type, charset, kept))
        self._n_items += 1

    def pull(self, chunks: Iterable[bytes]) -> bytes:
        """Join what a decoder gives piece by piece, as long as budget and time last. Raises: OverBudget.

        The bytes are counted by `child`, not here: pull what becomes a child, or count it by purse.spend_bytes.
        """
        out, size, most = BytesIO(), 0, self.purse.bytes_left
        for chunk in chunks:
            size += len(chunk)
            if size > most:
                self.purse.spend_bytes(size)  # says which limit it is
            out.write(chunk)
            self.purse.check_time()
        return out.getvalue()  # without a copy, unlike a join of pieces: it may be 100 MB

    def listed(self, item: Item, name: str) -> None:
        """A name inside `item` without content to be had: a directory, a link, an encrypted member."""
        self._listed += 1
        if self._listed <= MAX_LISTED:
            self._tell(reply.Listed(item.number, name[: reply.MAX_NAME]))

    def text(self, item: Item, text: str) -> None:
        """Readable text of a document, for word lists and policies. May be called more than once."""
        data = text.encode("utf-8", "replace")[:MAX_TEXT]
        self.purse.spend_bytes(len(data))
        self._tell(reply.Text(item.number), data)

    def address(self, item: Item, kind: str, url: str) -> None:
        """A link in a document or a picture. The same one twice is told once."""
        if self._addresses < MAX_ADDRESSES and self._is_new(item, f"a {kind} {url}"):
            self._addresses += 1
            self._tell(reply.Address(item.number, kind, url[:8192]))

    def find(self, item: Item, name: str) -> None:
        """A finding of core/extract/finding.py. The same one twice is told once."""
        if self._is_new(item, f"f {name}"):
            self._tell(reply.Found(item.number, name))

    def has_found(self, item: Item, name: str) -> bool:
        """Was that finding told of this item?"""
        return (item.number, f"f {name}") in self._said

    def fact(self, item: Item, key: str, value: str) -> None:
        """Metadata that the document states, such as "author"."""
        if self._is_new(item, f"m {key}"):
            self._tell(reply.Fact(item.number, key, value[:1000]))

    def unseen(self, item: Item, reason: str, detail: str = "") -> None:
        """Something of `item` cannot be inspected. Args: reason: one of REASONS; detail: a few words, no content."""
        assert reason in REASONS, reason
        if self._is_new(item, f"u {reason}"):
            self._tell(reply.Unseen(item.number, reason, detail[:MAX_DETAIL]))

    # -- what the loop calls -------------------------------------------------------------------------------------

    def opening(self, item: Item) -> None:
        """Say which item is looked into next."""
        self._tell(reply.Opening(item.number))

    def end(self) -> None:
        """Say that all was looked at."""
        self._tell(reply.End())

    def over(self, item: Item, error: OverBudget) -> None:
        """Tell which limit ended the opening of `item`."""
        self.unseen(item, error.reason, error.detail)

    def _is_new(self, item: Item, what: str) -> bool:
        key = (item.number, what)
        if key in self._said or len(self._said) > 50_000:
            return False
        self._said.add(key)
        return True

    def _tell(self, record: reply.Record, content: bytes = b"") -> None:
        head, body = reply.frame(record, content)
        self._write(head)
        if body:
            self._write(body)
