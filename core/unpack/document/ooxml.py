"""Office Open XML: the text of its parts, what they fetch, start and carry. The parts themselves are told by the zip.

Parts are judged by what they hold, not by the table of types: programs differ in how much they believe it. No XML
library, hence no entities, no tree and no depth. Source: ECMA-376 parts 1 and 2; [MS-OI29500]; [MS-XLSB].
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.container.zip import open_zip
from mxward.core.unpack.document import xlm, xlsb
from mxward.core.unpack.document.fields import tell_fields, tell_formulas
from mxward.core.unpack.document.relations import tell_relations
from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.document.xml_text import as_utf8, attributes, is_xml
from mxward.core.unpack.work import MAX_TEXT, Item, Work
from mxward.pyx.xmlscan import CODE, CODE_LINE, GAP, LINE, TAG, TEXT, UNSHARED, Scanner

_SCANNER: Final = Scanner({
    # words: Word, DrawingML, shared strings; VML text boxes hold Word's; Visio
    "t": TEXT, "p": LINE, "br": LINE, "cr": LINE, "tab": GAP, "si": LINE, "is": GAP,
    "text": TEXT | LINE, "Text": TEXT | LINE,
    "delText": TEXT, "textpath": TAG, "tc": GAP, "tr": LINE, "cNvPr": TAG, "docPr": TAG,
    # fields and formulas
    "instrText": CODE, "delInstrText": CODE, "fldChar": CODE_LINE, "fldSimple": TAG, "f": CODE | CODE_LINE,
    # cells
    "c": GAP | UNSHARED, "v": TEXT, "row": LINE, "formula1": CODE | CODE_LINE, "formula2": CODE | CODE_LINE,
    "sheet": TAG, "definedName": TAG | CODE | CODE_LINE, "ddeLink": TAG, "webPr": TAG, "dbPr": TAG, "textPr": TAG,
    "hyperlink": TAG,
    # what acts
    "OLEObject": TAG, "oleObj": TAG, "oleObject": TAG, "control": TAG, "ocx": TAG, "customUI": TAG, "hlinkClick": TAG,
    "hlinkHover": TAG, "hlinkMouseOver": TAG, "imagedata": TAG, "docVar": TAG, "webextension": TAG,
})  # fmt: skip
_STATED: Final = re.compile(
    rb"<(?:[A-Za-z]{1,10}:)?(creator|title|subject|lastModifiedBy|keywords|description|Company|Manager|Application|"
    rb"Template|HyperlinkBase)(?:\s[^<>]{0,200})?>([^<]{1,2000})<"
)
_FACTS: Final = {
    b"creator": "author", b"title": "title", b"subject": "subject", b"lastModifiedBy": "last saved by",
    b"keywords": "keywords", b"description": "comments", b"Company": "company", b"Manager": "manager",
    b"Application": "creator", b"Template": "template",
}  # fmt: skip
_EQUATION: Final = re.compile(r"(?i)^Equation\.[23]$|^\{?0002CE02-0000-0000-C000-000000000046")
_ACTION: Final = re.compile(r"(?i)^ppaction://(?:program|macro|ole)")
_MAIN: Final = ("/document.xml", "/sharedstrings.xml")


def open_ooxml(item: Item, work: Work) -> None:
    """Tell the parts, and what they say. Raises: OverBudget, after what was read until then was told."""
    over: OverBudget | None = None
    try:
        open_zip(item, work)
    except OverBudget as error:
        over = error
    package = _Package(item, work)
    for part in [entry for entry in work.todo if entry.parent == item.number]:
        work.purse.check_time()
        package.read(part)
    package.tell()
    if over is not None:
        raise over


class _Package:
    """The parts of one document, as they are read."""

    def __init__(self, item: Item, work: Work) -> None:
        self._item, self._work = item, work
        self._texts: list[tuple[bool, str, bytes]] = []
        self._sheets: list[dict[str, str]] = []
        self._has_macro_sheet = False

    def read(self, part: Item) -> None:
        """Look into one part."""
        name = "/" + part.name.replace("\\", "/").lstrip("/").lower()
        self._judge_place(name)
        if name.endswith(".rels"):
            tell_relations(self._item, self._work, as_utf8(part.data))
        elif is_xml(part.data):
            self._xml(name, as_utf8(part.data))
        elif name.endswith(".bin") and name.startswith("/xl/"):
            self._binary(name, part.data)

    def tell(self) -> None:
        """Tell the texts, the main part first, and what only all parts together show."""
        self._texts.sort(key=lambda entry: (not entry[0], entry[1]))
        left = MAX_TEXT
        for _, _, text in self._texts:
            if left <= 0:
                break
            self._work.text(self._item, text[:left].decode("utf-8", "replace"))
            left -= len(text)
        for sheet in self._sheets:
            xlm.tell_sheet(self._item, self._work, sheet.get("state", ""))
        if self._has_macro_sheet:
            self._find("OFFICE_XLM")
            if any(sheet.get("state", "visible").lower() != "visible" for sheet in self._sheets):
                self._find("OFFICE_HIDDEN_MACRO_SHEET")

    def _find(self, name: str) -> None:
        self._work.find(self._item, name)

    def _judge_place(self, name: str) -> None:
        if "/activex/" in name:
            self._find("OFFICE_ACTIVEX")
        elif "/macrosheets/" in name or "/intlmacrosheets/" in name:
            self._has_macro_sheet = True
        elif name.endswith("/vbaproject.bin"):
            self._find("OFFICE_MACRO")

    def _binary(self, name: str, data: bytes) -> None:
        """A part of xlsb."""
        found = xlsb.read(data, is_macro="/macrosheets/" in name, work=self._work)
        if found.text.strip():
            self._texts.append((name.endswith("/sharedstrings.bin"), name, found.text.encode("utf-8", "replace")))
        self._sheets.extend({"state": state} for state in found.sheets)
        for defined in found.names:
            xlm.tell_name(self._item, self._work, defined)
        xlm.tell_functions(self._item, self._work, found.functions)
        if found.has_dde:
            self._find("OFFICE_DDE")

    def _xml(self, name: str, data: bytes) -> None:
        if name.startswith("/docprops/"):
            self._facts(data)
        text, code, tags, declares, overflow = _SCANNER.scan(data)
        if overflow:
            self._work.unseen(self._item, "limit:parts", "more elements that matter than are read")
        if declares:
            self._find("OFFICE_XML_ENTITIES")
        if text.strip():
            self._texts.append((name.endswith(_MAIN), name, text + b"\n"))
        if code.strip():
            self._code(name, code.decode("utf-8", "replace"))
        for tag, start, end in tags:
            self._tag(tag, attributes(data, start, end), name)

    def _code(self, name: str, code: str) -> None:
        if name.startswith("/xl/") or b"spreadsheet" in name.encode():
            tell_formulas(self._item, self._work, code)
            if "/macrosheets/" in name:
                xlm.tell_source(self._item, self._work, code)
        else:
            tell_fields(self._item, self._work, code)

    def _facts(self, data: bytes) -> None:
        for match in _STATED.finditer(data[:65_536]):
            value = match[2].decode("utf-8", "replace").strip()
            if match[1] == b"HyperlinkBase":
                tell_target(self._item, self._work, "base", value)
            elif value:
                self._work.fact(self._item, _FACTS[match[1]], value)

    def _tag(self, tag: str, said: dict[str, str], name: str) -> None:
        """Judge one tag by its attributes."""
        match tag:
            case "fldSimple":
                tell_fields(self._item, self._work, said.get("instr", ""))
            case "sheet":
                self._sheets.append(said)
            case "definedName":
                xlm.tell_name(self._item, self._work, said.get("name", ""))
            case "ddeLink":
                self._find("OFFICE_DDE")
            case "webPr" | "dbPr" | "textPr":
                self._connection(said)
            case "OLEObject" | "oleObj" | "oleObject":
                self._object(said)
            case "control" | "ocx":
                self._find("OFFICE_ACTIVEX")
            case "customUI" if "onLoad" in said:
                self._find("OFFICE_CUSTOM_UI")
            case "hlinkClick" | "hlinkHover" | "hlinkMouseOver":
                if _ACTION.match(said.get("action", "")):
                    self._find("OFFICE_ACTION")
            case "imagedata" if said.get("src", "").strip():
                tell_target(self._item, self._work, "picture", said["src"], "OFFICE_REMOTE_PICTURE")
            case "textpath" | "docPr" | "cNvPr":
                shown = " ".join(said.get(key, "") for key in ("string", "title", "descr")).strip()
                if shown:
                    self._texts.append((False, name, shown.encode("utf-8", "replace") + b"\n"))

    def _object(self, said: dict[str, str]) -> None:
        program = said.get("ProgID") or said.get("progId") or ""
        self._find("OFFICE_EQUATION" if _EQUATION.match(program) else "OFFICE_EMBEDDED_OBJECT")
        if said.get("Type", "").lower() == "link" or said.get("link"):
            self._find("OFFICE_LINKED_OBJECT")
        if said.get("UpdateMode", "").lower() == "always" or said.get("oleUpdate", "").lower() == "oleupdate_always":
            self._find("OFFICE_OBJECT_UPDATES")

    def _connection(self, said: dict[str, str]) -> None:
        self._find("OFFICE_REMOTE_DATA")
        for key in ("url", "sourceFile", "connection"):
            if key in said:
                tell_target(self._item, self._work, "data", said[key])
