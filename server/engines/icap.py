"""ICAP (RFC 3507): a content is sent by RESPMOD or REQMOD; what the service names, or changes, is its verdict."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mxward.core.detect.engine import Said
from mxward.core.errors import EngineTimeout
from mxward.server.engines.address import Servers, connect, none_answered, until

MAX_HEAD: Final = 65_536  # bytes of an answer's header
_CHUNK: Final = 1 << 16
_EXTRA: Final = 1 << 20  # bytes by which a changed content may be longer than ours


class Icap:
    """One service on one or several servers. Thread-safe: a connection serves one content."""

    def __init__(
        self, name: str, servers: Sequence[str], service: str, method: str = "RESPMOD",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.name, self._service, self._method = name, service.lstrip("/"), method
        self._servers, self._monotonic = Servers(servers, monotonic), monotonic

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]:
        """What the service says. Raises: EngineTimeout, EngineUnavailable."""
        end, faults = self._monotonic() + seconds, list[str]()
        for address in self._servers.in_turn():
            try:
                said = self._ask(address, bytes(data), end)
            except TimeoutError:
                self._servers.note(address, works=False)
                raise EngineTimeout(f"{self.name} did not answer in time") from None
            except (OSError, ValueError) as error:
                self._servers.note(address, works=False)
                faults.append(f"{address}: {error}")
                continue
            self._servers.note(address, works=True)
            return said
        raise none_answered(self.name, faults)

    def health(self, seconds: float) -> dict[str, str]:
        """Server -> "" when its OPTIONS allow the method, else what is wrong."""
        found: dict[str, str] = {}
        for address in self._servers.in_turn():
            end = self._monotonic() + seconds
            try:
                with connect(address, seconds) as sock:
                    sock.sendall(self._head("OPTIONS", address, "Encapsulated: null-body=0\r\n"))
                    stream = _Stream(sock, end, self._monotonic)
                    status, fields = stream.head()
            except (OSError, ValueError) as error:
                found[address] = str(error) or type(error).__name__
                continue
            allowed = fields.get("methods", "")
            is_good = status == 200 and self._method in allowed
            found[address] = "" if is_good else f"answers {status}, methods {allowed or 'none'}"
        return found

    def _head(self, method: str, address: str, more: str) -> bytes:
        host = "localhost" if address.startswith("unix:") else address
        return (f"{method} icap://{host}/{self._service} ICAP/1.0\r\nHost: {host}\r\n{more}\r\n").encode("ascii")

    def _ask(self, address: str, data: bytes, end: float) -> list[Said]:
        request = b"GET http://mail.invalid/part HTTP/1.1\r\nHost: mail.invalid\r\n\r\n"
        length = b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(data)
        if self._method == "REQMOD":
            http = b"POST http://mail.invalid/part HTTP/1.1\r\nHost: mail.invalid\r\n" + length
            layout = f"req-hdr=0, req-body={len(http)}"
        else:
            http = request + b"HTTP/1.1 200 OK\r\n" + length
            layout = f"req-hdr=0, res-hdr={len(request)}, res-body={len(http)}"
        head = self._head(self._method, address, f"Allow: 204\r\nEncapsulated: {layout}\r\n")
        with connect(address, max(0.001, end - self._monotonic())) as sock:
            stream = _Stream(sock, end, self._monotonic)
            stream.send(head + http)
            for piece in _chunked(data):
                if not stream.send(piece):
                    break  # it may have answered already
            return _judge(stream, data)


def _chunked(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _CHUNK):
        chunk = data[at : at + _CHUNK]
        yield b"%x\r\n" % len(chunk) + chunk + b"\r\n"
    yield b"0\r\n\r\n"


class _Stream:
    """Sends a question and reads its answer within a deadline. What is malformed raises ValueError."""

    def __init__(self, sock: socket.socket, end: float, monotonic: Callable[[], float]) -> None:
        self._sock, self._end, self._monotonic, self._kept = sock, end, monotonic, bytearray()

    def _more(self) -> None:
        until(self._sock, self._end, self._monotonic)
        got = self._sock.recv(_CHUNK)
        if not got:
            raise ValueError("hung up within its answer")
        self._kept += got

    def send(self, data: bytes) -> bool:
        """Send all of it, keeping what comes meanwhile: a service may answer while it is being told, and would not read
        on if nobody took its answer. False: it hung up.
        """
        view, poll = memoryview(data), select.poll()
        poll.register(self._sock, select.POLLIN | select.POLLOUT)
        while view:
            until(self._sock, self._end, self._monotonic)
            events = poll.poll(1000 * max(0.001, self._end - self._monotonic()))
            if not events:
                raise TimeoutError("it does not read what it is sent")
            try:
                if events[0][1] & select.POLLIN:
                    got = self._sock.recv(_CHUNK)
                    self._kept += got
                    if not got:
                        return False
                if events[0][1] & select.POLLOUT:
                    view = view[self._sock.send(view) :]
                elif not events[0][1] & select.POLLIN:
                    return False
            except (BrokenPipeError, ConnectionResetError):
                return False
        return True

    def _up_to(self, mark: bytes, most: int) -> bytes:
        while (at := self._kept.find(mark)) < 0:
            if len(self._kept) > most:
                raise ValueError("an answer too long")
            self._more()
        taken = bytes(self._kept[:at])
        del self._kept[: at + len(mark)]
        return taken

    def head(self) -> tuple[int, dict[str, str]]:
        """Status, and fields by lower-case name."""
        lines = self._up_to(b"\r\n\r\n", MAX_HEAD).decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not words[0].startswith("ICAP/") or not words[1].isdigit():
            raise ValueError("an answer that is none of ICAP")
        fields: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if line.startswith((" ", "\t")) and fields:  # folded, as X-Violations-Found is
                last = next(reversed(fields))
                fields[last] += "\n" + line.strip()
            elif colon:
                fields[name.strip().lower()] = value.strip()
        return int(words[1]), fields

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        while len(self._kept) < n:
            self._more()
        taken = bytes(self._kept[:n])
        del self._kept[:n]
        return taken

    def chunks(self, most: int) -> bytes:
        """A body in chunks, at most `most` bytes of it."""
        out = bytearray()
        while True:
            size = int(self._up_to(b"\r\n", 1024).split(b";")[0].strip(), 16)
            if size < 0 or len(out) + size > most:
                raise ValueError("a content longer than any of ours")
            if size == 0:
                return bytes(out)
            out += self.take(size)
            if self.take(2) != b"\r\n":
                raise ValueError("a chunk without its end")


def _judge(stream: _Stream, data: bytes) -> list[Said]:
    """Raises: ValueError, OSError, EngineUnavailable."""
    status, fields = stream.head()
    named = _names(fields)
    if status == 204:
        return [Said(name) for name in named]
    if status == 413:
        return [Said("more than it takes", is_refusal=True)]
    if status not in (200, 201):
        if named:
            return [Said(name) for name in named]
        raise ValueError(f"answers {status}")
    if named:
        return [Said(name) for name in named]
    return _of_changed(stream, fields, data)


def _of_changed(stream: _Stream, fields: dict[str, str], data: bytes) -> list[Said]:
    """A 200 that names nothing: the same content is a clean one, anything else in its place means it was blocked."""
    layout = dict(piece.strip().partition("=")[::2] for piece in fields.get("encapsulated", "").split(","))
    body = next((name for name in ("res-body", "req-body", "null-body", "opt-body") if name in layout), "")
    if not body or not layout[body].isdigit() or int(layout[body]) > MAX_HEAD:
        raise ValueError("an answer without its layout")
    head = stream.take(int(layout[body])).decode("latin-1")
    status = head.split("\r\n")[0].split(" ")[1:2] if head.startswith("HTTP/") else ["200"]
    if body == "null-body":
        return [Said("blocked")]
    content = stream.chunks(len(data) + _EXTRA)
    return [] if content == data and status == ["200"] else [Said("blocked")]


def _names(fields: dict[str, str]) -> list[str]:
    """Threats by the fields that services use: X-Infection-Found, X-Violations-Found, X-Virus-ID, X-Virus-Name."""
    found = [fields[name] for name in ("x-virus-id", "x-virus-name") if fields.get(name)]
    for piece in fields.get("x-infection-found", "").split(";"):
        key, _, value = piece.partition("=")
        if key.strip().lower() == "threat" and value.strip():
            found.append(value.strip())
    violations = [line.strip() for line in fields.get("x-violations-found", "").split("\n")]
    if violations[0].isdigit() and int(violations[0]) > 0:  # a count, then file, threat, id, resolution of each
        found += violations[2::4][: int(violations[0])] or ["violation"]
    return list(dict.fromkeys(name for name in found if name and name.lower() not in ("no threats", "none")))
