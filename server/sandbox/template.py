"""The template process: has every reader of formats in memory, and forks a worker whenever a client asks.

`python -m mxward.server.sandbox.template JSON` is started by pool.py and told by JSON which descriptors it holds
(Start). It lives as long as somebody could ask it: until its parent is gone, or all its clients are. It reads
nothing of any message; nothing but numbers comes to it.
"""

from __future__ import annotations

import gc
import os
import resource
import selectors
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from mxward.server.sandbox import restrict, wire, worker
from mxward.server.sandbox.restrict import Codes, Limits
from mxward.server.sandbox.warm import switch_ocr_on, warm

MAX_WORKERS: Final = 256  # of all clients; more is a fault of theirs
_MAX_FD: Final = resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Start(msgspec.Struct):
    """What a template is told at its start."""

    control: int  # descriptor: the first client
    parent: int  # pidfd of the process that it dies with
    uid: int  # -1: stay who we are
    gid: int
    limits: Limits
    ocr: str = ""  # languages of text in pictures


@dataclass(eq=False)
class _Client:
    sock: socket.socket
    workers: set[int] = field(default_factory=set)  # pids


@dataclass
class _Worker:
    client: _Client
    number: int  # as the client calls it
    pidfd: int


class Template:
    """The loop. One thread. Args: null: descriptor of /dev/null that cannot be written to."""

    def __init__(self, start: Start, codes: Codes, null: int) -> None:
        self._start, self._codes, self._null = start, codes, null
        self._devices = _random_devices()
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, _Worker] = {}
        self._clients: set[_Client] = set()
        self._selector.register(start.parent, selectors.EVENT_READ, self._on_orphaned)
        self._join(start.control)

    def run(self) -> None:
        """Until nobody is left to ask."""
        while self._clients:
            for key, _ in self._selector.select():
                key.data()

    def tell_all(self, what: int) -> None:
        """Tell the clients something that is of no worker."""
        for client in self._clients:
            _tell(client, wire.NEWS.pack(what, 0, 0, 0, 0))

    def _on_orphaned(self) -> None:
        os._exit(0)  # workers die with us

    def _join(self, fd: int) -> None:
        client = _Client(socket.socket(fileno=fd))
        client.sock.setblocking(False)
        self._clients.add(client)
        self._selector.register(client.sock, selectors.EVENT_READ, lambda: self._on_order(client))

    def _leave(self, client: _Client) -> None:
        self._selector.unregister(client.sock)
        self._clients.discard(client)
        client.sock.close()
        for pid in client.workers:
            os.kill(pid, restrict.SIGKILL)

    def _on_order(self, client: _Client) -> None:
        try:
            packet = wire.receive(client.sock, wire.ORDER.size, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            packet = wire.Packet(b"", ())
        if not packet.data:
            self._leave(client)
            return
        what, number = wire.ORDER.unpack(packet.data)
        if what == wire.JOIN and packet.fds:
            self._join(packet.fds[0])
        elif what == wire.FORK:
            self._fork(client, number)

    def _fork(self, client: _Client, number: int) -> None:
        if len(self._workers) >= MAX_WORKERS:
            _tell(client, wire.NEWS.pack(wire.NOT_FORKED, number, 0, 0, 0))
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        template = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # no memory, no processes left: passing faults of the machine
            _tell(client, wire.NEWS.pack(wire.NOT_FORKED, number, error.errno or 0, 0, 0))
            ours.close()
            theirs.close()
            return
        if pid == 0:
            worker.serve(self._only(theirs), self._start.limits, dict(self._codes), template)
        theirs.close()
        pidfd = os.pidfd_open(pid)
        self._workers[pid] = _Worker(client, number, pidfd)
        client.workers.add(pid)
        self._selector.register(pidfd, selectors.EVENT_READ, lambda: self._on_death(pid))
        if not _tell(client, wire.NEWS.pack(wire.FORKED, number, 0, 0, 0), (ours.fileno(), pidfd)):
            os.kill(pid, restrict.SIGKILL)
        ours.close()

    def _only(self, sock: socket.socket) -> socket.socket:
        """In a worker: close everything but /dev/null and its socket, which becomes descriptor 3."""
        fd = sock.detach()
        for target in (0, 1, 2):
            os.dup2(self._null, target, inheritable=False)
        os.dup2(fd, 3, inheritable=False)
        first = 4
        for kept in self._devices:
            os.closerange(first, kept)
            first = max(first, kept + 1)
        os.closerange(first, _MAX_FD)
        return socket.socket(fileno=3)

    def _on_death(self, pid: int) -> None:
        _, status, usage = os.wait4(pid, 0)
        gone = self._workers.pop(pid)
        self._selector.unregister(gone.pidfd)
        os.close(gone.pidfd)
        gone.client.workers.discard(pid)
        if gone.client in self._clients:
            cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
            _tell(gone.client, wire.NEWS.pack(wire.DIED, gone.number, status, 0, cpu_us))


def _random_devices() -> list[int]:
    """Descriptors of the random device that libraries opened (qpdf does): workers need them."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") == "/dev/urandom":
                found.append(int(name))
        except OSError:
            pass  # the listing's own
    return sorted(found)


def _tell(client: _Client, news: bytes, fds: tuple[int, ...] = ()) -> bool:
    """False when the client does not listen: it went away, or its socket is full."""
    try:
        wire.send(client.sock, news, fds, socket.MSG_DONTWAIT)
    except OSError:
        return False
    return True


def _enter_namespaces(codes: Codes) -> None:
    """Go on in a child that is in the new namespaces; the process that was started waits for its end."""
    restrict.leave_namespaces(codes)
    if codes["processes"] == restrict.ACTIVE and (pid := os.fork()):
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main(prepare: Callable[[], None] = warm) -> None:
    """Be a template. Args: prepare: loads what workers need."""
    start = msgspec.json.decode(sys.argv[1], type=Start)
    codes: Codes = {}
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    prepare()  # first: who has the right to read our files may be nobody in another user namespace
    has_ocr = switch_ocr_on(start.ocr)
    _enter_namespaces(codes)
    restrict.become(start.uid, start.gid, codes)
    restrict.drop_capabilities(codes)
    restrict.forbid_new_privileges(codes)
    restrict.prepare()
    restrict.prctl(restrict.PR_SET_PDEATHSIG, restrict.SIGKILL)  # with the launcher; a change of user forgets it
    gc.collect()
    gc.freeze()  # so that workers do not write to the pages they share
    template = Template(start, codes, null)
    if not has_ocr:
        template.tell_all(wire.NO_OCR)
    template.run()
    os._exit(0)  # libraries have things to say at an orderly end


if __name__ == "__main__":
    main()
