"""The templates of received_formats.py as pyx/sahops takes them."""

from __future__ import annotations

from functools import cache
from typing import Final

from mxward.core.rules.spamassassin import received_formats as formats
from mxward.core.rules.spamassassin.ip import is_private
from mxward.core.rules.spamassassin.received_formats import Format
from mxward.core.rules.spamassassin.template import Templates
from mxward.pyx.sahops import STAGES, Hops

# In the kernel's order: bits of the flags of a template, those it leaves to received_line.py last.
_FLAGS: Final = {
    "d": 1,
    "h": 2,
    "s": 4,
    "q": 8,
    "u": 16,
    "v": 32,
    "n": 64,
    "i": 128,
    "S": 256,
    "U": 512,
    "x": 1024,
    "m": 1024,
}


def _stages() -> dict[str, tuple[Format, ...]]:
    """The templates of each stage."""
    servers = [forms for _, forms in formats.BY_SERVER]
    exchange = Format(b"", formats.EXCHANGE, "")
    return dict(zip(STAGES, (
        *servers, (exchange,), (Format(b"", formats.EXCHANGE_FORMAT, "n"),), (Format(b"", formats.HTTP, ""),),
        (formats.SENDMAIL,), formats.GENERAL, (formats.QMAIL,), formats.QMAIL_FORMS, formats.BEFORE_FETCH,
        formats.AFTER_FETCH, formats.NOTHING, formats.NOTHING_LATER,
    ), strict=True))  # fmt: skip


@cache
def hops() -> Hops:
    """The kernel with all templates, made once."""
    made = Templates()
    stages = [
        [(form.mark, made.add(form.source), sum(_FLAGS[flag] for flag in form.flags)) for form in forms]
        for forms in _stages().values()
    ]
    return Hops(made.code, made.classes, stages, is_private)
