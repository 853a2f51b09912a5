"""Opens one attachment in this process and gives what was told of it as a tree, for tests of openers."""

from __future__ import annotations

from dataclasses import dataclass, field

from mxward.core.extract import reply
from mxward.core.extract.opener import Budget, Request
from mxward.core.limits import MAX_CHILD_BYTES, MAX_CHILD_DEPTH, MAX_CHILDREN, MAX_OPENING_S
from mxward.core.unpack.run import unpack as run
from mxward.pyx.filetype import identify

USUAL = Budget(MAX_CHILD_BYTES, MAX_CHILDREN, MAX_CHILD_DEPTH, MAX_OPENING_S)


@dataclass
class Leaf:
    """One thing inside; `path` is the first names from the attachment down to it, joined by "/"."""

    number: int
    parent: int
    path: str
    names: tuple[str, ...]
    data: bytes
    true_type: str
    content_type: str = ""
    charset: str = ""

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""


@dataclass
class Tree:
    """What was told of one attachment, in order. Numbers are items: 0 is the attachment."""

    children: list[Leaf] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)
    unseen: list[tuple[int, str, str]] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    addresses: list[tuple[int, str, str]] = field(default_factory=list)
    facts: list[tuple[int, str, str]] = field(default_factory=list)
    listed: list[tuple[int, str]] = field(default_factory=list)
    ended: bool = False
    n_bytes: int = 0  # of all children and texts

    @property
    def findings(self) -> set[str]:
        """Names of what was found, of all items."""
        return {name for _, name in self.found}

    @property
    def reasons(self) -> set[str]:
        """Why something was not seen, of all items."""
        return {reason for _, reason, _ in self.unseen}

    @property
    def text(self) -> str:
        """All texts, one after the other."""
        return "\n".join(self.texts.values())

    @property
    def content(self) -> dict[str, bytes]:
        """Content by first name; of equal names the first."""
        out: dict[str, bytes] = {}
        for leaf in self.children:
            out.setdefault(leaf.name, leaf.data)
        return out

    @property
    def top(self) -> list[Leaf]:
        """What stands in the attachment itself, not deeper."""
        return [leaf for leaf in self.children if leaf.parent == 0]

    def holds(self, canary: bytes) -> bool:
        """Whether a child or a text has these bytes."""
        said = canary.decode("utf-8", "replace")
        return any(canary in leaf.data for leaf in self.children) or any(said in text for text in self.texts.values())


def unpack(
    data: bytes, name: str = "", passwords: tuple[str, ...] = (), *, true_type: str | None = None,
    content_type: str = "", budget: Budget = USUAL,
) -> Tree:  # fmt: skip
    """Open `data` as the attachment `name`, to its last layer. Args: true_type: what identify() gives, unless given."""
    kind = identify(data) if true_type is None else true_type
    request = Request(kind, content_type, (name,) if name else (), budget, passwords)
    frames = bytearray()
    run(request, data, frames.extend)
    return tree_of(bytes(frames), name)


def tree_of(frames: bytes, name: str = "") -> Tree:
    """The tree that frames tell. Raises: reply.ReplyError for a frame that is malformed."""
    tree, paths = Tree(), [name]
    for record, content in reply.read(memoryview(frames)):
        if isinstance(record, reply.Child | reply.Text):
            tree.n_bytes += len(content)
        if isinstance(record, reply.Child):
            first = record.names[0] if record.names else ""
            paths.append(f"{paths[record.parent]}/{first}")
            data = bytes(content)
            told = (record.parent, paths[-1], record.names, data, identify(data), record.content_type, record.charset)
            tree.children.append(Leaf(len(paths) - 1, *told))
        else:
            _take(tree, record, bytes(content))
    return tree


def _take(tree: Tree, record: reply.Record, content: bytes) -> None:
    match record:
        case reply.Text():
            tree.texts[record.item] = tree.texts.get(record.item, "") + content.decode("utf-8")
        case reply.Found():
            tree.found.append((record.item, record.name))
        case reply.Unseen():
            tree.unseen.append((record.item, record.reason, record.detail))
        case reply.Listed():
            tree.listed.append((record.item, record.name))
        case reply.Address():
            tree.addresses.append((record.item, record.kind, record.url))
        case reply.Fact():
            tree.facts.append((record.item, record.key, record.value))
        case reply.End():
            tree.ended = True
