"""Rich text: words, objects with all the ways to hide them, templates and fields (Rich Text Format 1.9.1).

A tokenizer and a stack of destinations; objects are read as Word reads them: everything that is no hexadecimal digit is
passed over.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.document.fields import tell_fields
from mxward.core.unpack.document.ole_native import tell_class, tell_object_1
from mxward.core.unpack.document.targets import tell_target
from mxward.core.unpack.work import MAX_TEXT, Item, Work

MAX_DEPTH: Final = 10_000  # of groups
MAX_OBJECT: Final = 64 << 20  # bytes of the data of one object
MAX_OBJECTS: Final = 500
_TOKEN: Final = re.compile(
    rb"\\([A-Za-z]{1,40})(-?[0-9]{1,11})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z])|([{}])|([^\\{}]+)|\\"
)
_NOT_HEX: Final = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_BREAKS: Final = {b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n", b"page": "\n", b"tab": "\t", b"cell": "\t"}
# destinations: whose text is data, code or an address, not words
_DESTINATIONS: Final = {
    b"objdata": "object", b"objclass": "class", b"template": "template", b"fldinst": "field", b"title": "title",
    b"author": "author", b"operator": "last saved by", b"company": "company", b"subject": "subject",
    b"manager": "manager", b"keywords": "keywords", b"doccomm": "comments", b"datafield": "skip", b"fonttbl": "skip",
    b"colortbl": "skip", b"stylesheet": "skip", b"pict": "skip", b"themedata": "skip", b"colorschememapping": "skip",
    b"latentstyles": "skip", b"datastore": "skip", b"listtable": "skip", b"listoverridetable": "skip",
    b"revtbl": "skip", b"rsidtbl": "skip", b"generator": "skip", b"xmlnstbl": "skip", b"blipuid": "skip",
}  # fmt: skip
_FACTS: Final = ("title", "author", "last saved by", "company", "subject", "manager", "keywords", "comments")
_TEXT, _SKIP = "", "skip"


def open_rtf(item: Item, work: Work) -> None:
    """Tell words, objects, fields and templates. Raises: OverBudget."""
    reader = _Reader(item, work)
    try:
        reader.read()
    finally:
        reader.end()


class _Reader:
    """One document being read."""

    def __init__(self, item: Item, work: Work) -> None:
        self._item, self._work = item, work
        self._stack: list[tuple[str, int]] = []  # of groups that are open: destination, characters after \u to skip
        self._where, self._n_after = _TEXT, 1
        self._depth_over = 0  # groups beyond MAX_DEPTH
        self._words: list[str] = []
        self._n_words = self._skip = 0
        self._object = bytearray()  # hexadecimal digits
        self._is_odd = False  # was anything but digits and white space within an object?
        self._held: dict[str, list[str]] = {}
        self._n_objects = 0
        self._is_star = False  # the group began with \*
        self._codec = "cp1252"

    def read(self) -> None:
        """Go through all tokens."""
        data, at, size, n = self._item.data, 0, len(self._item.data), 0
        while at < size:
            token = _TOKEN.match(data, at)
            if token is None:
                at += 1
                continue
            at = token.end()
            n += 1
            if n % 4096 == 0:
                self._work.purse.check_time()
            word, number, code, sign, brace, text = token.groups()
            if text is not None:
                self._text(text)
            elif word is not None:
                at = self._word(word, number, at)
            elif brace is not None:
                self._open() if brace == b"{" else self._close()
            elif code is not None:
                self._character(bytes((int(code, 16),)))
            elif sign is not None:
                self._sign(sign)

    def _open(self) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._depth_over += 1
            self._work.unseen(self._item, "limit:depth", f"more than {MAX_DEPTH} groups in each other")
            return
        self._stack.append((self._where, self._n_after))
        self._is_star = False

    def _close(self) -> None:
        if self._depth_over:
            self._depth_over -= 1
            return
        if not self._stack:
            return
        left = self._where
        self._where, self._n_after = self._stack.pop()
        if left == "object" and self._where != "object":
            self._tell_object()
        elif left != self._where and left in self._held:
            self._tell_held(left)

    def _word(self, word: bytes, number: bytes | None, at: int) -> int:
        """Act by a control word; returns where to go on."""
        if word == b"bin":
            return self._binary(int(number or 0), at)
        if word in _DESTINATIONS:
            self._where = _DESTINATIONS[word]
        elif self._is_star and self._where != "object":
            self._where = _SKIP  # a destination that we need not know
        elif word in _BREAKS:
            self._say(_BREAKS[word])
        elif word == b"u":
            self._say(chr(int(number or 0) % 65_536) if int(number or 0) % 65_536 < 0xD800 else "\ufffd")
            self._skip = self._n_after
        elif word == b"uc":
            self._n_after = max(0, min(int(number or 1), 100))
        elif word == b"ansicpg" and number:
            self._codec = f"cp{number.decode()}" if number in _CODE_PAGES else "cp1252"
        elif word == b"objupdate":
            self._work.find(self._item, "OFFICE_OBJECT_UPDATES")
        elif word in (b"objocx", b"objhtml"):
            self._work.find(self._item, "OFFICE_ACTIVEX")
        if self._where == "object" and word not in _DESTINATIONS:
            self._is_odd = True
        self._is_star = False
        return at

    def _binary(self, size: int, at: int) -> int:
        end = min(len(self._item.data), at + max(0, size))
        if self._where == "object":
            self._is_odd = True
            self._add_digits(self._item.data[at:end].hex().encode())
        return end

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._is_star = True
        elif sign in (b"\r", b"\n"):
            self._say("\n")
        elif sign in (b"~", b"-", b"_"):
            self._say({b"~": " ", b"-": "", b"_": "-"}[sign])
        else:
            self._text(sign)

    def _text(self, text: bytes) -> None:
        if self._where == "object":
            digits = text.translate(None, _NOT_HEX)
            if len(digits) < len(text) and text.translate(None, b"0123456789abcdefABCDEF \t\r\n"):
                self._is_odd = True
            self._add_digits(digits)
        elif self._where != _SKIP:
            clean = text.replace(b"\r", b"").replace(b"\n", b"")
            cut, self._skip = min(self._skip, len(clean)), max(0, self._skip - len(clean))
            self._say(clean[cut:].decode(self._codec, "replace"))

    def _character(self, byte: bytes) -> None:
        if self._where == "object":
            self._is_odd = True
            self._add_digits(byte.hex().encode())
        elif self._skip:
            self._skip -= 1
        else:
            self._say(byte.decode(self._codec, "replace"))

    def _add_digits(self, digits: bytes) -> None:
        if len(self._object) + len(digits) > 2 * MAX_OBJECT:
            raise OverBudget("limit:bytes", f"an object of more than {MAX_OBJECT} bytes")
        self._object += digits

    def _say(self, text: str) -> None:
        if self._where == _TEXT:
            self._n_words += len(text)
            if self._n_words <= MAX_TEXT:
                self._words.append(text)
        elif self._where not in (_SKIP, "object"):
            held = self._held.setdefault(self._where, [])
            if len(held) < 10_000:
                held.append(text)

    def _tell_held(self, where: str) -> None:
        said = "".join(self._held.pop(where)).strip()
        if where == "template":
            tell_target(self._item, self._work, "template", said, "OFFICE_REMOTE_TEMPLATE")
        elif where == "class":
            tell_class(self._item, self._work, said)
        elif where == "field":
            tell_fields(self._item, self._work, said)
        elif where in _FACTS and said:
            self._work.fact(self._item, where, said)

    def _tell_object(self) -> None:
        digits, self._object = self._object, bytearray()
        was_odd, self._is_odd = self._is_odd, False
        self._n_objects += 1
        if self._n_objects > MAX_OBJECTS:
            self._work.unseen(self._item, "limit:parts", f"more than {MAX_OBJECTS} objects")
            return
        if was_odd and digits:
            self._work.find(self._item, "OFFICE_OBJECT_OBSCURED")
        content = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
        if content and not tell_object_1(self._item, self._work, content):
            self._work.child(self._item, content, "object")

    def end(self) -> None:
        """Tell what is held: a document that breaks off is read as far as it goes."""
        if self._object:
            self._tell_object()
        for where in list(self._held):
            self._tell_held(where)
        text = "".join(self._words)
        if text.strip():
            self._work.text(self._item, text + "\n")


_CODE_PAGES: Final = frozenset((
    b"437", b"850", b"852", b"874", b"932", b"936", b"949", b"950", b"1250", b"1251", b"1252", b"1253", b"1254",
    b"1255", b"1256", b"1257", b"1258",
))  # fmt: skip
