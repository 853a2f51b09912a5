"""What lies where in a zip file, by every reading that some program takes: directory, local headers, neither.

Programs differ: some trust the directory at the end, some the headers before each member, some the first directory and
some the last. Every member that one of them would show is listed once, with all its names.
Source: APPNOTE 4.3; the ambiguities of You et al., "My ZIP isn't your ZIP" (USENIX Security 2025).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from mxward.core.limits import MAX_CHILDREN
from mxward.core.unpack.container.members import readable
from mxward.core.unpack.container.zip_headers import (
    CENTRAL,
    ENCRYPTED,
    LOCAL,
    STREAMED,
    UTF8,
    End,
    Header,
    central_headers,
    ends,
    fields,
    local_header,
)

_UNICODE_PATH: Final = 0x7075
_DESCRIPTOR: Final = b"PK\7\x08"
_MAX_METHOD: Final = 99


@dataclass
class Reading:
    """One way to read a member: `header.data` is its content, names are those of all headers that lead here."""

    header: Header
    names: list[str]
    known_end: bool = True  # header.packed can be trusted


@dataclass
class Layout:
    """All readings of a file in order, the gaps between them, and findings about the whole."""

    readings: list[Reading] = field(default_factory=list)
    found: dict[str, None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)  # names whose content is not there
    before: int = 0  # bytes before the first member
    after: int = 0  # where what was appended begins
    gaps: list[tuple[int, int]] = field(default_factory=list)
    comments: list[bytes] = field(default_factory=list)
    split: bool = False
    whole: bool = True  # a directory was found, and all of it


def layout(data: bytes) -> Layout:
    """Find all readings of a zip file. Bounded by limits.MAX_CHILDREN; never raises on content."""
    out = Layout(after=len(data))
    covered: list[tuple[int, int]] = []
    for end in ends(data):
        if any(low <= end.at < high for low, high in covered):
            continue  # of a zip that is stored in this one
        _directory(data, end, out, covered)
    if not covered:
        out.found["CONTAINER_BROKEN_DIRECTORY"] = None
        out.whole = False
        _hidden(data, 0, len(data), out)
        out.after = len(data)
        return out
    covered.sort()
    _judge_overlaps(out)
    _gaps(data, covered, out)
    return out


def _directory(data: bytes, end: End, out: Layout, covered: list[tuple[int, int]]) -> None:
    """Read the directory that `end` speaks of, by both ways to find it."""
    near = end.at - end.size
    starts = [at for at in dict.fromkeys((near, end.offset)) if data[at : at + 4] == CENTRAL and 0 <= at < end.at]
    if not starts:
        if end.n == 0 and end.size == 0 and not covered:
            covered.append((end.at, end.after))
            out.after = end.after
        return
    if covered or len(starts) > 1:
        out.found["CONTAINER_TWO_DIRECTORIES"] = None
    if not covered:
        out.after = end.after
    if end.comment:
        out.comments.append(end.comment)
    out.split |= end.disk != 0
    for start in starts:
        count, behind = 0, start
        for header, behind_it in central_headers(data, start, MAX_CHILDREN + 1):
            count, behind = count + 1, behind_it
            _member(data, header, near - end.offset, out, covered)
        if count <= MAX_CHILDREN:
            _judge_count(count, end, out)
        covered.append((start, behind))
    covered.append((end.at, end.after))


def _judge_count(count: int, end: End, out: Layout) -> None:
    if (count - end.n) % 0x10000 == 0:
        return
    if count > end.n:
        out.found["CONTAINER_TWO_DIRECTORIES"] = None
    else:
        out.found["CONTAINER_BROKEN_DIRECTORY"] = None
        out.whole = False


def _member(data: bytes, header: Header, shift: int, out: Layout, covered: list[tuple[int, int]]) -> None:
    """Add what a directory entry and the local headers it leads to say."""
    places = [at for at in dict.fromkeys((header.at + shift, header.at)) if data[at : at + 4] == LOCAL and at >= 0]
    names = names_of(header)
    if header.disk:
        out.split = True
    if not places:
        out.missing.append(names[0])
        return
    if len(places) > 1:
        out.found["CONTAINER_HEADERS_DISAGREE"] = None
    for at in places:
        local = local_header(data, at)
        if local is None:
            out.missing.append(names[0])
            continue
        if local.name != header.name and _slashes(local.name) != _slashes(header.name):
            out.found["CONTAINER_HEADERS_DISAGREE"] = None
            names = list(dict.fromkeys((*names, *names_of(local))))
        main = header._replace(at=at, data=local.data, extra=header.extra or local.extra)
        out.readings.append(Reading(main, names))
        covered.append((at, min(len(data), local.data + header.packed)))
        if _differ(header, local):
            out.found["CONTAINER_HEADERS_DISAGREE"] = None
            known = not (local.flags & STREAMED and not local.packed)
            out.readings.append(Reading(local, names, known))
            if known:
                covered.append((at, min(len(data), local.data + local.packed)))


def _differ(header: Header, local: Header) -> bool:
    """Whether the local header leads to other content. A streamed one may leave sizes to what follows the content."""
    if header.method != local.method or (header.flags ^ local.flags) & ENCRYPTED:
        return True
    if local.flags & STREAMED and not (local.packed or local.size):
        return False
    if local.packed == 0xFFFFFFFF or local.size == 0xFFFFFFFF:  # zip64 without its extra field
        return False
    return header.packed != local.packed or header.size != local.size


def names_of(header: Header) -> list[str]:
    """The names a header gives: its own, and the Unicode one of its extra field."""
    name = header.name.decode("utf-8", "replace") if header.flags & UTF8 else readable(header.name)
    names = [name]
    for kind, body in fields(header.extra) if header.extra else ():
        if kind == _UNICODE_PATH and len(body) > 5:
            names.append(body[5:].decode("utf-8", "replace"))
    return list(dict.fromkeys(names))


def _slashes(name: bytes) -> bytes:
    return name.replace(b"\\", b"/")


def _judge_overlaps(out: Layout) -> None:
    spans = sorted({(entry.header.at, entry.header.data + entry.header.packed) for entry in out.readings})
    starts = [entry.header.at for entry in out.readings if entry.known_end]
    if "CONTAINER_HEADERS_DISAGREE" in out.found or "CONTAINER_TWO_DIRECTORIES" in out.found:
        return  # readings of one member overlap by nature
    if len(set(starts)) < len(starts) or any(b[0] < a[1] for a, b in pairwise(spans)):
        out.found["CONTAINER_OVERLAP"] = None


def _gaps(data: bytes, covered: list[tuple[int, int]], out: Layout) -> None:
    """Note what no reading covers, and members that stand there."""
    at = 0
    for low, high in (*covered, (out.after, out.after)):
        if low > at:
            if at == 0:
                out.before = low
            else:
                _gap(data, at, low, out)
        at = max(at, high)


def _gap(data: bytes, low: int, high: int, out: Layout) -> None:
    n = len(out.readings)
    _hidden(data, low, high, out)
    if len(out.readings) > n:
        out.found["CONTAINER_HIDDEN_MEMBER"] = None
    elif high - low > 64 and data[low:high].strip(b"\0"):
        out.gaps.append((low, high))


def _hidden(data: bytes, low: int, high: int, out: Layout) -> None:
    """Members by their local headers alone, as a program reads that gets the file as a stream."""
    while (at := data.find(LOCAL, low, high)) >= 0 and len(out.readings) <= MAX_CHILDREN:
        low = at + 4
        local = local_header(data, at)
        if local is None or local.method > _MAX_METHOD or not local.name or local.data > high:
            continue
        known = not (local.flags & STREAMED and not local.packed)
        end = local.data + local.packed if known else _streamed_end(data, local, high)
        packed = min(end, high) - local.data
        out.readings.append(Reading(local._replace(packed=packed), names_of(local), known))
        low = max(low, min(end, high))


def _streamed_end(data: bytes, local: Header, high: int) -> int:
    """Where the content of a member ends whose header does not say: before its descriptor, or the next header."""
    at = local.data
    while (at := data.find(_DESCRIPTOR, at, high)) >= 0:
        if int.from_bytes(data[at + 8 : at + 12], "little") == at - local.data:
            return at
        at += 4
    ends_at = [place for mark in (LOCAL, CENTRAL) if (place := data.find(mark, local.data, high)) >= 0]
    return min(ends_at, default=high)
