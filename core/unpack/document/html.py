"""HTML as a carrier: files that scripts put together, `data:` addresses, pages that lead on or ask for a password.

Its text and links are read by the views of the message, as those of a mail. Also XHTML and HTML applications.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.document.active import scripts_of, tell_data_uris, tell_scripts
from mxward.core.unpack.image.art import codes_of_table
from mxward.core.unpack.image.barcode import tell_codes
from mxward.core.unpack.work import Item, Work

MAX_PAGE: Final = 16 << 20
_REFRESH: Final = re.compile(r"(?i)<meta\b[^>]*?http-equiv\s*=\s*[\"']?\s*refresh[^>]*?url\s*=\s*[\"']?\s*([^\"'>\s]+)")
_LOCATION: Final = re.compile(
    r"(?i)\blocation(?:\s*\.\s*(?:href|replace|assign))?\s*(?:=|\()\s*[\"']([^\"'\r\n]{4,2000})[\"']"
)
_PASSWORD: Final = re.compile(r"(?i)<input\b[^>]*?type\s*=\s*[\"']?password")
_ACTION: Final = re.compile(r"(?i)<form\b[^>]*?action\s*=\s*[\"']?\s*(https?:[^\"'>\s]+)")


def open_html(item: Item, work: Work) -> None:
    """Tell what a page carries and where it leads. Raises: OverBudget."""
    page = text_of(item)
    if len(page) > MAX_PAGE:
        work.unseen(item, "limit:bytes", f"a page of more than {MAX_PAGE} characters")
        page = page[:MAX_PAGE]
    tell_data_uris(item, work, page.encode("utf-8", "replace"), page)
    scripts = scripts_of(page)
    if scripts:
        if item.depth or item.names:  # an attachment; the scripts of a mail's text do not run
            work.find(item, "HTML_SCRIPT")
        tell_scripts(item, work, "\n".join(scripts), page)
    _tell_ways(item, work, page, "\n".join(scripts))
    tell_codes(item, work, codes_of_table(page))


def _tell_ways(item: Item, work: Work, page: str, source: str) -> None:
    for found in (*_REFRESH.finditer(page), *_LOCATION.finditer(source)):
        work.find(item, "HTML_LEADS_ON")
        work.address(item, "redirect", found[1])
    for found in _ACTION.finditer(page):
        work.address(item, "form", found[1])
    if _PASSWORD.search(page) and (item.depth or item.names):
        work.find(item, "HTML_ASKS_PASSWORD")


def text_of(item: Item) -> str:
    """The characters of a page: by its mark, else UTF-8, else one character a byte."""
    data = item.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
