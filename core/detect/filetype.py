"""Names and true types of attachments: attachment rules of packs, names that deceive, types that do not fit.

What an attachment is called is what any client would show (part.names) and what containers list inside; what it
is comes from its bytes (part.true_type).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from mxward.core.detect.hashlist import ALLOWED
from mxward.core.extract import views
from mxward.core.extract.parts import is_inside
from mxward.core.message import Message, Part
from mxward.core.rules.attachments import AttachmentRule
from mxward.core.rules.compile import RuleSet
from mxward.core.verdict import Evidence, Hit

_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_TRAILING: Final = re.compile(r"[\s.\u00a0\u2000-\u200b\u3000]+$")
_PADDED: Final = re.compile(r"\.[A-Za-z0-9]{2,5}[\s_\u00a0\u2000-\u200b]{4,}\.[A-Za-z0-9]{1,5}$")
_HARMLESS_LOOK: Final = frozenset((
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "rtf", "csv", "jpg", "jpeg", "png", "gif", "mp3", "mp4",
    "htm", "html", "zip", "odt", "ods", "tif", "tiff", "bmp", "eml", "msg",
))  # fmt: skip
_ACTIVE: Final = frozenset((
    "exe", "scr", "com", "pif", "bat", "cmd", "js", "jse", "vbs", "vbe", "wsf", "wsh", "hta", "lnk", "ps1", "msi",
    "jar", "cpl", "dll", "iso", "img", "vhd", "reg", "sct", "url",
))  # fmt: skip
_PROGRAMS: Final = frozenset((
    "application/x-dosexec", "application/x-executable", "application/x-mach-binary", "application/x-msi",
    "application/x-ms-shortcut", "application/hta",
))  # fmt: skip
# containers whose entries are at most listed: said so in a hit, so that nobody takes silence for inspection
_CLOSED: Final = frozenset((
    "application/zip", "application/vnd.rar", "application/x-7z-compressed", "application/gzip", "application/x-bzip2",
    "application/x-xz", "application/zstd", "application/x-tar", "application/vnd.ms-cab-compressed",
    "application/x-iso9660-image", "application/x-udf-image", "application/x-vhd", "application/x-arj",
    "application/x-lzh-compressed", "application/x-ace-compressed", "application/vnd.ms-tnef", "application/x-cpio",
    "application/lzip", "application/x-compress", "application/x-rpm", "application/x-ms-wim",
))  # fmt: skip
# extension -> true types that fit; an attachment so named whose type is known and other is disguised
_FITTING: Final[dict[str, tuple[str, ...]]] = {
    "pdf": ("application/pdf", "application/postscript"),
    "doc": ("application/msword", "application/rtf", "application/x-ole-storage", "text/*", "application/encrypted",
            "application/vnd.openxmlformats*", "application/vnd.ms-word*", "multipart/*", "message/rfc822"),
    "docx": ("application/vnd.openxmlformats*", "application/vnd.ms-word*", "application/encrypted", "application/zip",
             "application/msword"),
    "xls": ("application/vnd.ms-excel*", "application/x-ole-storage", "text/*", "application/encrypted",
            "application/vnd.openxmlformats*", "message/rfc822"),
    "xlsx": ("application/vnd.openxmlformats*", "application/vnd.ms-excel*", "application/encrypted",
             "application/zip"),
    "pptx": ("application/vnd.openxmlformats*", "application/vnd.ms-powerpoint*", "application/encrypted",
             "application/zip"),
    "jpg": ("image/*",), "jpeg": ("image/*",), "png": ("image/*",), "gif": ("image/*",), "bmp": ("image/*",),
    "tif": ("image/*",), "tiff": ("image/*",),
    "txt": ("text/*", "message/*", "application/mbox", "application/x-pem-file", "application/pgp-encrypted",
            "application/hl7-v2"),
    "csv": ("text/*",), "mp3": ("audio/*",), "wav": ("audio/*",), "mp4": ("video/*", "audio/*"),
}  # fmt: skip


def extension(name: str) -> str:
    """Last extension in lower case, without what Windows ignores at the end of a name; "" when there is none."""
    stem, dot, last = _TRAILING.sub("", _BIDI.sub("", name)).rpartition(".")
    return last.lower() if dot and stem is not None else ""


class AttachmentDetector:
    """Attachment rules and deceptive names. Immutable."""

    name = "filetype"

    def __init__(self, rules: RuleSet) -> None:
        self.packs = tuple(dict.fromkeys(label for label, _ in rules.attachments))
        self._rules = rules.attachments
        self._by_extension: dict[str, list[int]] = {}
        self._by_type: dict[str, list[int]] = {}
        self._families: list[tuple[str, int]] = []
        for number, (_, rule) in enumerate(rules.attachments):
            for ending in rule.extensions:
                self._by_extension.setdefault(ending, []).append(number)
            for kind in rule.types:
                if "*" in kind:
                    self._families.append((kind, number))
                else:
                    self._by_type.setdefault(kind, []).append(number)

    def detect(self, message: Message) -> Iterable[Hit]:
        """Hits of attachment rules (once each), then of deceptive names and types."""
        found: dict[str, Hit] = {}
        trusted = message.views.get(ALLOWED, frozenset())
        for part in message.parts:
            if part.index in trusted:
                continue
            if part.true_type:
                if part.true_type in _CLOSED and views.OPENED not in message.views:
                    found.setdefault("CONTAINER_NOT_OPENED", _closed(part))
                for number in self._of_type(part.true_type):
                    if not is_inside(part) or self._rules[number][1].inside:
                        self._add(found, number, part.index, "decoded")
            if part.names:
                for hit in _deceptions(part):
                    found.setdefault(hit.name, hit)
        own_names = {(part.index, name) for part in message.parts if not is_inside(part) for name in part.names}
        for index, name in views.names(message):
            if index in trusted:
                continue
            for number in self._by_extension.get(extension(name), ()):
                if (index, name) in own_names or self._rules[number][1].inside:
                    self._add(found, number, index, "names")
        return found.values()

    def _of_type(self, kind: str) -> Iterator[int]:
        yield from self._by_type.get(kind, ())
        for pattern, number in self._families:
            if fnmatchcase(kind, pattern):
                yield number

    def _add(self, found: dict[str, Hit], number: int, part: int, view: str) -> None:
        label, rule = self._rules[number]
        found.setdefault(rule.name, _rule_hit(rule, label, part, view))


def _rule_hit(rule: AttachmentRule, label: str, part: int, view: str) -> Hit:
    detail = rule.description or f"matches the attachment rule {rule.name}"
    return Hit(rule.name, rule.category, rule.weight, "filetype", label, detail, (Evidence(part, view, 0, 0),))


def _deceptions(part: Part) -> Iterator[Hit]:
    for name in part.names:
        if _BIDI.search(name):
            yield _hit(part, "NAME_BIDI", 5.0, "has a file name with direction marks, which can hide its extension")
        if _TRAILING.search(name) and extension(name) in _ACTIVE:
            yield _hit(part, "NAME_TRAILING", 3.0, "has a file name that ends in dots or spaces")
        if _is_double(name):
            yield _hit(part, "NAME_DOUBLE_EXTENSION", 5.0, "has a harmless extension before an active one in a name")
    if len({extension(name) for name in part.names}) > 1:
        yield _hit(part, "NAME_AMBIGUOUS", 2.5, "has several file names with different extensions")
    if part.true_type and _is_disguised(part):
        weight = 6.0 if part.true_type in _PROGRAMS else 1.5
        yield _hit(part, "TYPE_MISMATCH", weight, f"is named as one type of file but is {part.true_type}")


def _closed(part: Part) -> Hit:
    detail = "carries a container whose content was not opened"
    return Hit(
        "CONTAINER_NOT_OPENED",
        "info",
        0.0,
        "filetype",
        detail=detail,
        evidence=(Evidence(part.index, "decoded", 0, 0),),
    )


def _hit(part: Part, name: str, weight: float, detail: str) -> Hit:
    return Hit(name, "attachment", weight, "filetype", detail=detail, evidence=(Evidence(part.index, "names", 0, 0),))


def _is_double(name: str) -> bool:
    pieces = name.lower().rsplit(".", 2)
    if len(pieces) == 3 and extension(name) in _ACTIVE and pieces[1].strip() in _HARMLESS_LOOK:
        return True
    return _PADDED.search(name) is not None and extension(name) in _ACTIVE


def _is_disguised(part: Part) -> bool:
    for name in part.names:
        fitting = _FITTING.get(extension(name))
        if fitting and not any(fnmatchcase(part.true_type, pattern) for pattern in fitting):
            return True
    return False
