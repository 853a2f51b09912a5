"""Files of DATA/cache: written whole or not at all, and read only when nobody else can have written them.

Compiled rules are trusted once they are read (libyara's form above all), and a checksum keeps nobody from writing
another one. What stands in the files is their readers' business.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def write_cache(file: Path, content: bytes) -> bool:
    """Put the file in place by a rename; its directory is made when absent, and closed to other writers when it is
    open to them.

    Best effort: a cache that cannot be written costs time at the next start, nothing else. Returns: was it written?
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = file.parent.stat().st_mode
        if mode & _OTHERS:
            file.parent.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as opened:
            opened.write(content)
        draft.replace(file)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        return False
    return True


def open_cache(file: Path) -> BinaryIO:
    """The file, when it and its directory belong to this user or to root and nobody else may write them.

    Raises: OSError when there is none, PermissionError when it is not to be trusted; then it is made anew.
    """
    if fault := _fault(file.parent.stat()):
        raise PermissionError(f"{file.parent} {fault}")
    opened = open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")  # noqa: SIM115 -- the caller's
    if fault := _fault(os.fstat(opened.fileno())):
        opened.close()
        raise PermissionError(f"{file} {fault}")
    return opened


def is_kept(file: Path) -> bool:
    """Is there such a file that `open_cache` gives?"""
    try:
        open_cache(file).close()
    except OSError:
        return False
    return True


def distrusted(cache: Path) -> list[str]:
    """The directory and the files of it that are not used, each with its reason, for the log. Never raises."""
    found: list[str] = []
    with suppress(OSError):
        for path in (cache, *sorted(cache.iterdir())):
            if fault := _fault(path.lstat()):
                found.append(f"{path.name} {fault}")
    return found


def _fault(status: os.stat_result) -> str:
    """Why what a file holds is not to be trusted; "" when it is."""
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to user {status.st_uid}"
    if not stat.S_ISLNK(status.st_mode) and status.st_mode & _OTHERS:
        return "may be written by others"
    return ""
