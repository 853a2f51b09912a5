"""Messages for tests of the core: built by hand, byte by byte."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence

from mxward.core.extract.container import list_containers
from mxward.core.extract.parts import extract
from mxward.core.message import INBOUND, Envelope, Message, Recipient
from mxward.core.policy.score import judge
from mxward.core.verdict import Hit, NotInspected
from mxward.pyx.mime import parse

HEAD = (
    "From: A Person <person@partner.example>\r\nTo: staff@trust.example\r\nSubject: {subject}\r\n"
    "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@partner.example>\r\nMIME-Version: 1.0\r\n"
)


def envelope(
    *recipients: str, sender: str = "person@partner.example", direction: str = INBOUND, client_ip: str = "192.0.2.1"
) -> Envelope:
    """An envelope for staff@trust.example unless told otherwise."""
    rcpts = tuple(Recipient(address) for address in (recipients or ("staff@trust.example",)))
    return Envelope(sender, rcpts, direction=direction, client_ip=client_ip)


def plain(text: str = "Hello.\r\n", subject: str = "Hello", extra: str = "") -> bytes:
    """A well-formed text message; `extra` holds more header fields, each with its CRLF."""
    return (HEAD.format(subject=subject) + extra + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text).encode()


def html(source: str, subject: str = "Hello") -> bytes:
    """A well-formed HTML message."""
    return (HEAD.format(subject=subject) + "Content-Type: text/html; charset=utf-8\r\n\r\n" + source).encode()


def with_attachment(name: str, content: bytes, content_type: str = "application/octet-stream") -> bytes:
    """A text and one base64 attachment."""
    boundary = "=_boundary"
    head = HEAD.format(subject="With a file") + f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    text = f"--{boundary}\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
    part = (
        f'--{boundary}\r\nContent-Type: {content_type}\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    body = encodebytes(content).replace(b"\n", b"\r\n")
    return (head + text + part).encode() + body + f"--{boundary}--\r\n".encode()


def extracted(raw: bytes, to: Envelope | None = None) -> Message:
    """A message that has been parsed and extracted, as detectors get it."""
    message = Message(raw, to or envelope())
    message.mime = parse(raw)
    extract(message)
    list_containers(message)
    return message


def judged(
    raw: bytes, hits: Sequence[Hit], to: Envelope | None = None, not_inspected: Sequence[NotInspected] = ()
) -> Message:
    """A message with a verdict from given hits, as `decide` gets it."""
    message = extracted(raw, to)
    message.hits = list(hits)
    message.not_inspected = list(not_inspected)
    message.verdict = judge(message.hits, message.not_inspected)
    return message
