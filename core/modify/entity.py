"""Replacing one leaf of a message: its own header fields about content, and its body. All else stays as it is."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Iterator
from typing import Final

from mxward.core.modify.error import ModifyError
from mxward.pyx.mime import Mime, PartInfo, parse

_OF_CONTENT: Final = (b"content-type", b"content-transfer-encoding", b"content-disposition", b"content-id",
                      b"content-location", b"content-description", b"content-md5", b"content-length")  # fmt: skip
_SIGNED: Final = ("multipart/signed", "multipart/encrypted")


def leaves(mime: Mime) -> Iterator[tuple[int, PartInfo]]:
    """The leaves that stand in the message as RFC 2045 reads it, with their numbers: those that can be replaced."""
    for number, info in enumerate(mime.parts):
        if info.kind == "leaf" and info.reading == 0 and info.header_start < info.body_start:
            yield number, info


def outer_leaf(mime: Mime, number: int) -> int:
    """The leaf that can be replaced of which that part is a piece: itself, or the leaf around it. -1: none."""
    able = {index for index, _ in leaves(mime)}
    while number >= 0 and number not in able:
        number = mime.parts[number].parent
    return number


def replace(
    raw: bytes, number: int, content: bytes, content_type: str, *, name: str = "", keeps_id: bool = False
) -> bytes:
    """The message with that leaf holding `content` instead, in base64.

    Args: content_type: a whole value, parameters included, ASCII; name: the file name; "": it is shown in the body;
    keeps_id: its Content-ID stays, so that HTML that shows it still does.
    Raises: ModifyError when programs disagree about the structure, when a signature covers the part, or when the
    result would not read back as meant.
    """
    mime = parse(raw)
    if mime.is_ambiguous:
        raise ModifyError("programs disagree about the structure of the message")
    info = mime.parts[number]
    _refuse_signed(mime, number)
    kept = [span for span in _field_spans(raw, info) if not _is_dropped(raw, span, keeps_id=keeps_id)]
    header = b"".join(raw[start:end] for start, end in kept) + _header(content_type, name)
    body = encodebytes(content).replace(b"\n", b"\r\n")
    # the line end before a boundary belongs to the boundary (RFC 2046 5.1.1)
    if raw[info.body_end : info.body_end + 2] == b"\r\n":
        body = body.removesuffix(b"\r\n")
    edited = raw[: info.header_start] + header + b"\r\n" + body + raw[info.body_end :]
    _check(mime, parse(edited), number, content)
    return edited


def _refuse_signed(mime: Mime, number: int) -> None:
    at = mime.parts[number].parent
    while at >= 0:
        if mime.parts[at].content_type in _SIGNED:
            raise ModifyError("a signature or encryption covers the part")
        at = mime.parts[at].parent


def _field_spans(raw: bytes, info: PartInfo) -> Iterator[tuple[int, int]]:
    """(start, end) of each field of the part's header, folded lines included, without the empty line."""
    start, at = info.header_start, info.header_start
    while at < info.body_start:
        end = raw.find(b"\n", at, info.body_start) + 1 or info.body_start
        if not raw[at:end].strip(b"\r\n"):
            break
        at = end
        if raw[at : at + 1] not in (b" ", b"\t"):
            yield start, at
            start = at
    if start < at:
        yield start, at


def _is_dropped(raw: bytes, span: tuple[int, int], *, keeps_id: bool) -> bool:
    name = raw[span[0] : span[1]].partition(b":")[0].strip().lower()
    return name in _OF_CONTENT and not (keeps_id and name == b"content-id")


def _header(content_type: str, name: str) -> bytes:
    if not (content_type.isascii() and content_type.isprintable()):
        raise ModifyError("the content type is not plain ASCII")
    lines = [f"Content-Type: {content_type}"]
    if name:
        lines.append("Content-Disposition: attachment;\r\n" + _file_name(name))
    else:
        lines.append("Content-Disposition: inline")
    lines.append("Content-Transfer-Encoding: base64")
    return "".join(line + "\r\n" for line in lines).encode("ascii")


def _file_name(name: str) -> str:
    """The filename parameter, by RFC 2231 where it is not plain."""
    clean = "".join(c if c.isprintable() else "_" for c in name)[:120]
    if clean.isascii() and not set(clean) & set('"\\'):
        return f' filename="{clean}"'
    # RFC 2231 section 3: sections of a value that is too long for one line
    encoded = [f"%{byte:02X}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in clean.encode()]
    pieces, line = [], ""
    for unit in encoded:
        if len(line) + len(unit) > 50:
            pieces.append(line)
            line = ""
        line += unit
    pieces.append(line)
    if len(pieces) == 1:
        return f" filename*=utf-8''{pieces[0]}"
    first = f" filename*0*=utf-8''{pieces[0]}"
    return ";\r\n".join([first, *(f" filename*{i}*={piece}" for i, piece in enumerate(pieces[1:], 1))])


def _check(before: Mime, after: Mime, number: int, content: bytes) -> None:
    """Raises: ModifyError unless `after` is `before` with that leaf, and what was read in it, replaced."""
    gone = _inside(before, number)
    old = [i for i in range(before.n_parts) if i not in gone]
    if after.is_ambiguous or after.n_parts != len(old) or after.decode(number) != content:
        raise ModifyError("the message does not read back as meant")
    for new_index, index in enumerate(old):
        if index != number and before.parts[index].kind == "leaf" and before.decode(index) != after.decode(new_index):
            raise ModifyError("another part of the message would change")
    if _others(before) != _others(after):
        raise ModifyError("another field of the message would change")


def _inside(mime: Mime, number: int) -> set[int]:
    """Rows that were found in that leaf: blocks in its text, other readings of it."""
    found: set[int] = set()
    for index, info in enumerate(mime.parts):
        if index != number and (info.parent == number or info.parent in found):
            found.add(index)
    return found


def _others(mime: Mime) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in mime.fields(0) if name.lower() not in _OF_CONTENT]
