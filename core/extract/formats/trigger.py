"""A cheap look at content of types that most mail has: is it worth the sandbox? Others always are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_ACTS: Final = re.compile(
    rb"(?i)<script|data:|javascript:|vbscript:|http-equiv|srcdoc|<svg|type=.?password|\son[a-z]+="
)
_CELLS: Final = 400  # cells of tables that may draw a code: 21 rows of 21


def _html(data: bytes | memoryview) -> bool:
    raw = bytes(data)
    return _ACTS.search(raw) is not None or raw.count(b"<td") >= _CELLS or raw.count(b"<TD") >= _CELLS


# true type -> does anything in it act, or hide?
TRIGGERS: Final[dict[str, Callable[[bytes | memoryview], bool]]] = {"text/html": _html}
