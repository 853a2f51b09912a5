"""One process that works out the rules of all packs, so that workers need only load what it left in DATA/cache.

A worker starts `python -m mxward.server.rulebuild` with MXWARD_PROCESS in the environment, as the supervisor starts
workers (process.py). How far it is stands in DATA/run/rules.json, for `mxward status`. Exit code 0: all is there.
Who starts it and waits for it is smtp/rules.py.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import orjson

from mxward.core.errors import MxwardError
from mxward.core.rules.cachefile import distrusted
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.manage import enabled_packs
from mxward.server.config import Config
from mxward.server.log import Log
from mxward.server.process import die_with, from_environment
from mxward.server.run import datadir
from mxward.server.trust import trust_of

PROGRESS_FILE: Final = "run/rules.json"
LOCK_FILE: Final = "run/rules.lock"  # held by who has rules worked out
TELL_EVERY_S: Final = 0.5
LOG_EVERY_S: Final = 5.0
NICE: Final = 5  # mail goes first


class Progress:
    """Tells how far the YARA rules are, to the file and now and then to the log."""

    def __init__(self, data: Path, log: Log) -> None:
        self._file, self._log = data / PROGRESS_FILE, log
        self._told_s = self._logged_s = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        """`done` of `of` groups of rules are compiled."""
        now_s = time.monotonic()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self.tell("YARA rules", 100 * done // max(1, of))
        if now_s - self._logged_s >= LOG_EVERY_S:
            self._logged_s = now_s
            self._log("rules_building", engine="yara", percent=100 * done // max(1, of))
        if done == of:
            self.tell("expressions and SpamAssassin rules")

    def tell(self, what: str, percent: int | None = None) -> None:
        """What is being worked out, and how much of it is done; None: unknown. Best effort: the build goes on."""
        with suppress(OSError):
            doc = {"pid": os.getpid(), "what": what, "percent": percent}
            datadir.write_atomically(self._file, orjson.dumps(doc))

    def fail(self, reason: str) -> None:
        """Leave word of what was wrong, until rules are loaded again."""
        with suppress(OSError):
            datadir.write_atomically(self._file, orjson.dumps({"fault": reason}))


def forget(data: Path) -> None:
    """There is nothing to tell of rules any more."""
    with suppress(OSError):
        (data / PROGRESS_FILE).unlink()


def build(config: Config, log: Log) -> bool:
    """Work out what is not in the cache yet. A pack that is wrong is said in the log."""
    began = time.monotonic()
    progress = Progress(config.data, log)
    try:
        packs = enabled_packs(config.data / "rules", trust_of(config))
        if unused := distrusted(config.data / "cache"):
            log.warning("rules_cache_distrusted", files=unused[:20])
        log("rules_building", packs=[pack.label for pack in packs])
        progress.tell("YARA rules", 0)
        compile_packs(packs, config.data / "cache", progress)
    except MxwardError as error:
        log.error("rules_not_built", reason=str(error))
        progress.fail(str(error))
        return False
    forget(config.data)
    log("rules_built", seconds=round(time.monotonic() - began, 1))
    return True


def main() -> int:
    """Build for the worker that MXWARD_PROCESS describes, and die with it."""
    text = os.environ.pop("MXWARD_PROCESS")
    die_with(orjson.loads(text)["parent"])
    os.nice(NICE)
    process = from_environment(text)
    try:
        return 0 if build(process.config, process.log) else 1
    except Exception as error:
        process.log.exception("rules_not_built", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
