"""Office Open XML without macros, controls, embedded objects and what is loaded from elsewhere (ECMA-376, parts 1, 2).

A part that acts is dropped with every relationship that leads to it; what shows in its place, a picture, stays. Links
that a person must click stay.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from lxml import etree

from mxward.core.unpack.disarm.package import parse_xml, read_parts, write_parts, write_xml
from mxward.core.unpack.work import Damaged, Item, Work
from mxward.pyx.filetype import identify

OOXML: Final = (
    "application/vnd.openxmlformats-officedocument", "application/vnd.ms-word.", "application/vnd.ms-excel.",
    "application/vnd.ms-powerpoint.",
)  # fmt: skip
_TYPES: Final = "[Content_Types].xml"
# last words of relationship types whose targets act, or bring what acts
_ACTIVE: Final = frozenset((
    "vbaProject", "vbaProjectSignature", "vbaProjectSignatureAgile", "vbaProjectSignatureV3", "wordVbaData",
    "attachedToolbars", "keyMapCustomizations", "userCustomization", "customUI", "extensibility", "control",
    "activeXControlBinary", "ctrlProp", "oleObject", "externalLink", "externalLinkPath", "attachedTemplate",
    "subDocument", "aFChunk", "xlMacrosheet", "xlIntlMacrosheet", "dialogsheet", "connections", "queryTable",
    "webextension", "webextensiontaskpanes", "taskpanes", "mailMergeSource", "mailMergeHeaderSource", "recipientData",
))  # fmt: skip
_MAX_DEPTH: Final = 3  # of documents in documents
_KEPT_OUTSIDE: Final = frozenset(("hyperlink",))  # external targets that wait for a click
_CLICKABLE: Final = re.compile(r"(?i)\s*(?:https?|mailto|tel|ftp):|#")
# what a click or a passing pointer does in a presentation, beside going to another slide
_ACTION: Final = re.compile(r"(?i)ppaction://(?:program|macro|ole|file)")
_MACRO_TYPES: Final = {
    "application/vnd.ms-word.document.macroEnabled.main+xml":
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml":
        "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml":
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "application/vnd.ms-excel.template.macroEnabled.main+xml":
        "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml":
        "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml":
        "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml":
        "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
}  # fmt: skip
# field instructions that start a program or fetch something
_FIELD: Final = re.compile(r"(?i)\b(?:DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK|MACROBUTTON|DATABASE)\b")
# elements that are nothing without the parts that go
_GONE: Final = frozenset((
    "sheet", "control", "controls", "oleObject", "oleObjects", "OLEObject", "externalReferences", "externalReference",
    "ddeLink", "oleLink", "altChunk", "subDoc", "attachedTemplate", "mailMerge", "webPublishItems", "legacyDrawing",
    "frameset", "fileVersionMacro", "dialogsheets",
))  # fmt: skip
_RELATION: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_RELATED: Final = re.compile(r"^\{http://[^}]*/relationships\}(?:id|embed|link|pict|dm|lo|qs|cs)$")


def disarm_ooxml(item: Item, work: Work) -> bytes | None:
    """The document without what acts, or None when nothing in it does. Raises: Damaged, OverBudget."""
    return _disarm(item, work, 0)


def _disarm(item: Item, work: Work, depth: int) -> bytes | None:
    parts = read_parts(item, work)
    if _TYPES not in parts:
        raise Damaged("a package without its table of types")
    dropped: set[str] = set()
    changed = _disarm_embedded(parts, item, work, depth, dropped)
    for name in [name for name in parts if name.endswith(".rels")]:
        gone = _clean_relations(parts, name, dropped)
        if gone:
            changed = True
            _cut(parts, _source_of(name), gone)
    for name in [name for name in parts if name.endswith(".xml")]:
        changed |= _clear_fields(parts, name) | _clear_actions(parts, name)
    dropped |= {name for name in parts if _is_macro_part(name)}
    for name in dropped & parts.keys():
        del parts[name]
        parts.pop(_relations_of(name), None)
    changed |= _clean_types(parts, dropped) or bool(dropped)
    return write_parts(parts) if changed else None


def _disarm_embedded(parts: dict[str, bytes], item: Item, work: Work, depth: int, dropped: set[str]) -> bool:
    """Disarm the documents inside; those that are none of ours go. Was any changed?"""
    changed = False
    for name in [name for name in parts if "/embeddings/" in f"/{name.lower()}"]:
        data = parts[name]
        if depth >= _MAX_DEPTH or not identify(data).startswith(OOXML):
            dropped.add(name)
            continue
        safe = _disarm(item._replace(data=data), work, depth + 1)
        if safe is not None:
            parts[name], changed = safe, True
    return changed


def _is_macro_part(name: str) -> bool:
    low = name.lower()
    return low.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in low or "/activex/" in low


def _source_of(relations: str) -> str:
    folder, _, name = relations.rpartition("/")
    return posixpath.join(posixpath.dirname(folder), name.removesuffix(".rels"))


def _relations_of(part: str) -> str:
    return posixpath.join(posixpath.dirname(part), "_rels", posixpath.basename(part) + ".rels")


def _clean_relations(parts: dict[str, bytes], name: str, dropped: set[str]) -> set[str]:
    """Take relationships that act out of one table; returns their ids, adds their targets to `dropped`."""
    root = parse_xml(parts[name])
    gone: set[str] = set()
    for relation in root.findall(_RELATION):
        kind = relation.get("Type", "").rstrip("/").rpartition("/")[2]
        target, is_outside = relation.get("Target", ""), relation.get("TargetMode", "").lower() == "external"
        acts = (
            kind in _ACTIVE
            or _target(name, target) in dropped
            or (is_outside and (kind not in _KEPT_OUTSIDE or not _CLICKABLE.match(target)))
        )
        if not acts:
            continue
        gone.add(relation.get("Id", ""))
        root.remove(relation)
        if not is_outside:
            dropped.add(_target(name, target))
    if gone:
        parts[name] = write_xml(root)
    return gone


def _target(relations: str, target: str) -> str:
    """The name of the part that a relationship of that table leads to."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(_source_of(relations)), target)).lstrip("/")


