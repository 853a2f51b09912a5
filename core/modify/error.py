"""What an edit raises that cannot be made."""

from __future__ import annotations

from mxward.core.errors import MxwardError


class ModifyError(MxwardError):
    """The edit cannot be made without changing something else; the bytes were left as they are."""
