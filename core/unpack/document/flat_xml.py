"""Office documents in one XML file: Word 2003, Excel 2003, flat packages. Text, fields, formulas, packed parts.

Source: the schemas of Office 2003; ECMA-376 part 2 as one file ("pkg"); base64 of binary data (w:binData).
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from mxward.core.unpack.document.fields import tell_fields, tell_formulas
from mxward.core.unpack.document.relations import tell_relations
from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.document.xml_text import as_utf8, attributes
from mxward.core.unpack.work import MAX_TEXT, Item, Work
from mxward.pyx.xmlscan import CODE, CODE_LINE, GAP, LINE, TAG, TEXT, Scanner

_MARKS: Final = (
    b"<?mso-application", b"schemas.microsoft.com/office/word/2003", b"urn:schemas-microsoft-com:office:spreadsheet",
    b"schemas.microsoft.com/office/2006/xmlPackage",
)  # fmt: skip
_SCANNER: Final = Scanner({
    "t": TEXT, "p": LINE, "br": LINE, "tab": GAP, "Data": TEXT | LINE, "instrText": CODE, "fldChar": CODE_LINE,
    "fldSimple": TAG, "Cell": TAG, "ddeLink": TAG, "hlink": TAG, "attachedTemplate": TAG, "SupBook": TAG,
    "ocx": TAG, "OLEObject": TAG,
})  # fmt: skip
_BINARY: Final = re.compile(
    rb"<(?:\w{1,20}:)?(?:binData|binaryData|docSuppData)\b[^<>]{0,1000}>([A-Za-z0-9+/=\s]{16,})<"
)
_NAME: Final = re.compile(rb'(?:w:name|pkg:name)="([^"<>]{1,200})"')
_DDE_BOOK: Final = re.compile(rb"(?i)<(?:\w{1,20}:)?dde(?:link)?\b")


def open_flat_xml(item: Item, work: Work) -> None:
    """Tell what an Office document of one file says and carries; other XML is passed over. Raises: OverBudget."""
    data = as_utf8(item.data)
    if not any(mark in data[:8192] for mark in _MARKS):
        return
    text, code, tags, declares, overflow = _SCANNER.scan(data)
    if overflow:
        work.unseen(item, "limit:parts", "more elements that matter than are read")
    if declares:
        work.find(item, "OFFICE_XML_ENTITIES")
    tell_fields(item, work, code.decode("utf-8", "replace"))
    for tag, start, end in tags:
        _tag(item, work, tag, attributes(data, start, end))
    if b"<Relationship" in data:
        tell_relations(item, work, data)
    if _DDE_BOOK.search(data):
        work.find(item, "OFFICE_DDE")
    work.text(item, text[:MAX_TEXT].decode("utf-8", "replace"))
    for match in _BINARY.finditer(data):
        work.purse.check_time()
        named = _NAME.findall(data[max(0, match.start() - 300) : match.start(1)])
        try:
            content = binascii.a2b_base64(match[1])
        except binascii.Error:
            work.unseen(item, "damaged", "binary data that is no base64")
            continue
        work.child(item, content, named[-1].decode("utf-8", "replace") if named else "binary data")


def _tag(item: Item, work: Work, tag: str, said: dict[str, str]) -> None:
    match tag:
        case "fldSimple":
            tell_fields(item, work, said.get("instr", ""))
        case "Cell":
            tell_formulas(item, work, said.get("Formula", ""))
            tell_target(item, work, "link", said.get("HRef", ""))
        case "ddeLink":
            work.find(item, "OFFICE_DDE")
        case "hlink":
            tell_target(item, work, "link", said.get("dest", ""))
        case "attachedTemplate":
            tell_target(item, work, "template", said.get("val", ""), "OFFICE_REMOTE_TEMPLATE")
        case "ocx":
            work.find(item, "OFFICE_ACTIVEX")
        case "OLEObject":
            work.find(item, "OFFICE_EMBEDDED_OBJECT")