def _cut(parts: dict[str, bytes], name: str, ids: set[str]) -> None:
    """Take the elements out of a part that speak of relationships that are gone."""
    if name not in parts or not name.endswith(".xml"):
        return
    root = parse_xml(parts[name])
    for element in list(root.iter(etree.Element)):
        refers = [key for key, value in element.attrib.items() if value in ids and _RELATED.match(str(key))]
        if refers and _local(element) in _GONE:
            _remove(element)
        else:
            for key in refers:
                del element.attrib[key]
    if _local(root) == "workbook" and not any(_local(e) == "sheet" for e in root.iter(etree.Element)):
        raise Damaged("a workbook of nothing but macro sheets")
    parts[name] = write_xml(root)


def _clear_fields(parts: dict[str, bytes], name: str) -> bool:
    """Empty the field instructions of a Word part that start or fetch something, split over runs or not."""
    data = parts[name]
    if b"instrText" not in data and b"fldSimple" not in data:
        return False
    root = parse_xml(data)
    runs = [element for element in root.iter(etree.Element) if _local(element) == "instrText"]
    bad = _FIELD.search("".join(run.text or "" for run in runs)) is not None
    for run in runs if bad else ():
        run.text = " "
    for element in [e for e in root.iter(etree.Element) if _local(e) == "fldSimple"]:
        for key, value in element.attrib.items():
            if str(key).endswith("}instr") and _FIELD.search(str(value)):
                element.attrib[key] = " "
                bad = True
    if bad:
        parts[name] = write_xml(root)
    return bad


def _clear_actions(parts: dict[str, bytes], name: str) -> bool:
    """Take the actions out of a PowerPoint part that start a program or a macro."""
    if b"ppaction://" not in parts[name].lower():
        return False
    root = parse_xml(parts[name])
    bad = [element for element in root.iter(etree.Element) if _ACTION.match(element.get("action", ""))]
    for element in bad:
        _remove(element)
    if bad:
        parts[name] = write_xml(root)
    return bool(bad)


def _clean_types(parts: dict[str, bytes], dropped: set[str]) -> bool:
    """Make the table of types fit: no macro types, no part that is gone. Were any changed?"""
    root = parse_xml(parts[_TYPES])
    changed = False
    for row in list(root):
        if row.get("PartName", "").lstrip("/") in dropped:
            root.remove(row)
            changed = True
        elif row.get("ContentType") in _MACRO_TYPES:
            row.set("ContentType", _MACRO_TYPES[row.get("ContentType", "")])
            changed = True
    if changed:
        parts[_TYPES] = write_xml(root)
    return changed


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
