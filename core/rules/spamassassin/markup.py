"""What the analysis of an HTML part gives: its text, addresses, and the numbers and flags that eval tests ask for."""

from __future__ import annotations

from dataclasses import dataclass, field

from mxward.pyx.htmltext import read


@dataclass(slots=True)
class Link:
    """An address in HTML: the elements it stands in, and the words of links to it."""

    types: set[bytes] = field(default_factory=set)
    texts: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Markup:
    """One HTML part."""

    text: bytes
    is_wide: bool
    uris: dict[bytes, Link] = field(default_factory=dict)
    uri_truncated: bool = False


def render(source: bytes, is_wide: bool, size: int) -> Markup:
    """The analysis of an HTML document. Args: source: UTF-8; size: bytes of the part before charset decoding."""
    text, _, _, links, _, _ = read(source)
    uris: dict[bytes, Link] = {}
    for kind, url, words, _ in links:
        link = uris.setdefault(url, Link())
        link.types.add(kind.encode())
        link.texts.append(words)
    return Markup(text, is_wide, uris)
