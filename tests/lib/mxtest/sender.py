"""A small SMTP client over a bare socket that keeps its own account of what was answered.

`Client` is one connection; `Load` is many threads that send until told to stop and remember, for each (test id,
recipient) pair, whether the server took responsibility (`acked`), refused (`refused`) or left it open (`unknown`: the
connection died between the final dot and its reply). Nothing of the product is used.
"""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: code, and the text of all its lines."""

    code: int
    text: str

    @property
    def is_ok(self) -> bool:
        return 200 <= self.code < 400


@dataclass(slots=True)
class Result:
    """What one transaction was answered: MAIL, each RCPT, and the message (None: never reached or no reply)."""

    mail: Answer
    rcpts: dict[str, Answer] = field(default_factory=dict)
    data: Answer | None = None
    final: Answer | None = None

    @property
    def refusal(self) -> Answer | None:
        """The first refusal of the transaction; what was pipelined behind it says only that the order is wrong."""
        answers = (self.mail, *(a for a in self.rcpts.values() if not self.data or self.data.code != 354), self.data)
        return next((a for a in (*answers, self.final) if a is not None and not a.is_ok), None)

    @property
    def accepted(self) -> list[str]:
        """Recipients that the server now answers for."""
        if self.final is None or not self.final.is_ok:
            return []
        return [rcpt for rcpt, answer in self.rcpts.items() if answer.is_ok]


class Closed(ConnectionError):
    """The peer went away; `after_dot` says whether the whole message had been sent."""

    def __init__(self, reason: str, *, after_dot: bool = False) -> None:
        self.after_dot = after_dot
        super().__init__(reason)


def stuff(message: bytes) -> bytes:
    """The message as DATA carries it: dots doubled at line starts, final CRLF.CRLF (RFC 5321 4.5.2)."""
    text = message.replace(b"\r\n.", b"\r\n..")
    text = b"." + text if text.startswith(b".") else text
    return text + (b".\r\n" if text.endswith(b"\r\n") or not text else b"\r\n.\r\n")


class Client:
    """One SMTP connection. Raises Closed when the peer goes away."""

    def __init__(self, port: int, *, timeout: float = 60.0, helo: str = "client.sender.example") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        try:
            self.banner = self.read()
            self.ehlo = self.ask(f"EHLO {helo}") if self.banner.is_ok else self.banner
        except BaseException:
            self._socket.close()
            raise

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from error

    def read(self) -> Answer:
        """The next reply, all its lines."""
        lines = []
        while True:
            while b"\r\n" not in self._buffer:
                try:
                    block = self._socket.recv(65536)
                except OSError as error:
                    raise Closed(str(error)) from error
                if not block:
                    raise Closed("the server closed the connection")
                self._buffer += block
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            lines.append(line.decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return Answer(int(line[:3]), "\n".join(text[4:] for text in lines))

    def ask(self, command: str) -> Answer:
        self.send(command.encode() + b"\r\n")
        return self.read()

    def transact(
        self, sender: str, rcpts: Sequence[str], message: bytes, *, parameters: str = "", stuffed: bytes | None = None
    ) -> Result:
        """One pipelined transaction. `stuffed` sends those bytes after 354 instead of the correct form."""
        commands = [f"MAIL FROM:<{sender}>{' ' + parameters if parameters else ''}"]
        commands += [f"RCPT TO:<{rcpt}>" for rcpt in rcpts]
        self.send("".join(c + "\r\n" for c in (*commands, "DATA")).encode())
        result = Result(self.read())
        for rcpt in rcpts:
            result.rcpts[rcpt] = self.read()
        result.data = self.read()
        if result.data.code != 354:
            return result
        try:
            self.send(stuff(message) if stuffed is None else stuffed)
            sent = True
        except Closed:
            sent = False  # a server may refuse early; its reply may still be there to read
        try:
            result.final = self.read()
        except Closed as error:
            raise Closed(str(error), after_dot=sent) from error
        return result

    def close(self, *, quit_first: bool = True) -> None:
        if quit_first:
            try:
                self.ask("QUIT")
            except (ConnectionError, OSError, ValueError):
                pass
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make_message(identity: str, size: int = 4096, *, subject: str = "load") -> bytes:
    """A plain message of about `size` bytes that carries a test id."""
    head = (
        f"From: Load Sender <load@sender.example>\r\nTo: u@trust.example\r\nSubject: {subject} {identity}\r\n"
        f"Date: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{identity}@sender.example>\r\n"
        f"X-Mxtest-Id: {identity}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    ).encode()
    line = b"The quick brown fox jumps over the lazy dog while the clinic list is read out.\r\n"
    return head + line * max(1, (size - len(head)) // len(line))


class Load:
    """Threads that send until stopped, reconnecting whenever the server goes away; a context manager.

    pause: seconds between two messages of a thread, so that a small box can keep up.
    """

    def __init__(
        self, port: int, *, threads: int = 4, size: int = 4096, rcpts: Sequence[str] = ("u@trust.example",),
        pause: float = 0.0, name: str = "load", message: Callable[[str, int], bytes] = make_message,
        per_connection: int = 20,
    ) -> None:  # fmt: skip
        self.port, self.size, self.rcpts, self.pause, self.name = port, size, tuple(rcpts), pause, name
        self.message, self.per_connection = message, per_connection
        self.acked: set[tuple[str, str]] = set()
        self.unknown: set[tuple[str, str]] = set()
        self.refused: dict[tuple[str, str], Answer] = {}
        self.n_broken = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(threads)]

    def _work(self) -> None:
        dice = random.Random(threading.get_ident())
        while not self._stop.is_set():
            try:
                with Client(self.port, timeout=30) as client:
                    for _ in range(self.per_connection):
                        if self._stop.is_set() or not self._one(client):
                            break
            except (OSError, ValueError):
                with self._lock:
                    self.n_broken += 1
                self._stop.wait(0.02 + 0.05 * dice.random())

    def _one(self, client: Client) -> bool:
        """Send one message and write down what was answered; False when the connection is of no more use."""
        identity = f"{self.name}-{next(self._numbers)}"
        pairs = {rcpt: (identity, rcpt) for rcpt in self.rcpts}
        try:
            result = client.transact("load@sender.example", self.rcpts, self.message(identity, self.size))
        except Closed as error:
            if error.after_dot:
                with self._lock:
                    self.unknown.update(pairs.values())
            raise
        with self._lock:
            for rcpt, pair in pairs.items():
                if rcpt in result.accepted:
                    self.acked.add(pair)
                else:
                    self.refused[pair] = result.refusal or result.rcpts[rcpt]
        if self.pause:
            self._stop.wait(self.pause)
        return result.final is not None and result.final.code != 421

    @property
    def n_acked(self) -> int:
        return len(self.acked)

    def start(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def stop(self, timeout: float = 60.0) -> None:
        self._stop.set()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        alive = [thread.name for thread in self._threads if thread.is_alive()]
        if alive:
            raise TimeoutError(f"senders hang: {alive}")

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
