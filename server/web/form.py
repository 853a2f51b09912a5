"""Reading a submitted form with limits: URL-encoded only, a bounded body, a bounded number of short fields.

Multipart forms are refused: no page uploads anything.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

MAX_BODY_BYTES: Final = 65_536
MAX_FIELDS: Final = 50
MAX_VALUE: Final = 4_096  # characters of one value
READ_TIMEOUT_S: Final = 20.0


class FormError(Exception):
    """The client's fault: status and one plain sentence for it."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence
        super().__init__(sentence)


async def read_body(request: Request) -> bytes:
    """The whole body. Raises FormError 413 above MAX_BODY_BYTES, 408 when it does not come in time."""
    chunks: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for chunk in request.stream():
                total += len(chunk)
                if total > MAX_BODY_BYTES:
                    raise FormError(413, "What was sent is too large.")
                chunks.append(chunk)
    except TimeoutError:
        raise FormError(408, "What was sent did not arrive in time.") from None
    return b"".join(chunks)


async def read_form(request: Request) -> dict[str, str]:
    """Fields of a URL-encoded form; of a repeated name the first counts. Raises FormError 400, 408, 413 or 415."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormError(415, "The form was sent in a way that the console does not read.")
    body = await read_body(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding="utf-8", errors="strict"
        )
    except (ValueError, UnicodeError):
        raise FormError(400, "The form could not be read.") from None
    return collect(pairs)


def collect(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        if len(value) > MAX_VALUE:
            raise FormError(400, "One of the fields is too long.")
        fields.setdefault(name, value)
    return fields
