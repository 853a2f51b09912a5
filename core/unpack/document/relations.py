"""Relationships of Office Open XML: which other part or place each leads to, and what that means.

Source: ECMA-376 part 2, 8.3; relationship types of part 1 and of [MS-OFFMACRO2], [MS-CUSTOMUI].
"""

from __future__ import annotations

from typing import Final

from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.document.xml_text import attributes
from mxward.core.unpack.work import Item, Work
from mxward.pyx.xmlscan import TAG, Scanner

_SCANNER: Final = Scanner({"Relationship": TAG})
# by the last word of the type: how the address is called, and the finding when it lies outside
_OUTSIDE: Final = {
    "attachedtemplate": ("template", "OFFICE_REMOTE_TEMPLATE"),
    "slidemaster": ("template", "OFFICE_REMOTE_TEMPLATE"),
    "oleobject": ("object", "OFFICE_REMOTE_OBJECT"),
    "package": ("object", "OFFICE_REMOTE_OBJECT"),
    "afchunk": ("object", "OFFICE_REMOTE_OBJECT"),
    "subdocument": ("object", "OFFICE_REMOTE_OBJECT"),
    "frame": ("frame", "OFFICE_REMOTE_OBJECT"),
    "control": ("object", "OFFICE_REMOTE_OBJECT"),
    "vbaproject": ("object", "OFFICE_REMOTE_OBJECT"),
    "externallinkpath": ("workbook", "OFFICE_REMOTE_DATA"),
    "externallink": ("workbook", "OFFICE_REMOTE_DATA"),
    "externallinklong": ("workbook", "OFFICE_REMOTE_DATA"),
    "xlpathmissing": ("workbook", ""),
    "mailmergesource": ("data", "OFFICE_REMOTE_DATA"),
    "mailmergeheadersource": ("data", "OFFICE_REMOTE_DATA"),
    "recipientdata": ("data", "OFFICE_REMOTE_DATA"),
    "image": ("picture", "OFFICE_REMOTE_PICTURE"),
    "video": ("media", "OFFICE_REMOTE_PICTURE"),
    "audio": ("media", "OFFICE_REMOTE_PICTURE"),
    "media": ("media", "OFFICE_REMOTE_PICTURE"),
    "hyperlink": ("link", ""),
}  # fmt: skip
_INSIDE: Final = {
    "control": "OFFICE_ACTIVEX",
    "activexcontrolbinary": "OFFICE_ACTIVEX",
    "afchunk": "OFFICE_FOREIGN_CHUNK",
    "oleobject": "OFFICE_EMBEDDED_OBJECT",
    "vbaproject": "OFFICE_MACRO",
    "xlmacrosheet": "OFFICE_XLM",
    "xlintlmacrosheet": "OFFICE_XLM",
}  # fmt: skip


def tell_relations(item: Item, work: Work, data: bytes) -> None:
    """Tell what one table of relationships leads to. Args: data: the table, in UTF-8."""
    _, _, tags, declares, overflow = _SCANNER.scan(data)
    if declares:
        work.find(item, "OFFICE_XML_ENTITIES")
    if overflow:
        work.unseen(item, "limit:parts", "more relationships than are read")
    for _, start, end in tags:
        said = attributes(data, start, end)
        kind = said.get("Type", "").rstrip("/").rpartition("/")[2].lower()
        target = said.get("Target", "")
        if said.get("TargetMode", "").strip().lower() == "external":
            called, finding = _OUTSIDE.get(kind, ("other", ""))
            tell_target(item, work, called, target, finding)
        elif kind in _INSIDE:
            work.find(item, _INSIDE[kind])
