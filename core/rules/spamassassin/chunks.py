"""Parts cut into the chunks that rawbody rules are matched against.

Source: behaviour of SpamAssassin 4.0.1.
"""

from __future__ import annotations

from typing import Final

CHUNK: Final = 2048  # bytes of a chunk, up to twice as many


def chunks(text: bytes) -> list[int]:
    """Where the chunks of a part start: each CHUNK to 2 * CHUNK bytes long, cut behind a line end, ">" or space."""
    if len(text) <= CHUNK:
        return [0]
    starts: list[int] = []
    at = 0
    while len(text) - at > 2 * CHUNK:
        starts.append(at)
        for mark in (b"\n", b">", b" "):
            end = text.find(mark, at + CHUNK, at + 2 * CHUNK)
            if end >= 0:
                break
        else:
            end = at + CHUNK
        at = end + 1
    if at < len(text):
        starts.append(at)
    return starts
