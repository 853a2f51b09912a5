"""OneNote sections: the files that lie in them, their names, and the text ([MS-ONESTORE], [MS-ONE]).

Files are found by the identifier of FileDataStoreObject wherever it stands; revisions and pages are not followed.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from mxward.core.unpack.work import Item, Work
from mxward.pyx.filetype import identify

MAX_FILES: Final = 2_000
_FILE: Final = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac")  # 2.6.13 guidHeader
_FSSHTTP: Final = bytes.fromhex("a12fff43d9ef764c9ee210ea5722765f")  # a package as web services send it
# embedded file names stand as UTF-16 text (2.2.48 EmbeddedFileName), at least an extension of three letters
_NAME: Final = re.compile(rb"(?:[\x20-\x7e]\0){1,120}\.\0(?:[A-Za-z0-9]\0){2,5}")
_WORDS: Final = re.compile(rb"(?:[\x20-\x7e\t\r\n]\0|[\xa0-\xff]\0){6,}")
_LINK: Final = re.compile(r"(?i)https?://[^\s\"'<>]{3,2000}|\\\\[\w.-]+\\[^\s\"'<>]+")
_PICTURES: Final = ("image/",)


def open_onenote(item: Item, work: Work) -> None:
    """Tell files, names, text and links. Raises: OverBudget."""
    data = item.data
    names = [found[0].decode("utf-16-le").strip() for found in _NAME.finditer(data)]
    names = list(dict.fromkeys(name for name in names if not name.lower().endswith(_UNLIKELY)))
    n_files, at = 0, data.find(_FILE)
    while at >= 0 and n_files < MAX_FILES:
        content = _content(item, work, at)
        at = data.find(_FILE, at + 16)
        if content is None:
            continue
        n_files += 1
        if identify(content).startswith(_PICTURES):
            work.child(item, content, f"picture {n_files}")
            continue
        work.find(item, "ONENOTE_FILE")
        work.child(item, content, *_likely(names, n_files))
    if at >= 0:
        work.unseen(item, "limit:parts", f"more than {MAX_FILES} files")
    if not n_files and data.startswith(_FSSHTTP):
        work.unseen(item, "unsupported", "a section in the form of web services")
    _tell_text(item, work)


_UNLIKELY: Final = (".one", ".onetoc2")


def _likely(names: list[str], number: int) -> list[str]:
    """Which name belongs to which file takes a walk through the pages: the files are few, so all names are given."""
    shifted = names[number - 1 :] + names[: number - 1]
    return shifted[:4] or [f"file {number}"]


def _content(item: Item, work: Work, at: int) -> bytes | None:
    """The file that begins at `at`: identifier, length in 8 bytes, 12 unused ones."""
    data, start = item.data, at + 36
    if start > len(data):
        return None
    size = int(struct.unpack_from("<Q", data, at + 16)[0])
    if size > len(data) - start:
        work.unseen(item, "damaged", "a file that is longer than the section")
        following = data.find(_FILE, start)
        return data[start : following if following > 0 else len(data)]
    return data[start : start + size]


def _tell_text(item: Item, work: Work) -> None:
    said = [found[0].decode("utf-16-le", "replace") for found in _WORDS.finditer(item.data)]
    text = "\n".join(dict.fromkeys(said))
    if text:
        work.text(item, text[: 1 << 20] + "\n")
    for found in _LINK.finditer(text):
        work.address(item, "onenote", found[0])
