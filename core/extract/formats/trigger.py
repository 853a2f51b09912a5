"""A cheap look at content of types that most mail has: is it worth the sandbox? Others always are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mxward.pyx.literals import CASELESS, Literals
from mxward.pyx.literals import compile as compile_literals

# what carries or asks for something; handlers of events are left out, as the scripts of a mail's text do not run
_ACTS: Final = (
    b"<script", b"data:", b"javascript:", b"vbscript:", b'http-equiv="refresh', b"http-equiv=refresh",
    b"http-equiv='refresh", b"srcdoc", b"<svg", b'type="password', b"type=password", b"type='password",
)  # fmt: skip
_WORDS: Final = Literals(compile_literals([b"<td", *_ACTS], CASELESS))
_CELLS: Final = 400  # cells of tables that may draw a code: 21 rows of 21


def _html(data: bytes | memoryview) -> bool:
    return any(number > 0 or count >= _CELLS for number, count in _WORDS.counts(data))


# true type -> does anything in it act, or hide?
TRIGGERS: Final[dict[str, Callable[[bytes | memoryview], bool]]] = {"text/html": _html}
