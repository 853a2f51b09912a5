"""clamd by its INSTREAM command (clamd(8)), over a unix socket or TCP."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from typing import Final

from mxward.core.detect.engine import Said
from mxward.core.errors import EngineTimeout, EngineUnavailable
from mxward.server.engines.address import Servers, connect, none_answered, until

_CHUNK: Final = 1 << 18
_LENGTH: Final = struct.Struct(">I")
MAX_ANSWER: Final = 4096  # bytes; a name and a few words


class Clamd:
    """One or several clamd servers of the same signatures. Thread-safe: a connection serves one content."""

    def __init__(self, name: str, servers: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._servers, self._monotonic = Servers(servers, monotonic), monotonic

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]:
        """What clamd says. Raises: EngineTimeout, EngineUnavailable."""
        end, faults = self._monotonic() + seconds, list[str]()
        for address in self._servers.in_turn():
            try:
                answer = self._ask(address, b"zINSTREAM\0", data, end)
                said = _read(answer)
            except TimeoutError:
                self._servers.note(address, works=False)
                raise EngineTimeout(f"{self.name} did not answer in time") from None
            except (OSError, EngineUnavailable) as error:
                self._servers.note(address, works=False)
                faults.append(f"{address}: {error}")
                continue
            self._servers.note(address, works=True)
            return said
        raise none_answered(self.name, faults)

    def health(self, seconds: float) -> dict[str, str]:
        """Server -> "" when it answers PING, else what is wrong."""
        found: dict[str, str] = {}
        for address in self._servers.in_turn():
            try:
                answer = self._ask(address, b"zPING\0", None, self._monotonic() + seconds)
                found[address] = "" if answer == b"PONG" else "gives an answer that is none of clamd's"
            except (OSError, EngineUnavailable) as error:
                found[address] = str(error) or type(error).__name__
        return found

    def _ask(self, address: str, command: bytes, data: bytes | memoryview | None, end: float) -> bytes:
        """The answer up to its NUL. Raises: OSError (TimeoutError: too late), EngineUnavailable when it is cut."""
        with connect(address, max(0.001, end - self._monotonic())) as sock:
            until(sock, end, self._monotonic)
            sock.sendall(command)
            if data is not None:
                view = memoryview(data)
                try:
                    for at in range(0, len(view), _CHUNK):
                        chunk = view[at : at + _CHUNK]
                        until(sock, end, self._monotonic)
                        sock.sendall(_LENGTH.pack(len(chunk)) + chunk)
                    sock.sendall(_LENGTH.pack(0))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it has heard enough: over its StreamMaxLength it answers and hangs up
            answer = bytearray()
            while not answer.endswith(b"\0") and len(answer) < MAX_ANSWER:
                until(sock, end, self._monotonic)
                more = sock.recv(MAX_ANSWER)
                if not more:
                    break
                answer += more
            if answer and not answer.endswith(b"\0"):
                raise EngineUnavailable("hung up within its answer")  # the rest may have named something
            return bytes(answer.rstrip(b"\0\n"))


def _read(answer: bytes) -> list[Said]:
    """Raises: EngineUnavailable for what is no answer to INSTREAM."""
    text = answer.decode("utf-8", "replace")
    if text == "stream: OK":
        return []
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        return [Said(text[8:-6])]
    if text.startswith("INSTREAM size limit exceeded"):
        return [Said("more than its StreamMaxLength", is_refusal=True)]
    words = "".join(c if c.isprintable() else "?" for c in text[:80])
    raise EngineUnavailable(f"says {words!r}" if text else "hung up without an answer")
