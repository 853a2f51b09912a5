"""Tests that are code: the table of eval functions that need nothing but the message and the settings.

A function takes the texts of a message and the arguments that the rule gives it, all strings, and tells whether, or how
often, the test matched; or it takes the arguments alone and tells which number of a message must be in which range
(evaltools.py). Which functions of SpamAssassin are not here, and why, is docs/spamassassin-texts.md.

evals_html.py, evals_mime.py, evals_body.py, evals_image.py    content
evals_header.py, evals_forged.py, evals_date.py, evals_relay.py    header fields
evals_address.py, evals_freemail.py, evals_uri.py    addresses against lists
"""

from __future__ import annotations

from typing import Final

from mxward.core.rules.spamassassin import (
    evals_address,
    evals_body,
    evals_date,
    evals_forged,
    evals_freemail,
    evals_header,
    evals_html,
    evals_image,
    evals_mime,
    evals_relay,
    evals_uri,
)  # fmt: skip
from mxward.core.rules.spamassassin.evaltools import Table

EVALS: Final[Table] = {
    **evals_html.TABLE, **evals_mime.TABLE, **evals_body.TABLE, **evals_image.TABLE, **evals_header.TABLE,
    **evals_forged.TABLE, **evals_date.TABLE, **evals_relay.TABLE, **evals_address.TABLE, **evals_freemail.TABLE,
    **evals_uri.TABLE,
}  # fmt: skip
