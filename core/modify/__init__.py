"""Changes to a message that policy asks for, as byte edits on the spans of our own parse.

Foreign mail is never re-serialised. Every edit is checked by parsing the result. What cannot be done safely is not
done: ModifyError, and the caller holds the message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mxward.core.extract.opener import Opener
from mxward.core.modify import attachments, fields, html
from mxward.core.modify.error import ModifyError
from mxward.core.modify.fields import encode_field
from mxward.pyx.mime import parse

__all__ = ["EDITS", "ModifyError", "apply", "encode_field"]

# name of an edit in a policy -> what does it; each takes the message, the numbers of parts in the argument, an opener
EDITS: Final[dict[str, Callable[[bytes, Sequence[int], Opener | None], bytes]]] = {
    "disarm": attachments.disarm,
    "remove-attachments": attachments.remove,
    "rename-attachments": attachments.rename,
    "flatten-html": html.flatten,
}


def apply(raw: bytes, additions: Sequence[Sequence[str]], opener: Opener | None = None) -> bytes:
    """The message with the additions of a disposition made to it. Idempotent: what is there is not added again.

    Args: additions: (kind, argument) pairs. tag: see fields.tag; modify: "EDIT" or "EDIT 2 5" of EDITS, with the
    numbers of the parts it is about; `copy` changes nothing here. opener: what disarms attachments.
    Raises: ModifyError for an edit that cannot be made safely and for kinds that are not known.
    """
    # edits that name parts first: the others may change the numbers of these
    edits = sorted((argument for kind, argument in additions if kind == "modify"), key=lambda text: " " not in text)
    n_parts = _structure(raw) if edits else 0
    for argument in edits:
        name, *numbers = argument.split()
        if name not in EDITS or not all(number.isascii() and number.isdigit() for number in numbers):
            raise ModifyError(f"no such edit: {argument}")
        if numbers and parse(raw).n_parts != n_parts:
            raise ModifyError("an edit before it changed the numbers of the parts")
        raw = EDITS[name](raw, [int(number) for number in numbers], opener)
    for kind, argument in additions:
        if kind == "tag":
            raw = fields.tag(raw, argument)
        elif kind not in ("copy", "modify"):
            raise ModifyError(f"no such edit: {kind} {argument}")
    return raw


def _structure(raw: bytes) -> int:
    """How many parts there are. Raises: ModifyError when programs disagree about that."""
    mime = parse(raw)
    if mime.is_ambiguous:
        raise ModifyError("programs disagree about the structure of the message")
    return mime.n_parts
