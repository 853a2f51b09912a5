"""The forms of a message that SpamAssassin's rules look at, each made on first use and kept.

    body        decoded text with HTML rendered and white space squeezed, the Subject first; a segment a paragraph
    rawbody     decoded text parts, markup and all, in chunks of 2 to 4 KB
    full        the message as it came, its first MAX_FULL bytes, LF line ends
    uris        every address of HTML and text, as written and in the forms it may be meant as
    html        what the analysis of each HTML part gave (markup.py)
    header(n)   a header field or pseudo-header (headers.py)
    mimeheaders the fields of every part

They are SpamAssassin 4.0.1's with normalize_charset 1, its default; where they differ docs/spamassassin-texts.md says
why. The texts that mxward's own rules look at are core/extract/views.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from mxward.core.lazy import lazy
from mxward.core.limits import MAX_TEXT_BYTES
from mxward.core.message import Message
from mxward.core.rules.spamassassin.charset import to_utf8
from mxward.core.rules.spamassassin.chunks import chunks
from mxward.core.rules.spamassassin.envelope import envelope_from
from mxward.core.rules.spamassassin.headers import Headers
from mxward.core.rules.spamassassin.ip import ADDRESS
from mxward.core.rules.spamassassin.markup import Markup
from mxward.core.rules.spamassassin.nodes import Node, tree
from mxward.core.rules.spamassassin.received import Relays, relays
from mxward.core.rules.spamassassin.site import DEFAULT, Site
from mxward.core.rules.spamassassin.uris import UriList
from mxward.pyx.saheader import line_feeds
from mxward.pyx.saline import squeeze

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.uris import Uri

Segments = tuple[bytes, list[int]]  # data, and where each segment starts
MAX_FULL: Final = 512 << 10  # spamc gives spamd no message above 500 KB; other texts are made of the whole of it
MAX_PART: Final = 50_000  # characters of a part that body rules see
MAX_RAW_PART: Final = 500_000  # bytes of a part that rawbody rules see
MAX_BODY: Final = MAX_TEXT_BYTES  # of all parts together: SpamAssassin bounds each part only, and there may be 1,000
MAX_RAW_BODY: Final = 2 * MAX_TEXT_BYTES
MAX_TAIL: Final = 1024  # bytes beyond those limits in which a good place to cut is looked for
_ORIGINATING: Final = "X-Yahoo-Post-IP X-Originating-IP X-Apparently-From X-SenderIP X-AOL-IP"


class TextSet:
    """All forms of one message. Not shared between threads. Nothing here raises on any content.

    Args: message: after parse and extract; site: what the rule set says (its `Config.settings` through `Site`).
    """

    def __init__(self, message: Message, site: Site = DEFAULT) -> None:
        self.message, self.site = message, site
        self.memo: dict[str, Any] = {}  # what eval tests keep for each other
        self.is_cut = False  # was a text made so far cut at MAX_BODY or MAX_RAW_BODY?

    @lazy
    def nodes(self) -> list[Node]:
        """The parts, the message itself first."""
        return tree(self.message, self.pristine_header)

    @lazy
    def leaves(self) -> list[Node]:
        return [node for node in self.nodes if node.is_leaf]

    @lazy
    def full(self) -> bytes:
        return line_feeds(self.message.raw, 0, min(len(self.message.raw), MAX_FULL))

    @lazy
    def pristine_header(self) -> bytes:
        """The header section as it came, the empty line included, LF line ends."""
        mime = self.message.mime
        assert mime is not None, "parse comes before texts"
        return line_feeds(self.message.raw, 0, mime.parts[0].body_start)

    @lazy
    def pristine_body(self) -> bytes:
        mime = self.message.mime
        assert mime is not None, "parse comes before texts"
        return line_feeds(self.message.raw, mime.parts[0].body_start, len(self.message.raw))

    @property
    def body_size(self) -> int:
        """Bytes of the body as it came, line ends counted as one."""
        raw, mime = self.message.raw, self.message.mime
        assert mime is not None, "parse comes before texts"
        start = mime.parts[0].body_start
        return len(raw) - start - raw.count(b"\r\n", start)

    @lazy
    def rendered(self) -> list[tuple[Node, Markup | None, bytes, bool]]:
        """(part, its analysis when it is HTML, text as UTF-8, whether it is wide) of every leaf, text or not."""
        found: list[tuple[Node, Markup | None, bytes, bool]] = []
        for node in self.leaves:
            kind = node.effective_type
            if kind not in ("text/plain", "text/html"):
                found.append((node, None, b"", False))  # it parts the texts around it all the same
                continue
            source = node.decoded
            text, is_wide = to_utf8(source, node.charset or "us-ascii")
            if kind == "text/html" and source:
                markup = Markup(text, is_wide, len(source))
                found.append((node, markup, markup.text, markup.is_wide))
            else:
                found.append((node, None, text, is_wide))
        return found

    @lazy
    def html(self) -> list[Markup]:
        """The analysis of each HTML part."""
        return [markup for _, markup, _, _ in self.rendered if markup is not None]

    @lazy
    def body(self) -> Segments:
        fields = self.nodes[0].fields
        subject = fields.last("subject") + b"\n"
        is_wide = any(wide for _, _, _, wide in self.rendered)
        pieces: list[bytes] = []
        left = MAX_BODY
        for _, _, text, wide in self.rendered:
            piece = self._fitting(_cut_text(text, wide) if len(text) > MAX_PART else text, left)
            left -= len(piece)
            # beside wide texts the bytes of the others stand for characters too
            pieces.append(piece.decode("latin-1").encode() if is_wide and not wide and not piece.isascii() else piece)
        return squeeze(subject, pieces, is_wide)

    @lazy
    def body_lines(self) -> list[bytes]:
        """The segments of `body` one by one."""
        return split(self.body)

    @lazy
    def rawbody(self) -> Segments:
        data: list[bytes] = []
        starts: list[int] = []
        at = 0
        for node in self.leaves:
            kind = node.effective_type
            if not kind.startswith(("text/", "message/")) and kind not in ("text", "message"):
                continue
            if node.type == "text/calendar":
                continue
            content = node.decoded
            if len(content) > MAX_RAW_PART:
                content = _cut_raw(content)
            content = self._fitting(content, MAX_RAW_BODY - at)
            data.append(content)
            starts += [at + start for start in chunks(content)]
            at += len(content)
        return b"".join(data), starts

    def _fitting(self, text: bytes, left: int) -> bytes:
        """What of a text there is room for."""
        if len(text) <= left:
            return text
        self.is_cut = True
        end = next((end for end in range(left, max(left - 4, -1), -1) if text[end] & 0xC0 != 0x80), left)
        return text[:end]  # no letter in UTF-8 is cut apart

    @lazy
    def uri_list(self) -> UriList:
        """Every address with where it stands (uri_detail rules)."""
        return UriList(self.body, self.html, self.site)

    @property
    def uris(self) -> list[bytes]:
        return self.uri_list.cleaned

    @property
    def uri_detail(self) -> dict[bytes, Uri]:
        """Address as found -> its types, cleaned forms, anchor texts, domains, hosts."""
        return self.uri_list.detail

    @lazy
    def relays(self) -> Relays:
        fields = self.nodes[0].fields
        names = fields.names
        originating = [
            match[0]
            for name in _originating(self.site)
            if name in names
            if (match := ADDRESS.search(fields.values(name)[-1]))
        ]
        return relays(fields.values(b"received"), originating, self.site)

    @lazy
    def headers(self) -> Headers:
        return Headers(self)

    @lazy
    def envelope_from(self) -> bytes | None:
        """The reverse-path that the fields tell of; None when none can be trusted."""
        return envelope_from(self)

    def header(self, name: str, modifier: str = "") -> bytes | None:
        """What a header rule looks at: all values, one a line; None when there is none.

        Args: name: "Subject", "From:addr", "ALL", "X-Spam-Relays-External"; modifier: more modifiers, "raw", "addr".
        """
        return self.headers.joined(f"{name}:{modifier}" if modifier else name)

    def header_values(self, names: Sequence[str]) -> list[bytes | None]:
        """What the header rules of these names look at, in the order of the names; see `header`."""
        return self.headers.joined_all(tuple(names))

    @lazy
    def mimeheaders(self) -> list[Node]:
        """The parts whose fields mimeheader rules look at; see `mimeheader`."""
        return self.nodes

    def mimeheader(self, node: Node, name: str) -> bytes | None:
        """A field of a part, the last of that name; "ALL" for all, ":raw" for the raw value; None when absent."""
        base, _, modifier = name.partition(":")
        if base == "ALL":
            return b"".join(node.fields.all)
        found = node.fields.raw(base.lower().encode()) if modifier else node.fields.values(base.lower().encode())
        if not found:
            return None
        return found[-1] if modifier else found[-1] + b"\n"


def _originating(site: Site) -> tuple[bytes, ...]:
    """Fields that tell the address of the author's computer, in lower case."""
    kept = site.memo.get("originating")
    if kept is None:
        names = list(site.words("originating_ip_headers")) or _ORIGINATING.split()
        kept = site.memo["originating"] = tuple(name.lower().encode("utf-8", "replace") for name in names)
    return cast(tuple[bytes, ...], kept)


def split(segments: Segments) -> list[bytes]:
    """The segments one by one."""
    data, starts = segments
    ends = [*starts[1:], len(data)] if starts else []
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def _cut_text(text: bytes, is_wide: bool) -> bytes:
    """The first MAX_PART characters and on to the next line end or space."""
    letters = text.decode("utf-8", "replace") if is_wide else text.decode("latin-1")
    if len(letters) <= MAX_PART:
        return text
    at = next((at for mark in "\n " if 0 <= (at := letters.find(mark, MAX_PART)) <= MAX_PART + MAX_TAIL), MAX_PART - 1)
    return letters[: at + 1].encode("utf-8" if is_wide else "latin-1")


def _cut_raw(content: bytes) -> bytes:
    marks = (b"\n", b">", b" ")
    limit = MAX_RAW_PART
    at = next((at for mark in marks if 0 <= (at := content.find(mark, limit)) <= limit + MAX_TAIL), limit - 1)
    return content[: at + 1]
