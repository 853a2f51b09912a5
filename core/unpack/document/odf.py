"""OpenDocument: words, macros, what is loaded from elsewhere, what is encrypted (ISO 26300). Its parts are told by the
zip.
"""

from __future__ import annotations

import html
import re
from typing import Final

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.container.zip import open_zip
from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.document.xml_text import as_utf8
from mxward.core.unpack.work import MAX_TEXT, Item, Work

_WORDS: Final = re.compile(r"<(?:text:p|text:h)(?:\s[^<>]*)?>|<text:(?:s|tab|line-break)(?:\s[^<>]*)?/>|<[^<>]*>")
_HREF: Final = re.compile(
    r"<([a-z-]{1,20}:[a-z-]{1,30})\s[^<>]*?\bxlink:href\s?=\s?(?:\"([^\"]{1,4000})\"|'([^']{1,4000})')"
)
_LISTENER: Final = re.compile(r"<script:event-listener\s[^<>]*>")
_DDE: Final = re.compile(r"<(?:text|table|office):dde-(?:connection-decl|source|link)\b|\bDDE\(")
_FORMULA: Final = re.compile(r"\btable:formula\s?=\s?\"([^\"]{1,2000})\"")
_FACT: Final = re.compile(
    r"<(?:dc:(creator|title|subject|description)|meta:(initial-creator|generator|keyword))>([^<]{1,1000})<"
)
_FACTS: Final = {
    "creator": "last saved by", "initial-creator": "author", "title": "title", "subject": "subject",
    "description": "comments", "generator": "creator", "keyword": "keywords",
}  # fmt: skip
# element -> how the address is called, and what it means when it lies elsewhere
_LOADS: Final = {
    "text:a": ("link", ""), "draw:a": ("link", ""), "draw:image": ("picture", "OFFICE_REMOTE_PICTURE"),
    "draw:fill-image": ("picture", "OFFICE_REMOTE_PICTURE"),
    "style:background-image": ("picture", "OFFICE_REMOTE_PICTURE"),
    "draw:plugin": ("media", "OFFICE_REMOTE_OBJECT"), "draw:floating-frame": ("frame", "OFFICE_REMOTE_OBJECT"),
    "draw:object": ("object", "OFFICE_REMOTE_OBJECT"), "draw:object-ole": ("object", "OFFICE_REMOTE_OBJECT"),
    "draw:applet": ("object", "OFFICE_REMOTE_OBJECT"), "text:section-source": ("text", "OFFICE_REMOTE_OBJECT"),
    "table:table-source": ("data", "OFFICE_REMOTE_DATA"), "table:cell-range-source": ("data", "OFFICE_REMOTE_DATA"),
    "office:dde-source": ("data", "OFFICE_REMOTE_DATA"), "meta:template": ("template", "OFFICE_REMOTE_TEMPLATE"),
}  # fmt: skip


def open_odf(item: Item, work: Work) -> None:
    """Tell the parts, and what they say. Raises: OverBudget, after what was read until then was told."""
    over: OverBudget | None = None
    try:
        open_zip(item, work)
    except OverBudget as error:
        over = error
    parts = [entry for entry in work.todo if entry.parent == item.number]
    for part in parts:
        work.purse.check_time()
        name = part.name.lower()
        if name.startswith(("basic/", "scripts/", "dialogs/")) and part.data:
            work.find(item, "OFFICE_MACRO")
        elif name == "meta-inf/manifest.xml" and b"encryption-data" in part.data:
            work.find(item, "OFFICE_ENCRYPTED")
            work.unseen(item, "encrypted", "an OpenDocument with a password")
        elif name.rpartition("/")[2] in ("content.xml", "styles.xml", "meta.xml", "settings.xml"):
            _tell_part(item, work, as_utf8(part.data).decode("utf-8", "replace"), is_words=name.endswith("content.xml"))
    if over is not None:
        raise over


def _tell_part(item: Item, work: Work, xml: str, *, is_words: bool) -> None:
    if "<!ENTITY" in xml:
        work.find(item, "OFFICE_XML_ENTITIES")
    if _LISTENER.search(xml):
        work.find(item, "OFFICE_MACRO")
        work.find(item, "OFFICE_MACRO_STARTS_ALONE")
    if _DDE.search(xml):
        work.find(item, "OFFICE_DDE")
    for found in _HREF.finditer(xml):
        kind, finding = _LOADS.get(found[1], ("other", ""))
        tell_target(item, work, kind, html.unescape(found[2] or found[3]), finding)
    for found in _FACT.finditer(xml):
        work.fact(item, _FACTS[found[1] or found[2]], html.unescape(found[3]))
    for found in _FORMULA.finditer(xml):
        if "WEBSERVICE(" in found[1]:
            work.find(item, "OFFICE_REMOTE_DATA")
    if is_words:
        text = html.unescape(_WORDS.sub(_between, xml[: 4 * MAX_TEXT]))[:MAX_TEXT]
        if text.strip():
            work.text(item, text + "\n")


def _between(tag: re.Match[str]) -> str:
    """What stands in place of a tag: a line end before a paragraph, a space, or nothing within words."""
    if tag[0].startswith(("<text:p", "<text:h", "<table:table-row")):
        return "\n"
    return " " if tag[0].startswith("<text:") and tag[0].endswith("/>") else ""
