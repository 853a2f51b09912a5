"""Attachments made harmless: disarmed, removed for a notice, renamed.

What cannot be disarmed is removed: its recipient gets a notice, and the original stays in quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from mxward.core.extract import reply
from mxward.core.extract.formats import disarm as table
from mxward.core.extract.opener import DISARM, Budget, Opener, Request, Session
from mxward.core.limits import MAX_CHILD_BYTES, MAX_CHILDREN, MAX_OPENING_S, OPENING_DEADLINE_S
from mxward.core.modify.entity import leaves, outer_leaf, replace
from mxward.core.modify.error import ModifyError
from mxward.pyx.filetype import identify
from mxward.pyx.mime import Mime, PartInfo, parse

_NOTICE: Final = (
    'The attachment "{name}" was removed from this message by the mail filter.\r\n\r\n'
    "It may be harmful, or it could not be inspected. The original is kept in quarantine; if you need it, ask your\r\n"
    "IT service desk to release it and tell them who sent you this message, and when.\r\n"
)
# a file name that ends so starts a program when it is opened; see core/detect/filetype.py
RENAMED: Final = ".renamed"
_CONCERNED: Final = frozenset((*table.DISARM, *table.REMOVED))
_TYPE: Final = "application/octet-stream"  # programs go by the name then


def remove(raw: bytes, numbers: Sequence[int], opener: Opener | None) -> bytes:
    """These attachments, or all when none is given, with a notice in place of each. Raises: ModifyError."""
    mime = parse(raw)
    for number in _chosen(mime, numbers):
        raw = _notice(raw, number, mime.parts[number])
    return raw


def rename(raw: bytes, numbers: Sequence[int], opener: Opener | None) -> bytes:
    """These attachments, or all when none is given, under names that start nothing. Raises: ModifyError."""
    mime = parse(raw)
    for number in _chosen(mime, numbers):
        name = _name(mime.parts[number])
        if not name.endswith(RENAMED):
            raw = replace(raw, number, mime.decode(number), _TYPE, name=name + RENAMED)
    return raw


def disarm(raw: bytes, numbers: Sequence[int], opener: Opener | None) -> bytes:
    """Every document without what acts in it: macros, scripts, links that load something, embedded objects.

    One that holds nothing of the kind stays as it is, byte for byte. One that cannot be disarmed is removed, and so is
    any other attachment among `numbers`: a zip in which a macro was found. Raises: ModifyError.
    """
    mime = parse(raw)
    named = {outer_leaf(mime, number) for number in numbers if number < mime.n_parts}
    found = [(i, info, mime.decode(i)) for i, info in leaves(mime)]
    found = [entry for entry in reversed(found) if entry[0] in named or identify(entry[2]) in _CONCERNED]  # see _chosen
    if not found:
        return raw
    if opener is None:
        raise ModifyError("nothing is there to disarm attachments with")
    with opener.session(OPENING_DEADLINE_S) as session:
        for number, info, data in found:
            fate, safe = _ask(session, info, data) if identify(data) in table.DISARM else ("failed", b"")
            if fate == "unavailable":
                raise ModifyError("attachments cannot be disarmed at present")
            if fate == "failed":
                raw = _notice(raw, number, info)
            elif safe != data:
                raw = replace(raw, number, safe, _TYPE, name=_name_without_macros(_name(info)))
    return raw


def _name_without_macros(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem + table.RENAMED.get(dot + extension.lower(), dot + extension)


def _ask(session: Session, info: PartInfo, data: bytes) -> tuple[str, bytes]:
    """("done", the disarmed document), ("failed", b"") or ("unavailable", b"")."""
    budget = Budget(MAX_CHILD_BYTES, MAX_CHILDREN, 1, MAX_OPENING_S)
    answer = session.open(Request(identify(data), info.content_type, info.names, budget, task=DISARM), data)
    if answer.failure:
        return ("unavailable" if answer.failure == "unavailable" else "failed"), b""
    try:
        frames = list(reply.read(answer.frames))
    except reply.ReplyError:
        return "failed", b""
    whole = frames and isinstance(frames[-1][0], reply.End)
    made = [bytes(content) for record, content in frames if isinstance(record, reply.Child)]
    if not whole or any(isinstance(record, reply.Unseen) for record, _ in frames) or len(made) > 1:
        return "failed", b""
    if made and identify(made[0]) not in table.DISARM:  # it comes from a process that content may have taken over
        return "failed", b""
    return "done", made[0] if made else data


def _notice(raw: bytes, number: int, info: PartInfo) -> bytes:
    name = _name(info)
    shown = "".join(c if c.isprintable() and c not in '"<>' else "_" for c in name)[:100]
    text = _NOTICE.format(name=shown).encode()
    return replace(raw, number, text, "text/plain; charset=utf-8", name=f"{PurePosixPath(shown).name}.removed.txt")


def _chosen(mime: Mime, numbers: Iterable[int]) -> list[int]:
    """The leaves that are meant: those around the given parts, or all attachments. Last first, as replacing one
    leaves the numbers before it as they are.
    """
    given = {outer_leaf(mime, number) for number in numbers if number < mime.n_parts} - {-1}
    if not given:
        given = {i for i, info in leaves(mime) if info.names or info.disposition == "attachment"}
    return sorted(given, reverse=True)


def _name(info: PartInfo) -> str:
    return info.names[0] if info.names else "attachment"
