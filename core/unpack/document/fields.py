"""Instructions of fields and formulas: what starts a program or fetches something, in Word, RTF and Excel alike.

Source: ECMA-376 part 1, 17.16 (fields), 18.17 (formulas); [MS-DOC] 2.9.90; [MS-XLS] 2.5.198.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.work import Item, Work

_DDE: Final = re.compile(r"(?i)(?<![A-Za-z])DDE(?:AUTO)?(?![A-Za-z])")
_FETCH: Final = re.compile(
    r'(?i)(?<![A-Za-z])(INCLUDETEXT|INCLUDEPICTURE|IMPORT|INCLUDE|LINK|RD|DATABASE|HYPERLINK)\s[^"\n]{0,100}"([^"\n]{1,2000})"'
)
_FETCH_BARE: Final = re.compile(
    r"(?i)(?<![A-Za-z])(INCLUDETEXT|INCLUDEPICTURE|IMPORT|INCLUDE|RD|HYPERLINK)\s{1,20}((?:https?|ftp|file):[^\s\"]{1,2000})"
)
_QUOTE: Final = re.compile(r"(?i)\bQUOTE((?:\s+\d{1,5}){3,2000})")
_FIELD: Final = {
    "INCLUDETEXT": ("text", "OFFICE_REMOTE_OBJECT"), "INCLUDE": ("text", "OFFICE_REMOTE_OBJECT"),
    "LINK": ("object", "OFFICE_REMOTE_OBJECT"), "RD": ("text", "OFFICE_REMOTE_OBJECT"),
    "INCLUDEPICTURE": ("picture", "OFFICE_REMOTE_PICTURE"), "IMPORT": ("picture", "OFFICE_REMOTE_PICTURE"),
    "DATABASE": ("data", "OFFICE_REMOTE_DATA"), "HYPERLINK": ("link", ""),
}  # fmt: skip
# service|topic!item: DDE written as a formula
_DDE_FORMULA: Final = re.compile(
    r"(?im)(?:^|[=+\-@(,;&])\s{0,20}'?([A-Za-z][\w.\\ ]{1,60})'?\s?\|\s?'?[^!\n|]{0,400}'?!\s{0,9}[\w$'\"]"
)
_HYPERLINK: Final = re.compile(r'(?i)\bHYPERLINK\(\s{0,20}"([^"\n]{1,2000})"')
_REMOTE: Final = re.compile(
    r'(?i)\b(WEBSERVICE|IMAGE|IMPORTDATA|IMPORTXML|IMPORTHTML|IMPORTFEED|RTD)\(\s{0,20}"([^"\n]{1,2000})"'
)


def tell_fields(item: Item, work: Work, code: str) -> None:
    """Look through field instructions, one a line; a word may be split over lines, or be written by numbers."""
    for text in (code, _unquoted(code)):
        joined = text.replace("\n", "")
        if _DDE.search(text) or _DDE.search(joined):
            work.find(item, "OFFICE_DDE")
        for match in (*_FETCH.finditer(text), *_FETCH_BARE.finditer(text)):
            kind, finding = _FIELD[match[1].upper()]
            tell_target(item, work, kind, match[2].replace("\\\\", "\\"), finding)


def _unquoted(code: str) -> str:
    """QUOTE fields of character numbers as what they show; "" when there are none."""
    words = []
    for match in _QUOTE.finditer(code):
        words.append("".join(chr(int(number)) for number in match[1].split() if int(number) < 0xD800))
    return " ".join(words)


def tell_formulas(item: Item, work: Work, formulas: str) -> None:
    """Look through formulas of a spreadsheet, one a line, with or without their "="."""
    if "|" in formulas and _DDE_FORMULA.search(formulas):
        work.find(item, "OFFICE_DDE")
    for match in _HYPERLINK.finditer(formulas):
        tell_target(item, work, "link", match[1])
    for match in _REMOTE.finditer(formulas):
        work.find(item, "OFFICE_REMOTE_DATA")
        if match[1].upper() != "RTD":
            tell_target(item, work, "data", match[2], "OFFICE_REMOTE_DATA")


def is_dde_formula(formula: str) -> bool:
    """Whether a formula asks another program by DDE."""
    return "|" in formula and _DDE_FORMULA.search(formula) is not None
