"""What the analysis of an HTML part gives: its text, addresses, and the numbers and flags that eval tests ask for.

Taking HTML apart is pyx/sarender; resolving relative addresses is relative.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mxward.core.bounded import cache_short
from mxward.core.lazy import lazy
from mxward.core.rules.spamassassin.relative import target
from mxward.pyx.sarender import KINDS, render

MAX_URI: Final = 8192
_URI, _BASE, _ANCHOR, _FACE, _ACTION, _META, _CONTENT, _COMMENT, _SCRIPT, _TITLE = range(len(KINDS))  # addresses first
_ADDRESSES: Final = (_URI, _BASE)
_ABSOLUTE: Final = re.compile(rb"(?:https?|ftp):/{0,2}", re.I)
_OWN: Final = re.compile(rb"(?:data|mailto|file|cid|tel):", re.I)
_PLAIN: Final = (b"http://", b"https://")  # nothing is to be resolved
_FILE: Final = re.compile(rb"([a-z]+:/{0,2}[^/]+/.*?)[^/.]+\.[^/.]{2,4}\n?\Z", re.I | re.S)
_REFRESH: Final = re.compile(rb"\burl\s*=", re.I)
_BEFORE_URL: Final = re.compile(rb".*\burl\s*=\s*", re.I)
_AFTER_URL: Final = re.compile(rb"\s*;.*", re.I)
_CHARSET: Final = re.compile(rb"""\bcharset\s*=\s*["']?([^"']+)""", re.I)
_FACES: Final = re.compile(
    rb"""\s*["'.]?[a-z ][a-z -]*[a-z]\d?["']?(?:,\s*["']?[a-z][a-z -]*[a-z]\d?["']?)*;?\n?\Z""", re.I
)
MAX_FACE: Final = 200  # bytes of a list of fonts; longer ones are bad without a look


class Numbers(NamedTuple):
    """Counts of one HTML part, see sarender.pyi."""

    n_chars: float
    n_spaces: float
    n_tags: float
    n_elements: float
    n_tags_seen: float
    n_elements_seen: float
    closed_extra: float
    obfuscation: float
    backhair: float
    image_area: float
    min_size: float
    max_size: float
    low_contrast: float
    invalid_colour: float
    embeds: float
    truncated: float


@dataclass(slots=True)
class Link:
    """An address in HTML: the elements it stands in, and the words of links to it."""

    types: set[bytes] = field(default_factory=set)
    texts: list[bytes] = field(default_factory=list)


class Markup:
    """One HTML part.

    Args: source: UTF-8; is_wide: see charset.py; size: bytes of the part before its charset was decoded.
    """

    def __init__(self, source: bytes, is_wide: bool, size: int) -> None:
        text, self.is_wide, self._items, self.inside, numbers = render(source, is_wide)
        self.numbers = Numbers(*numbers)
        # what is not wide has characters up to 255 only, and SpamAssassin keeps those as bytes
        self.text = text if self.is_wide else _as_bytes(text)
        self._source, self._size = source, size

    @property
    def length(self) -> int:
        """Characters of the part."""
        source = self._source
        return len(source) if source.isascii() else len(source.decode("utf-8", "replace"))

    @property
    def ratio(self) -> float:
        """How much of the part is markup."""
        return (self._size - self.numbers.n_chars) / self._size if self._size else 0.0

    @property
    def non_space_len(self) -> float:
        return self.numbers.n_chars - self.numbers.n_spaces

    def number(self, name: str) -> float | None:
        """A number or flag under the name that rules know it by; None when this part has none of that name."""
        flag = _FLAGS.get(name)
        if flag is not None:
            return 1.0 if self.numbers[flag] else None
        made = _NUMBERS.get(name)
        return None if made is None else made(self)

    def numbers_of(self, names: Iterable[str]) -> list[tuple[str, float]]:
        """`number` of each name that this part has."""
        numbers = self.numbers
        found: list[tuple[str, float]] = []
        for name in names:
            flag = _FLAGS.get(name)
            if flag is not None:  # the usual kind: looked up without a call
                if numbers[flag]:
                    found.append((name, 1.0))
            elif (value := self.number(name)) is not None:
                found.append((name, value))
        return found

    def strings(self, name: str) -> list[bytes]:
        """comment, script, title or anchor; [] for any other name."""
        made = _STRINGS.get(name)
        found = [] if made is None else made(self)
        return found if self.is_wide else [_as_bytes(text) for text in found]

    @lazy
    def _by_kind(self) -> dict[int, list[tuple[int, bytes, bytes, bytes]]]:
        found: dict[int, list[tuple[int, bytes, bytes, bytes]]] = {}
        for item in self._items:
            found.setdefault(item[0], []).append(item)
        return found

    def _values(self, kind: int) -> list[bytes]:
        return [value for _, _, value, _ in self._by_kind.get(kind, ())]

    @lazy
    def comments(self) -> list[bytes]:
        return self._values(_COMMENT)

    @lazy
    def scripts(self) -> list[bytes]:
        return self._values(_SCRIPT)

    @lazy
    def titles(self) -> list[bytes]:
        return self._values(_TITLE)

    @lazy
    def anchors(self) -> list[bytes]:
        """The words of each link."""
        return [words for _, _, _, words in self._by_kind.get(_ANCHOR, ())]

    @lazy
    def charsets(self) -> list[bytes]:
        """Charsets that <meta> elements claim."""
        return [
            found[1] for kind, value in self._metas if b"content-type" in kind and (found := _CHARSET.search(value))
        ]

    @lazy
    def has_bad_face(self) -> bool:
        return any(_is_bad_face(face) for face in set(self._values(_FACE)))

    @lazy
    def has_mail_action(self) -> bool:
        return any(b"mailto:" in action.lower() for action in self._values(_ACTION))

    @property
    def _metas(self) -> list[tuple[bytes, bytes]]:
        """(http-equiv in lower case, content) of <meta> elements."""
        kinds = [value.lower() for value in self._values(_META)]
        return list(zip(kinds, self._values(_CONTENT), strict=False))

    @lazy
    def uris(self) -> dict[bytes, Link]:
        """Address -> where it stands. Relative ones are there as written, with their words, and resolved."""
        found: dict[bytes, Link] = {}
        base = b""
        has_meta = False
        for kind, tag, value, words in self._items:
            if kind in _ADDRESSES:
                uri = _trimmed(value)
                _push(found, tag, uri, base)
                if kind == _BASE and _ABSOLUTE.match(uri):
                    base = _FILE.sub(rb"\1", uri, count=1)
                    base = base if base.endswith(b"/") else base + b"/"
            elif kind == _ANCHOR:
                _link(found, _trimmed(value)).texts.append(words)
            elif kind == _META:
                has_meta = True
        for kind_of, value in self._metas if has_meta else ():
            if b"refresh" in kind_of and _REFRESH.search(value):
                _push(
                    found, b"meta", _trimmed(_AFTER_URL.sub(b"", _BEFORE_URL.sub(b"", value, count=1), count=1)), base
                )
        return found

    @property
    def uri_truncated(self) -> bool:
        """Whether an address was longer than MAX_URI, or there were too many."""
        return bool(self.numbers.truncated) or any(
            len(value) > MAX_URI and kind <= _ANCHOR for kind, _, value, _ in self._items
        )


def _as_bytes(text: bytes) -> bytes:
    return text if text.isascii() else text.decode("utf-8", "replace").encode("latin-1", "replace")


def _per_tag(count: Callable[[Numbers], float]) -> Callable[[Markup], float | None]:
    return lambda markup: count(markup.numbers) / markup.numbers.n_tags if markup.numbers.n_tags else None


def _flag(flag: Callable[[Markup], object]) -> Callable[[Markup], float | None]:
    return lambda markup: 1.0 if flag(markup) else None


_NUMBERS: Final[dict[str, Callable[[Markup], float | None]]] = {
    "html": lambda markup: 1.0,
    "length": lambda markup: float(markup.length),
    "html_length": lambda markup: markup.numbers.n_chars,
    "non_space_len": lambda markup: markup.non_space_len,
    "ratio": lambda markup: markup.ratio,
    "image_area": lambda markup: markup.numbers.image_area,
    "min_size": lambda markup: markup.numbers.min_size,
    "max_size": lambda markup: markup.numbers.max_size,
    "closed_extra_ratio": _per_tag(lambda numbers: numbers.closed_extra),
    "bad_tag_ratio": lambda markup: _bad_ratio(markup.numbers.n_tags, markup.numbers.n_elements),
    "non_element_ratio": lambda markup: _bad_ratio(markup.numbers.n_tags_seen, markup.numbers.n_elements_seen),
    "obfuscation_ratio": lambda markup: (
        markup.numbers.obfuscation / markup.numbers.n_tags
        if markup.numbers.obfuscation and markup.numbers.n_tags
        else None
    ),
    "backhair_count": lambda markup: markup.numbers.backhair or None,
    "font_face_bad": _flag(lambda markup: markup.has_bad_face),
    "form_action_mailto": _flag(lambda markup: markup.has_mail_action),
}
_FLAGS: Final = {
    name: Numbers._fields.index(field)
    for name, field in (
        ("font_low_contrast", "low_contrast"), ("font_invalid_color", "invalid_colour"), ("embeds", "embeds"),
    )
}  # fmt: skip
_STRINGS: Final[dict[str, Callable[[Markup], list[bytes]]]] = {
    "comment": lambda markup: markup.comments,
    "script": lambda markup: markup.scripts,
    "title": lambda markup: markup.titles,
    "anchor": lambda markup: markup.anchors,
}


def _bad_ratio(total: float, good: float) -> float | None:
    """The share of what is not good; None when SpamAssassin has nothing to count."""
    return (total - good) / total if total and good else None


def _push(found: dict[bytes, Link], tag: bytes, uri: bytes, base: bytes) -> None:
    if not uri:
        return
    if not base and uri.startswith(_PLAIN) and b"/." not in uri:
        meant = uri
    else:
        meant = uri if _OWN.match(uri) else target(base, uri)
    if meant:
        _link(found, meant).types.add(tag)


def _link(found: dict[bytes, Link], uri: bytes) -> Link:
    known = found.get(uri)
    if known is None:
        known = found[uri] = Link()
    return known


def _trimmed(value: bytes) -> bytes:
    """Without white space around it, no-break spaces included, and without byte-order marks."""
    if not value.isascii():
        value = value.replace(b"\xef\xbb\xbf", b"")
        value = value.decode("utf-8", "replace").strip(" \t\n\v\f\r\xa0").encode()
    return value.strip(b" \t\n\v\f\r")[:MAX_URI]


@cache_short(1024)
def _is_bad_face(face: bytes) -> bool:
    return len(face) > MAX_FACE or _FACES.match(face) is None
