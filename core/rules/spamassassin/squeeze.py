"""White space of rendered text squeezed, and texts cut into the segments that rules are matched against.

Source: behaviour of SpamAssassin 4.0.1.
"""

from __future__ import annotations

import re
from typing import Final

LINE: Final = 2048  # bytes of a segment of body; a rawbody chunk has one to two times as many
_NARROW: Final = re.compile(rb"[ \t\n\v\f\r]+")
_WIDE: Final = re.compile(
    rb"(?:[ \t\n\v\f\r]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)+"
)


def squeeze(subject: bytes, pieces: list[bytes], is_wide: bool) -> tuple[bytes, list[int]]:
    """Texts of a message as one, white space squeezed, and where its segments start.

    An empty line, or several, ends a segment; other runs of white space become a space.

    Args: subject: the first segment, with its line end; pieces: UTF-8 when `is_wide`, else bytes of any kind.
    """
    text = b""
    for piece in pieces:
        text += b"\n" + piece if text else piece
    text = (_WIDE if is_wide else _NARROW).sub(_squeezed, text)
    data = subject + text.replace(b"\0", b"\n")
    starts: list[int] = []
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        while end - at > LINE:
            starts.append(at)
            at = data.rfind(b" ", at, at + LINE + 1) + 1 or at + LINE
        if at < end:
            starts.append(at)
        at = end
    return data, starts


def _squeezed(run: re.Match[bytes]) -> bytes:
    space = run[0]
    first, last = space.find(b"\n"), space.rfind(b"\n")
    if first == last:
        return b" "
    return b" " * (first > 0) + b"\n" + b" " * (last < len(space) - 1)


def chunks(text: bytes) -> list[int]:
    """Where the chunks of a part start: each LINE to 2 * LINE bytes long, cut behind a line end, ">" or space."""
    if len(text) <= LINE:
        return [0]
    starts: list[int] = []
    at = 0
    while len(text) - at > 2 * LINE:
        starts.append(at)
        for mark in (b"\n", b">", b" "):
            end = text.find(mark, at + LINE, at + 2 * LINE)
            if end >= 0:
                break
        else:
            end = at + LINE
        at = end + 1
    if at < len(text):
        starts.append(at)
    return starts
