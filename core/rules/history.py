"""What the product remembers of a pack: its versions, when and by whom each came, and rules that are left out.

    DATA/rules/.packs/NAME.json         this record
    DATA/rules/.packs/NAME-DIGEST/      the content of a version; KEPT of them stay, for `rollback`

The record serves people: which content is in force is told by the link DATA/rules/NAME alone, so a record that is lost
or damaged loses the past and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

CONTENTS: Final = ".packs"
KEPT: Final = 10  # versions of a pack
_FOLDER: Final = re.compile(r"(?:[0-9a-f]{16}|by-hand-\d+)")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a pack. `folder` is its content's name in .packs; `at` is microseconds since the epoch."""

    folder: str
    version: str
    at: int = 0
    by: str = ""
    signed: dict[str, str] = field(default_factory=dict)  # sums.Signed
    cost: dict[str, Any] = field(default_factory=dict)  # what the gate measured when it came


@dataclass(frozen=True, slots=True)
class History:
    """Versions in the order in which they came; `change` is the last change in words, when and by whom."""

    versions: tuple[Version, ...] = ()
    without: tuple[str, ...] = ()  # names of rules of the pack that are not used
    change: str = ""
    changed_at: int = 0
    changed_by: str = ""

    def find(self, folder: str) -> int:
        """Number of the version with that content, -1 when it is not known."""
        return next((n for n, version in enumerate(self.versions) if version.folder == folder), -1)

    def with_version(self, version: Version) -> History:
        """The version put last, also when it was there before."""
        others = [v for v in self.versions if v.folder != version.folder]
        return replace(self, versions=(*others, version)[-KEPT:])


def read_history(rules_dir: Path, name: str) -> History:
    """What is remembered; an empty history when nothing is, or the record cannot be read."""
    try:
        doc = json.loads((rules_dir / CONTENTS / f"{name}.json").read_bytes())
        versions = tuple(Version(**_only(Version, version)) for version in doc["versions"])
        without = tuple(str(rule) for rule in doc["without"])
        return History(versions, without, str(doc["change"]), int(doc["changed_at"]), str(doc["changed_by"]))
    except (OSError, ValueError, KeyError, TypeError):
        return History()


def _only(kind: type[Version], doc: dict[str, Any]) -> dict[str, Any]:
    """Known keys only: a newer release may have written more."""
    known = {f.name for f in fields(kind)}
    return {key: value for key, value in doc.items() if key in known}


def write_history(rules_dir: Path, name: str, history: History) -> None:
    """Replace the record, durably. Raises: OSError."""
    folder = rules_dir / CONTENTS
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    draft = folder / f".{name}.json.{os.getpid()}"
    try:
        write_file(draft, json.dumps(asdict(history), indent=1).encode())
        draft.replace(folder / f"{name}.json")
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    sync_folder(folder)


def write_file(path: Path, content: bytes) -> None:
    """Make a file that was not there, and have it on the disk. Raises: OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)


def sync_folder(path: Path) -> None:
    """Have the names in a directory on the disk. Raises: OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def drop_contents(rules_dir: Path, name: str, keep: set[str]) -> None:
    """Delete contents of that pack that are not to be kept; those of a pack NAME-OTHER are not its contents."""
    for path in (rules_dir / CONTENTS).glob(f"{name}-*"):
        if _FOLDER.fullmatch(path.name[len(name) + 1 :]) and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
