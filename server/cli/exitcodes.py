"""Exit codes of every command, in one table; docs/commands.md quotes it. Numbers above 63 are those of sysexits.h."""

from __future__ import annotations

from typing import Final

from mxward.core.errors import (
    ConfigError,
    MxwardError,
    PolicyError,
    RulePackError,
    StoreCorrupt,
    StoreError,
    StoreFull,
)
from mxward.server.services.errors import BadRequest, NotFound, NotRunning, Refused

OK: Final = 0
NEGATIVE: Final = 1
USAGE: Final = 2
DATA: Final = 65
NO_INPUT: Final = 66
UNAVAILABLE: Final = 69
SOFTWARE: Final = 70
IO: Final = 74
BUSY: Final = 75
REFUSED: Final = 77
CONFIG: Final = 78

MEANINGS: Final[dict[int, str]] = {
    OK: "done; the answer is yes, clean, consistent, running",
    NEGATIVE: "done, and the answer is no: a scan found something at or above quarantine level, the ledger is "
    "inconsistent, a rule test failed, the gateway is not running or not ready",
    USAGE: "wrong command, option or argument",
    DATA: "a rule pack or policy file is faulty",
    NO_INPUT: "no such message, pack, user or file",
    UNAVAILABLE: "the store or the running gateway cannot be reached; try again later",
    SOFTWARE: "a fault of mxward itself; please report it",
    IO: "the disk is full or broken, or a stored record is damaged",
    BUSY: "a gateway is running with this data directory already",
    REFUSED: "understood and refused, for example the release of malware without --force",
    CONFIG: "the configuration is wrong; the message names file, line and key",
}

# The first that matches counts.
_ERRORS: Final[tuple[tuple[type[MxwardError], int], ...]] = (
    (ConfigError, CONFIG), (RulePackError, DATA), (PolicyError, DATA), (StoreFull, IO), (StoreCorrupt, IO),
    (StoreError, UNAVAILABLE), (NotRunning, UNAVAILABLE), (NotFound, NO_INPUT), (Refused, REFUSED),
    (BadRequest, USAGE),
)  # fmt: skip


def code_of(error: MxwardError) -> int:
    """The exit code that stands for an error."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), SOFTWARE)
