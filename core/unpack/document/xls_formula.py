"""Functions that a binary formula of Excel calls, by a scan for their tokens.

Tokens are not walked one by one: their sizes differ between versions, and a walk that loses its place sees nothing.
A scan may see a function too many; only those that matter are looked for. Source: [MS-XLS] 2.5.198.17, 2.5.198.62,
2.5.198.63; [MS-XLSB] 2.5.97.
"""

from __future__ import annotations

import re
from typing import Final

# PtgFunc and PtgFuncVar: token, (count of arguments with the flag for a prompt,) number of the function
_FUNC: Final = re.compile(rb"[\x21\x41\x61](..)", re.S)
_FUNC_VAR: Final = re.compile(rb"[\x22\x42\x62].(..)", re.S)
_NAMES: Final = {
    53: "GOTO", 54: "HALT", 55: "RETURN", 110: "EXEC", 111: "CHAR", 132: "FOPEN", 133: "FCLOSE", 137: "FWRITE",
    136: "FWRITELN", 149: "REGISTER", 150: "CALL", 267: "REGISTER.ID", 236: "CREATE.OBJECT", 88: "SET.NAME",
    89: "CALLER", 96: "FORMULA", 123: "DIRECTORY", 94: "INITIATE", 95: "POKE", 178: "EXECUTE", 185: "GET.CELL",
}  # fmt: skip
# PtgStr: a count in one byte and flags, or (xlsb) a count in two bytes and UTF-16
_STRING: Final = re.compile(rb"\x17(.)\x00(?=([\x20-\x7e]\x00)?)[\x20-\x7e]", re.S)
_COMMANDS: Final = {0x8000 | 0x1B: "FILE.DELETE", 0x8000 | 0x05: "SAVE.AS", 0x8000 | 0x01: "OPEN"}


def strings_of(formula: bytes) -> list[str]:
    """Texts in a formula, as far as they are ASCII."""
    found = []
    for match in _STRING.finditer(formula):
        n = match[1][0] * (2 if match[2] else 1)
        text = formula[match.end() - 1 : match.end() - 1 + n].replace(b"\0", b"")
        if len(text) == match[1][0] and text.isascii() and text.decode("ascii").isprintable():
            found.append(text.decode("ascii"))
    return found


def functions_of(formula: bytes) -> set[str]:
    """Names of the functions, those of the tables above. Args: formula: a whole formula record."""
    found = set()
    for pattern in (_FUNC, _FUNC_VAR):
        for at in range(2):  # a match takes its bytes away: look from both places
            for match in pattern.finditer(formula, at):
                number = int.from_bytes(match[1], "little")
                name = _NAMES.get(number) or _COMMANDS.get(number & 0xFFFF if number & 0x8000 else -1)
                if name:
                    found.add(name)
    return found
