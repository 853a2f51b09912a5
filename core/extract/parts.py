"""From the part table to the list of parts that are scanned: decoded once, typed by content.

Opening containers is not here but in children.py; what can be said of one without opening it is container.py.
"""

from __future__ import annotations

from typing import Final

from mxward.core.limits import MAX_VIEW_BYTES
from mxward.core.message import Message, Part
from mxward.core.verdict import NotInspected
from mxward.pyx.filetype import identify
from mxward.pyx.mime import Mime

# charsets that are written in ASCII yet mean something else: their text is not found in the raw message
_ESCAPED: Final = ("utf-7", "unicode-1-1", "iso-2022", "hz")
CONTAINED: Final = "contained"  # encoding of what was found in a container: its bytes do not stand in the message
IDENTITY: Final = frozenset(("7bit", "8bit", "binary", ""))


def extract(message: Message) -> None:
    """Fill message.parts from message.mime, and message.not_inspected with what cannot be looked into.

    Beyond MAX_VIEW_BYTES of decoded content the remaining parts stay empty and are named as not inspected.
    """
    mime = message.mime
    assert mime is not None, "parse comes before extract"
    infos = mime.parts
    contents = _decode(mime, message)
    for index, (info, data) in enumerate(zip(infos, contents, strict=True)):
        part = Part(
            index, parent=info.parent, depth=info.depth, content_type=info.content_type, charset=info.charset,
            encoding=info.encoding, disposition=info.disposition, names=info.names, data=data, reading=info.reading,
        )  # fmt: skip
        message.parts.append(part)
        if info.kind == "leaf" and data:
            part.true_type = identify(data)


def _decode(mime: Mime, message: Message) -> list[bytes]:
    infos = mime.parts
    if len(infos) * len(message.raw) <= MAX_VIEW_BYTES:  # no part is larger than the message
        return mime.decode_all()
    # decoding shrinks or keeps every encoding but yEnc's and uuencode's line ends: the encoded size is the bound
    if sum(info.body_end - info.body_start for info in infos if info.kind == "leaf") <= MAX_VIEW_BYTES:
        return mime.decode_all()
    left, contents = MAX_VIEW_BYTES, []
    for index, info in enumerate(infos):
        size = info.body_end - info.body_start if info.kind == "leaf" else 0
        if size > left:
            message.not_inspected.append(NotInspected(index, "limit:bytes", f"{size} bytes over the budget"))
            size = 0
        contents.append(mime.decode(index) if size else b"")
        left -= size
    return contents


def is_inside(part: Part) -> bool:
    """Was this part found inside a container or document, not as a part of the mail?"""
    return part.encoding == CONTAINED


def is_text(part: Part) -> bool:
    """Is this a part that clients show as text or HTML?"""
    return part.content_type.startswith("text/") or part.true_type in ("text/html", "text/xml")


def is_html(part: Part) -> bool:
    """HTML by declared type, or by content whatever the type says."""
    return is_html_type(part.content_type, part.true_type)


def is_html_type(content_type: str, true_type: str) -> bool:
    """As `is_html`, of types."""
    return content_type in ("text/html", "application/xhtml+xml") or true_type == "text/html"


def is_verbatim(part: Part) -> bool:
    """Do the bytes of this part stand in the raw message as they are, with nothing but ASCII meaning?"""
    return part.encoding in IDENTITY and not part.charset.startswith(_ESCAPED)
