"""Writing a file of DATA/cache: whole or not at all. What stands in such files is their readers' business."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_cache(file: Path, content: bytes) -> bool:
    """Put the file in place by a rename; its directory is made when absent.

    Best effort: a cache that cannot be written costs time at the next start, nothing else. Returns: was it written?
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(file)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        return False
    return True
