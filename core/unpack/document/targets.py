"""Where documents lead to: each address told under its kind, and found by what follows from it."""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.work import Item, Work

# \\server, //server, file://server: the program logs in there before anybody is asked
_SHARE: Final = re.compile(r"(?i)^(?:file:)?(?:[\\/]{2}|[\\/]{4,5})(?![\\/]|[A-Za-z]:)(?!localhost[\\/])[^\\/]+")
_WEB: Final = re.compile(r"(?i)^(?:https?|ftps?|webdavs?|dav):")
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]{1,40}):")
# schemes that a mail program, a browser or the shell opens without harm
_PLAIN: Final = frozenset((
    "http", "https", "ftp", "ftps", "mailto", "tel", "file", "news", "sip", "callto", "onenote", "cid", "urn", "about",
    "ppaction", "data", "webdav", "webdavs", "dav", "sms", "geo", "slide", "slidejump",
))  # fmt: skip


def tell_target(item: Item, work: Work, kind: str, url: str, finding: str = "") -> None:
    """Tell where `item` leads to.

    Args: kind: "link" for what waits for a click, else a word of the format ("template", "object", "picture");
    finding: what it means when the target lies elsewhere and is loaded by itself.
    """
    url = url.strip().strip("\0")
    if not url or url.startswith("#"):
        return
    work.address(item, kind, url)
    scheme = _SCHEME.match(url)
    bare = url.lower().replace("mhtml:", "", 1) if url.lower().startswith("mhtml:") else url
    if _SHARE.match(bare):
        work.find(item, "OFFICE_NETWORK_SHARE")
    elif scheme and scheme[1].lower() not in _PLAIN and not _is_path(url):
        work.find(item, "OFFICE_ODD_PROTOCOL")
    if not finding:
        return
    if _WEB.match(bare) or _SHARE.match(bare) or (scheme and not _is_path(url) and scheme[1].lower() != "file"):
        work.find(item, finding)
    else:
        work.find(item, "OFFICE_OTHER_FILE")


def _is_path(url: str) -> bool:
    """A drive letter, not a scheme."""
    return len(url) > 1 and url[1] == ":"
