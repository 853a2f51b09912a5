"""What every container tells of its members in one way: files, folders, links, locked ones; names are judged here.

Names are for display and for rules about names. Nothing is ever written under them.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.work import Item, Work

MAX_TRIES: Final = 1000  # passwords tried in one container, all members together
# absolute, of a drive or a server, or upwards
_ABSOLUTE: Final = re.compile(r"[/\\]|[A-Za-z]:")
_OUTSIDE: Final = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)")


class Members:
    """The members of one container, being told. One thread."""

    def __init__(self, item: Item, work: Work) -> None:
        self._item, self._work = item, work
        self._names: dict[str, bytes] = {}  # of files: what was told first under a name
        self._good: list[str] = []  # passwords that opened something here
        self._tries = 0

    def file(self, data: bytes, *names: str, content_type: str = "", charset: str = "") -> None:
        """A file, whole. Raises: OverBudget."""
        all_names = tuple(dict.fromkeys(clean for name in names for clean in self._judged(name)))
        if all_names and self._names.setdefault(all_names[0], data) != data:
            self._work.find(self._item, "CONTAINER_SAME_NAME")
        if len(data) >= len(self._item.data) and data == self._item.data:
            self._work.find(self._item, "CONTAINER_QUINE")
        self._work.child(self._item, data, *all_names, content_type=content_type, charset=charset)

    def folder(self, name: str) -> None:
        """A folder: its name only."""
        self._list(name)

    def link(self, name: str, target: str) -> None:
        """A symbolic or hard link. Its target is judged as a name."""
        self._list(name)
        self._work.find(self._item, "CONTAINER_LINK")
        if _ABSOLUTE.match(target) or _climbs(f"{name.rpartition('/')[0]}/{target}"):
            self._work.find(self._item, "CONTAINER_PATH_TRAVERSAL")

    def device(self, name: str) -> None:
        """A device, pipe or socket."""
        self._list(name)
        self._work.find(self._item, "CONTAINER_DEVICE")

    def locked(self, name: str) -> None:
        """An encrypted file that no password opened."""
        self._list(name)
        self._work.find(self._item, "CONTAINER_ENCRYPTED")
        self._work.unseen(self._item, "encrypted", "no known password opens it")

    def unread(self, name: str, reason: str, detail: str) -> None:
        """A file that cannot be had for another reason. Args: reason: of opener.REASONS."""
        self._list(name)
        self._work.unseen(self._item, reason, detail)

    def passwords(self) -> list[str]:
        """What to try for the next locked file, what opened others first; fewer when many were tried in vain."""
        left = max(0, MAX_TRIES - self._tries)
        return list(dict.fromkeys((*self._good, *self._work.passwords)))[: max(left, len(self._good))]

    def tried(self, password: str, opened: bool) -> None:
        """Note a try. Raises: OverBudget when time is up."""
        self._tries += 1
        if opened:
            if password not in self._good:
                self._good.insert(0, password)
            self._work.find(self._item, "CONTAINER_ENCRYPTED")
            self._work.find(self._item, "CONTAINER_PASSWORD_KNOWN")
        self._work.purse.check_time()

    def _list(self, name: str) -> None:
        self._work.purse.spend_item(self._item.depth + 1)
        for clean in self._judged(name):
            self._work.listed(self._item, clean)

    def _judged(self, name: str) -> tuple[str, ...]:
        if _OUTSIDE.search(name):
            self._work.find(self._item, "CONTAINER_PATH_TRAVERSAL")
        name = name.encode("utf-8", "replace").decode()  # no lone surrogates: they cannot be told
        if "\0" not in name:
            return (name,)
        self._work.find(self._item, "CONTAINER_NUL_IN_NAME")
        return name.replace("\0", "\u2400"), name.partition("\0")[0]


def _climbs(path: str) -> bool:
    """Whether a path leaves the folder that it begins in."""
    depth = 0
    for step in path.replace("\\", "/").split("/"):
        depth += -1 if step == ".." else step not in ("", ".")
        if depth < 0:
            return True
    return False


def readable(raw: bytes, charset: str = "cp437") -> str:
    """A name from its bytes: UTF-8 when it is, else `charset`."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(charset, "replace")
