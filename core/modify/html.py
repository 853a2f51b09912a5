"""HTML made plain: what a browser would show of it, as text, with its links written out. Nothing of it can act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mxward.core.extract.charset import decode_utf8
from mxward.core.extract.opener import Opener
from mxward.core.extract.parts import is_html_type
from mxward.core.modify.entity import leaves, replace
from mxward.pyx.filetype import identify
from mxward.pyx.htmltext import read
from mxward.pyx.mime import parse

MAX_LINKS: Final = 200  # written out of one part


def flatten(raw: bytes, numbers: Sequence[int], opener: Opener | None) -> bytes:
    """Every HTML part of the message as plain text. Raises: ModifyError."""
    mime = parse(raw)
    html = [(i, info.charset) for i, info in leaves(mime) if is_html_type(info.content_type, identify(mime.decode(i)))]
    for number, charset in reversed(html):  # replacing one leaves the numbers before it as they are
        text = _plain(decode_utf8(mime.decode(number), charset, is_html=True))
        raw = replace(raw, number, text, "text/plain; charset=utf-8")
    return raw


def _plain(source: bytes) -> bytes:
    _, shown, _, links, _, _ = read(source)
    lines = [line.strip() for line in shown.decode("utf-8", "replace").splitlines()]
    out = "\r\n".join(line for i, line in enumerate(lines) if line or (i and lines[i - 1]))
    urls = dict.fromkeys(url.decode("utf-8", "replace") for kind, url, _, _ in links if kind == "a" and url)
    if urls:
        listed = "\r\n".join(f"<{_defused(url)}>" for url in list(urls)[:MAX_LINKS])
        out += f"\r\n\r\nLinks in this message:\r\n{listed}\r\n"
    return out.encode()


def _defused(url: str) -> str:
    """Readable, but no mail program makes a link of it."""
    clean = "".join(c if c.isprintable() else "?" for c in url)
    return clean.replace("http", "hxxp", 1).replace(":", "[:]", 1) if "://" in clean else clean.replace(":", "[:]", 1)
