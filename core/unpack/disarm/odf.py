"""OpenDocument (ISO 26300) without macros, event listeners, foreign objects and what is loaded from elsewhere."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from mxward.core.unpack.disarm.package import parse_xml, read_parts, write_parts, write_xml
from mxward.core.unpack.work import Damaged, Item, Work

_MIMETYPE: Final = "mimetype"
_MANIFEST: Final = "META-INF/manifest.xml"
_XML: Final = ("content.xml", "styles.xml", "settings.xml")
_CODE: Final = re.compile(
    r"^(?:Basic|Scripts|Dialogs|Configurations2)/|^META-INF/(?:documentsignatures|macrosignatures)\.xml$"
)
_MANIFEST_NS: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_ACTS: Final = frozenset((
    "event-listeners", "event-listener", "scripts", "script", "applet", "plugin", "floating-frame", "object-ole",
    "dde-connection-decls", "dde-connection-decl", "dde-source", "dde-links", "dde-link", "data-source",
    "database-range-source", "table-source", "cell-range-source", "section-source", "forms",
))  # fmt: skip
_CLICKED: Final = frozenset(("a",))  # text:a, draw:a: wait for a click
_OUTSIDE: Final = re.compile(r"(?i)^[a-z][a-z0-9+.\-]*:|^//|^\\\\|^\.\./|^/")
_DEAD_SCHEMES: Final = re.compile(
    r"(?i)^(?:file|javascript|vnd\.sun\.star\.[a-z]+|macro|data|service|slot|\.uno):|^\\\\"
)


def disarm_odf(item: Item, work: Work) -> bytes | None:
    """The document without what acts, or None when nothing in it does. Raises: Damaged, OverBudget."""
    parts = read_parts(item, work)
    if _MIMETYPE not in parts or _MANIFEST not in parts:
        raise Damaged("a package without its type or manifest")
    manifest = parse_xml(parts[_MANIFEST])
    if any(_local(element) == "encryption-data" for element in manifest.iter(etree.Element)):
        raise Damaged("an encrypted document")
    dropped = {name for name, data in parts.items() if data and _CODE.match(name)}
    changed = False
    for name in [name for name in parts if name.rpartition("/")[2] in _XML]:
        changed |= _clean(parts, name, dropped)
    for name in dropped & parts.keys():
        del parts[name]
    if not changed and not dropped:
        return None
    for row in list(manifest):
        path = row.get(f"{{{_MANIFEST_NS}}}full-path", "")
        if path in dropped or _CODE.match(path):
            manifest.remove(row)
    parts[_MANIFEST] = write_xml(manifest)
    return write_parts(parts, stored=_MIMETYPE)


def _clean(parts: dict[str, bytes], name: str, dropped: set[str]) -> bool:
    root = parse_xml(parts[name])
    changed = False
    for element in list(root.iter(etree.Element)):
        href = str(element.get(_HREF, ""))
        if _local(element) in _ACTS:
            if len(element) == 0 and not element.attrib and not (element.text or "").strip():
                continue  # an empty <office:scripts/>, as every document has
            changed = True
            dropped |= {href.removeprefix("./")} & parts.keys()
            _remove(element)
        elif href and _loads(element, href):
            changed = True
            del element.attrib[_HREF]
    if changed:
        parts[name] = write_xml(root)
    return changed


def _loads(element: etree._Element, href: str) -> bool:
    if _local(element) in _CLICKED:
        return _DEAD_SCHEMES.match(href) is not None
    return _OUTSIDE.match(href) is not None


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _remove(element: etree._Element) -> None:
    """Take an element out; what stands behind it stays."""
    parent = element.getparent()
    if parent is None:
        raise Damaged("a document that is nothing but a script")
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)
