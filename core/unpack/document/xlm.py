"""Excel 4.0 macros: what their functions, names and hidden sheets mean, whichever format they came in.

Source: [MS-XLS] 2.5.198.17 (functions), 2.4.28 (sheets), 2.4.150 (names); the macro functions of Excel 4.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mxward.core.unpack.work import Item, Work

# start programs, call libraries, write files
_REACH: Final = frozenset((
    "EXEC", "CALL", "REGISTER", "REGISTER.ID", "FOPEN", "FWRITE", "FWRITELN", "FILE.DELETE", "DIRECTORY",
    "CREATE.OBJECT", "SAVE.AS", "SEND.KEYS", "APP.ACTIVATE", "INITIATE", "EXECUTE", "POKE", "OPEN", "WORKBOOK.INSERT",
))  # fmt: skip
_AUTO: Final = re.compile(r"(?i)^(?:_xlnm\.)?auto_?(?:open|close|activate|deactivate)")
_FUNCTION: Final = re.compile(r"(?i)(?<![A-Za-z0-9_.])([A-Z][A-Z.]{2,20})\(")


def tell_sheet(item: Item, work: Work, state: str) -> None:
    """Tell of a sheet that is not shown. Args: state: as xlsx writes it."""
    match state.lower():
        case "veryhidden":
            work.find(item, "OFFICE_VERY_HIDDEN_SHEET")
        case "hidden":
            work.find(item, "OFFICE_HIDDEN_SHEET")


def tell_name(item: Item, work: Work, name: str) -> None:
    """Tell of a defined name that Excel runs by itself."""
    if _AUTO.match(name):
        work.find(item, "OFFICE_XLM_STARTS_ALONE")


def tell_functions(item: Item, work: Work, functions: Iterable[str]) -> None:
    """Tell of functions of a macro sheet."""
    if any(function.upper() in _REACH for function in functions):
        work.find(item, "OFFICE_XLM_REACHES_OUT")


def tell_source(item: Item, work: Work, source: str) -> None:
    """Tell of formulas of a macro sheet, as text."""
    tell_functions(item, work, (match[1] for match in _FUNCTION.finditer(source)))
