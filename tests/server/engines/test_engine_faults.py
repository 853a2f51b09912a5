"""Scanners that answer nonsense, late, half or not at all: a clear error within the time, never silence."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.detect.engine import Said
from mxward.core.errors import EngineError, EngineTimeout, EngineUnavailable
from mxward.server.engines.clamd import Clamd
from mxward.server.engines.icap import Icap

OPTIONS = b"ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nEncapsulated: null-body=0\r\n\r\n"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


@contextmanager
def peer(answer: bytes, *, wait: float = 0.0, drains: bool = True) -> Iterator[str]:
    """A server that reads what comes, then says `answer` and hangs up; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            with sock:
                sock.settimeout(0.2)
                if drains:
                    try:
                        while sock.recv(1 << 16):
                            pass
                    except OSError:
                        pass
                stop.wait(wait)
                try:
                    sock.sendall(answer)
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


def ask(make: Callable[[str], Clamd | Icap], answer: bytes, **more: float) -> list[Said]:
    with peer(answer, **more) as address:  # type: ignore[arg-type] # wait is the only one
        return make(address).scan(b"hello", 2.0)


def clamd(address: str) -> Clamd:
    return Clamd("clamd", [address])


def icap(address: str) -> Icap:
    return Icap("icap", [address], "avscan")


def chunked(body: bytes) -> bytes:
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0",
        b"nonsense\0",
        b"stream: \0",
        b"FOUND\0",
        b"stream: OK",
        b"stream: OK.Virus FO",
        b"UNKNOWN COMMAND\0",
        b"\xff" * 9000,
    ],
)
def test_what_is_no_answer_of_clamd_is_an_error(answer: bytes) -> None:
    with pytest.raises(EngineUnavailable):
        ask(clamd, answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"ICAP/1.0\r\n\r\n", b"ICAP/1.0 x OK\r\n\r\n",
        b"ICAP/1.0 200 OK\r\n\r\n", b"ICAP/1.0 500 Error\r\n\r\n", b"ICAP/1.0 404 Not found\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=99999999\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(HTTP) + HTTP + b"zz\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(HTTP) + HTTP + b"fffffff\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(HTTP) + HTTP + b"5\r\nhelloXX",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(HTTP) + HTTP + b"-5\r\n",
        b"ICAP/1.0 200 " + b"x" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_answer_of_icap_is_an_error(answer: bytes) -> None:
    with pytest.raises(EngineUnavailable):
        ask(icap, answer)


def test_icap_answers_are_understood() -> None:
    body = b"ICAP/1.0 200 OK\r\n%sEncapsulated: res-hdr=0, res-body=%d\r\n\r\n"
    assert ask(icap, b"ICAP/1.0 204 No content\r\n\r\n") == []
    assert ask(icap, body % (b"", len(HTTP)) + HTTP + chunked(b"hello")) == []
    assert ask(icap, body % (b"", len(HTTP)) + HTTP + chunked(b"blocked!")) == [Said("blocked")]
    blocked = HTTP.replace(b"200 OK", b"403 No")
    assert ask(icap, body % (b"", len(blocked)) + blocked + chunked(b"hello")) == [Said("blocked")]
    threat = b"X-Infection-Found: Type=0; Resolution=2; Threat=W32.Bad;\r\n"
    assert ask(icap, body % (threat, len(HTTP)) + HTTP + chunked(b"")) == [Said("W32.Bad")]
    assert ask(icap, b"ICAP/1.0 403 Forbidden\r\nX-Virus-ID: Eicar\r\n\r\n") == [Said("Eicar")]
    folded = b"X-Violations-Found: 1\r\n\tfile.exe\r\n\tW97M.Mac\r\n\t17\r\n\t2\r\n"
    assert ask(icap, body % (folded, len(HTTP)) + HTTP + chunked(b"")) == [Said("W97M.Mac")]
    assert ask(icap, b"ICAP/1.0 413 Too large\r\n\r\n")[0].is_refusal


def echo_while_it_reads(listener: socket.socket) -> None:
    """An ICAP service that knows no 204 and sends back each byte of the body as it comes, reading on only then."""
    sock, _ = listener.accept()
    with sock:
        head = b""
        while head.count(b"\r\n\r\n") < 3:  # of ICAP, of the HTTP request, of the HTTP answer
            head += sock.recv(1 << 16)
        body = head.split(b"\r\n\r\n", 3)[3]
        sock.sendall(b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(HTTP) + HTTP + body)
        seen = body
        while not seen.endswith(b"\r\n0\r\n\r\n") and (more := sock.recv(1 << 16)):
            seen = seen[-16:] + more
            sock.sendall(more)


def test_icap_takes_an_answer_that_comes_while_it_still_sends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=echo_while_it_reads, args=(listener,))
        thread.start()
        assert icap(f"127.0.0.1:{listener.getsockname()[1]}").scan(bytes(range(256)) * 100_000, 20.0) == []
        thread.join()


@pytest.mark.parametrize("make", [clamd, icap])
def test_a_scanner_that_says_nothing_costs_no_more_than_its_time(make: Callable[[str], Clamd | Icap]) -> None:
    with peer(b"stream: OK\0", wait=20) as address:
        started = time.monotonic()
        with pytest.raises(EngineTimeout):
            make(address).scan(b"hello", 0.7)
        assert time.monotonic() - started < 3


def test_a_scanner_that_reads_nothing_costs_no_more_than_its_time() -> None:
    with peer(b"", wait=20, drains=False) as address:
        started = time.monotonic()
        with pytest.raises(EngineTimeout):
            clamd(address).scan(bytes(50_000_000), 0.7)
        assert time.monotonic() - started < 3


@given(st.binary(max_size=200))
def test_icap_takes_any_bytes_for_what_they_are(noise: bytes) -> None:
    from mxward.server.engines.icap import _judge, _Stream

    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=4\r\n\r\n" + noise)
        left.shutdown(socket.SHUT_WR)
        try:
            _judge(_Stream(right, time.monotonic() + 5, time.monotonic), b"hello")
        except (ValueError, OSError, EngineError):
            pass
