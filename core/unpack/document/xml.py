"""XML: entities that expand without end or read files, and shortcuts and clinical documents that are XML.

No document is parsed here, so nothing is expanded: declarations are read as text.
"""

from __future__ import annotations

import html
import plistlib
import re
from typing import Final

from mxward.core.unpack.work import Item, Work

MAX_XML_TEXT: Final = 4 << 20
_ENTITY: Final = re.compile(
    r"<!ENTITY\s+(%\s+)?([\w.:-]{1,80})\s+(?:(SYSTEM|PUBLIC)\b([^>]{0,500})|[\"']([^\"']{0,5000}))"
)
_REFERENCE: Final = re.compile(r"[&%]([\w.:-]{1,80});")
_QUOTED: Final = re.compile(r"[\"']([^\"']{1,2000})[\"']")
_WEB: Final = re.compile(
    r"(?i)\b(?:https?|ftp|file|ms-[a-z-]+|search-ms):[^\s\"'<>]{2,2000}|\\\\[\w.-]{1,200}\\[^\s\"'<>]{1,500}"
)
_TAG: Final = re.compile(r"<!--[\s\S]*?-->|<[^>]*>")
_VALUE: Final = re.compile(r"\bvalue\s*=\s*\"([^\"]{1,20000})\"")
# root elements, by their local name and name space, of documents about patients
_CDA: Final = "urn:hl7-org:v3"
_FHIR: Final = "http://hl7.org/fhir"
_NAMES_KEPT: Final = 20


def open_xml(item: Item, work: Work) -> None:
    """Tell declarations of entities, links of shortcuts, text of clinical documents."""
    text = _decoded(item.data)
    tell_entities(item, work, text)
    head = text[:4000]
    if "<libraryDescription" in head or "<searchConnectorDescription" in head or "<persistedQuery" in head:
        work.find(item, "SHORTCUT_TO_SHARE")
        _tell_links(item, work, text)
    elif "<plist" in head:
        _tell_plist(item, work)
    elif _FHIR in head:
        work.find(item, "CLINICAL_FHIR")
        _tell_text(item, work, text)
    elif _CDA in head and "ClinicalDocument" in head:
        work.find(item, "CLINICAL_CDA")
        _tell_text(item, work, text)


def tell_entities(item: Item, work: Work, text: str) -> None:
    """Entities that refer to files, and entities made of entities, as only bombs have them."""
    if "<!ENTITY" not in text:
        return
    work.find(item, "XML_ENTITIES")
    sizes: dict[str, int] = {}
    for number, found in enumerate(_ENTITY.finditer(text)):
        if number > 10_000:
            break
        if found[3]:
            work.find(item, "XML_EXTERNAL_ENTITY")
            for quoted in _QUOTED.findall(found[4]):
                if "://" in quoted or quoted.startswith("\\\\"):
                    work.address(item, "xml", quoted)
            continue
        value = found[5]
        sizes[found[2]] = len(value) + sum(sizes.get(name, 0) for name in _REFERENCE.findall(value))
        if sizes[found[2]] > 1_000_000:
            work.find(item, "XML_BOMB")
    used = [sizes.get(name, 0) for name in _REFERENCE.findall(_ENTITY.sub("", text))]
    if sum(used) > 20_000_000:
        work.find(item, "XML_BOMB")


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data.startswith(b"<\0"):
        return data.decode("utf-16-le", "replace")
    return data.decode("utf-8-sig", "replace")


def _tell_links(item: Item, work: Work, text: str) -> None:
    for found in _WEB.finditer(text):
        work.address(item, "shortcut", html.unescape(found[0]))


def _tell_text(item: Item, work: Work, text: str) -> None:
    """Words between tags, and of FHIR those in its value attributes."""
    text = text[:MAX_XML_TEXT]
    words = _TAG.sub(" ", text).split()
    words += [value for found in _VALUE.finditer(text) for value in found[1].split()]
    if words:
        work.text(item, html.unescape(" ".join(words)) + "\n")


def _tell_plist(item: Item, work: Work) -> None:
    """A shortcut of macOS (.webloc, .inetloc) has one address. Lists that declare entities are not parsed."""
    if b"<!ENTITY" in item.data or len(item.data) > 1 << 20:
        return
    try:
        content = plistlib.loads(item.data, fmt=plistlib.FMT_XML)
    except Exception:  # a damaged list can raise anything; its text is read as it stands
        _tell_links(item, work, _decoded(item.data))
        return
    url = content.get("URL") if isinstance(content, dict) else None
    if isinstance(url, str):
        work.find(item, "SHORTCUT")
        work.address(item, "shortcut", url)
