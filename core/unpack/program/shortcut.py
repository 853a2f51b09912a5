"""Shortcuts: what a .lnk or .url file opens, with which arguments ([MS-SHLLINK]; LnkParse3 reads it)."""

from __future__ import annotations

import configparser
import io
import re
from typing import Any, Final

import LnkParse3

from mxward.core.unpack.work import Damaged, Item, Work

_SHELLS: Final = re.compile(
    r"(?i)\b(?:powershell|pwsh|cmd|wscript|cscript|mshta|rundll32|regsvr32|msiexec|certutil|bitsadmin|curl|forfiles|"
    r"conhost|wmic|schtasks|msbuild|installutil|explorer\.exe\s+\\\\)(?:\.exe)?\b"
)
_LINK: Final = re.compile(r"(?i)\b(?:https?|ftp|file)://[^\s\"'<>]{2,2000}|\\\\[\w.@-]{1,200}\\[^\s\"'<>]{1,500}")
_MAX_APPENDED: Final = 4  # bytes of a terminal block; more is data that something else may read


def open_lnk(item: Item, work: Work) -> None:
    """Tell target, arguments and what stands behind the end. Raises: Damaged, OverBudget."""
    try:
        link = LnkParse3.lnk_file(indata=item.data)
        doc: dict[str, Any] = link.get_json()
    except Exception as error:  # the library raises whatever its fields raise
        raise Damaged("no shortcut that can be read") from error
    words = list(dict.fromkeys(_words(doc)))
    text = "\n".join(words)
    work.find(item, "SHORTCUT")
    _tell(item, work, text)
    at = int(doc.get("size", 0) or 0)
    if 0 < at < len(item.data) - _MAX_APPENDED:
        work.child(item, item.data[at:], "data after the shortcut")


def open_url(item: Item, work: Work) -> None:
    """Tell where an internet shortcut leads. Raises: Damaged, OverBudget."""
    text = item.data.decode("utf-8-sig", "replace")
    reader = configparser.RawConfigParser(strict=False, allow_no_value=True, delimiters=("=",))
    try:
        reader.read_file(io.StringIO(text))
    except configparser.Error:
        pass  # its lines are told all the same
    work.find(item, "SHORTCUT")
    for section in reader.sections():
        for key, value in reader.items(section):
            if value and key in ("url", "baseurl", "iconfile", "workingdirectory"):
                work.address(item, "shortcut", value.strip())
    _tell(item, work, text)


def _words(value: Any, depth: int = 0) -> list[str]:
    """Every text that the library read."""
    if depth > 20:
        return []
    if isinstance(value, str):
        return [value] if len(value) > 1 else []
    if isinstance(value, dict):
        return [word for inner in value.values() for word in _words(inner, depth + 1)]
    if isinstance(value, (list, tuple)):
        return [word for inner in value for word in _words(inner, depth + 1)]
    return []


def _tell(item: Item, work: Work, text: str) -> None:
    if _SHELLS.search(text):
        work.find(item, "SHORTCUT_STARTS_SHELL")
    for found in _LINK.finditer(text):
        work.address(item, "shortcut", found[0])
        if found[0].startswith("\\\\") or found[0].lower().startswith("file:"):
            work.find(item, "SHORTCUT_TO_SHARE")
    if text.strip():
        work.text(item, text + "\n")
