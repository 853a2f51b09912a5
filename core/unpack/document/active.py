"""What pages, drawings and script files do beside showing text: scripts, files that scripts put together, `data:`.

Shared by HTML, SVG and script files. Text and links of pages are read by the views of the message, not here.
"""

from __future__ import annotations

import html
import re
from typing import Final

from mxward.core.unpack.document.data_uri import data_uris
from mxward.core.unpack.document.script_payload import is_words, payloads, tell_links
from mxward.core.unpack.work import Item, Work
from mxward.pyx.filetype import identify

MAX_SCRIPTS: Final = 500
_SCRIPT: Final = re.compile(r"(?i)<script\b[^>]*+>([\s\S]*?)(?:</script\b|\Z)")
_HANDLER: Final = re.compile(r"(?i)[\s\"'/]on[a-z]{3,20}\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))")
_ADDRESS: Final = re.compile(r"(?i)=\s*[\"']?\s*(?:javascript|vbscript)\s*:\s*([^\"'>]*)")
_GIVES_FILE: Final = re.compile(
    r"createObjectURL|msSave(?:OrOpen)?Blob|new\s+(?:Blob|File)\s*\(|\.download\s*=|\bdownload\s*=|showSaveFilePicker"
    r"|setAttribute\(\s*[\"']download"
)
_WRITES: Final = re.compile(
    r"document\s*\.\s*write|\.innerHTML\s*=|srcdoc\s*=|insertAdjacentHTML|\beval\s*\(|\bFunction\s*\("
)
_NAME: Final = re.compile(
    r"(?i)(?:\bdownload\s*=\s*|setAttribute\(\s*[\"']download[\"']\s*,\s*|msSave(?:OrOpen)?Blob\([^,)]{1,200},\s*)"
    r"[\"']([^\"'\r\n]{1,200})[\"']"
)
# what is carried in the open, as pages do with their pictures
_USUAL: Final = ("image/", "font/", "audio/", "video/")


def scripts_of(page: str) -> list[str]:
    """Sources of script elements, handlers and `javascript:` addresses of a page."""
    found = [match[1] for match in _SCRIPT.finditer(page)]
    found += [html.unescape(match[1] or match[2] or match[3] or "") for match in _HANDLER.finditer(page)]
    found += [html.unescape(match[1]) for match in _ADDRESS.finditer(page)]
    return [source for source in found if source.strip()][:MAX_SCRIPTS]


def tell_data_uris(item: Item, work: Work, data: bytes, page: str) -> None:
    """Give what `data:` addresses carry."""
    names = _names(page)
    for content, declared in data_uris(data):
        kind = identify(content)
        if not kind.startswith(_USUAL):
            work.find(item, "HTML_DATA_FILE")
        work.child(item, content, *(names if not kind.startswith(_USUAL) else ()), content_type=declared)


def tell_scripts(item: Item, work: Work, source: str, page: str = "") -> bool:
    """Give what scripts put together. Args: page: around them, where names may stand. Returns: whether anything was."""
    gives_file = _GIVES_FILE.search(source) or _GIVES_FILE.search(page)
    names = _names(source + page)
    told = False
    for content in payloads(source):
        told = True
        kind = identify(content)
        if gives_file and not is_words(content):
            work.find(item, "HTML_SMUGGLING")
        elif item.depth or item.names:  # the scripts of a mail's own text do not run
            work.find(item, "HTML_WRITES_ITSELF" if _WRITES.search(source) else "SCRIPT_HIDES_DATA")
        work.child(item, content, *(names if kind not in ("", "text/html") else ()), content_type=_said(content, kind))
        work.purse.check_time()
    tell_links(item, work, source)
    return told


def _said(content: bytes, kind: str) -> str:
    return kind or ("text/plain" if is_words(content) else "")


def _names(source: str) -> list[str]:
    return list(dict.fromkeys(found[1] for found in _NAME.finditer(source)))[:4]
