"""Opens mail in mail: a message kept as a file, a mailbox of messages, and files encoded as text (uuencode, yEnc).

The parser is the one that reads the mail itself (pyx/mime), so every reading that some client takes is told.
"""

from __future__ import annotations

from typing import Final

from mxward.core.unpack.container.members import Members
from mxward.core.unpack.work import Damaged, Item, Work
from mxward.pyx.mime import PartInfo, parse

_ENCODED: Final = ("uuencode", "yenc")
_ENDS: Final = {"uuencode": b"\nend", "yenc": b"\n=yend "}
_TORN: Final = ("missing_close", "base64_truncated")
_FIELDS: Final = ("from", "to", "subject", "date")


def open_message(item: Item, work: Work) -> None:
    """Tell the parts of a message, at all levels of nesting as parts of this one."""
    mime = parse(item.data)
    members = Members(item, work)
    for name in _FIELDS:
        value = mime.text(name)
        if value:
            work.fact(item, name, value)
    work.text(item, mime.text("subject"))
    told: set[int] = set()
    for index, info in enumerate(mime.parts):
        if info.kind != "leaf":
            continue
        if info.body_end - info.body_start > 2 * work.purse.bytes_left + 1024:  # encodings shrink to no less than half
            work.purse.spend_bytes(work.purse.bytes_left + 1)
        content = mime.decode(index)
        if info.reading and hash(content) in told:
            continue
        told.add(hash(content))
        members.file(content, *_names(info), content_type=info.content_type, charset=info.charset)
    if any(anomaly.code in _TORN for anomaly in mime.anomalies) or _ends_early(item.data, mime.parts[-1]):
        raise Damaged("it breaks off")


def _ends_early(data: bytes, last: PartInfo) -> bool:
    """Whether base64 at the end of a message stops within a line."""
    return last.encoding == "base64" and last.body_end == len(data) and data[-1:] not in (b"\n", b"\r", b"=", b"")


def _names(info: PartInfo) -> tuple[str, ...]:
    return info.names or ("body" if info.content_type.startswith("text/") else "part",)


def open_mailbox(item: Item, work: Work) -> None:
    """Tell the messages of an mbox file. RFC 4155."""
    data, at, n = item.data, 0, 0
    while at < len(data):
        begin = data.find(b"\n", at) + 1 or len(data)
        end = data.find(b"\nFrom ", begin - 1) + 1 or len(data)
        n += 1
        work.child(item, data[begin:end], f"message {n}", content_type="message/rfc822", true_type="message/rfc822")
        at = end


def open_encoded(item: Item, work: Work) -> None:
    """Tell the files that stand in a text as uuencode or yEnc."""
    head = b"Content-Type: text/plain\r\n\r\n"
    whole = head + item.data
    mime, members = parse(whole), Members(item, work)
    ends: list[bool] = []
    for index, info in enumerate(mime.parts):
        if info.encoding in _ENCODED:
            members.file(mime.decode(index), *(info.names or ("content",)))
            ends.append(_ENDS[info.encoding] in whole[info.body_start : info.body_end + 16])
    if not ends or not all(ends):
        raise Damaged("no whole file stands in it")
