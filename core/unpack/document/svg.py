"""SVG: scripts, pages inside it, links, `data:` addresses, codes that it draws (SVG 1.1)."""

from __future__ import annotations

import html
import re
from typing import Final

from mxward.core.unpack.document.active import scripts_of, tell_data_uris, tell_scripts
from mxward.core.unpack.document.html import text_of
from mxward.core.unpack.document.xml import tell_entities
from mxward.core.unpack.image.barcode import tell_codes
from mxward.core.unpack.image.drawing import codes_of_drawing
from mxward.core.unpack.work import Item, Work

_LINK: Final = re.compile(r"(?i)\b(?:xlink:)?href\s*=\s*(?:\"([^\"]{3,4000})\"|'([^']{3,4000})')")
_FOREIGN: Final = re.compile(r"(?i)<(?:\w+:)?foreignObject\b")
_TAG: Final = re.compile(r"<(?:style|script)\b[\s\S]*?</(?:style|script)>|<!--[\s\S]*?-->|<[^>]*>")


def open_svg(item: Item, work: Work) -> None:
    """Tell what a drawing carries and what acts in it. Raises: OverBudget."""
    drawing = text_of(item)
    tell_entities(item, work, drawing)
    tell_data_uris(item, work, drawing.encode("utf-8", "replace"), drawing)
    scripts = scripts_of(_without_cdata(drawing))
    if scripts:
        work.find(item, "SVG_SCRIPT")
        tell_scripts(item, work, "\n".join(html.unescape(source) for source in scripts), drawing)
    if _FOREIGN.search(drawing):
        work.find(item, "SVG_FOREIGN_OBJECT")
    for found in _LINK.finditer(drawing):
        url = html.unescape(found[1] or found[2]).strip()
        if not url.startswith(("#", "data:")):
            work.address(item, "svg", url)
    said = html.unescape(_TAG.sub(" ", drawing)).split()
    if said:
        work.text(item, " ".join(said) + "\n")
    tell_codes(item, work, codes_of_drawing(drawing))


def _without_cdata(drawing: str) -> str:
    return drawing.replace("<![CDATA[", "").replace("]]>", "")
