"""A template of the sandbox whose readers do harm on purpose: what a worker may do that content has taken over.

Started by tests only: `SandboxPool(Asked(..., module="mxtest.hostiletemplate"))`. The name of a reader is a true type,
what it is to do stands in the content.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from typing import Final

from mxtest import hostilecalls
from mxward.core.unpack import registry
from mxward.core.unpack.work import Item, Work
from mxward.server.sandbox import template, warm, wire


def _echo(item: Item, work: Work) -> None:
    work.fact(item, "pid", str(os.getpid()))
    work.child(item, item.data, *item.names, true_type="x/none")


def _calls(item: Item, work: Work) -> None:
    """Try the named calls; tell of each what came of it."""
    for name in item.data.decode().split():
        try:
            answer = hostilecalls.CALLS[name]()
        except OSError as error:
            work.fact(item, name, f"errno {error.errno}")
        except Exception as error:  # a thread that cannot be started, for one
            work.fact(item, name, type(error).__name__)
        else:
            work.fact(item, name, f"done: {answer!r}")


def _crash(item: Item, work: Work) -> None:
    work.child(item, b"before the crash", "a.txt")
    ctypes.string_at(0)


def _exit(item: Item, work: Work) -> None:
    os._exit(int(item.data))


def _spin(item: Item, work: Work) -> None:
    while True:
        pass


def _wait(item: Item, work: Work) -> None:
    work.child(item, b"before the wait", "a.txt")
    lock = ctypes.c_int(0)
    while True:  # a futex that nobody wakes
        ctypes.CDLL(None).syscall(202, ctypes.byref(lock), 0, 0, None, None, 0)


def _memory(item: Item, work: Work) -> None:
    held = []
    while True:
        held.append(bytearray(1 << 20))


def _die_of_memory(item: Item, work: Work) -> None:
    work._write = _raise_memory_error  # as when the loop itself finds none left


def _raise_memory_error(_: object) -> None:
    raise MemoryError


def _flood(item: Item, work: Work) -> None:
    """Go on writing, whatever Work would have counted."""
    block = bytes(1 << 20)
    while True:
        work._write(block)


def _say(item: Item, work: Work) -> None:
    """Answer with the content, and nothing else."""
    work._write(item.data)
    work._write = lambda _: None


def _nonsense(item: Item, work: Work) -> None:
    os.write(3, b"done!!")
    time.process_time()


def _stay(item: Item, work: Work) -> None:
    """Say that all is done, and go on."""
    work.end()
    os.write(3, wire.DONE.pack(wire.MAGIC))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


READERS: Final[dict[str, Callable[[Item, Work], None]]] = {
    "echo": _echo, "calls": _calls, "crash": _crash, "exit": _exit, "spin": _spin, "wait": _wait, "memory": _memory,
    "die_of_memory": _die_of_memory, "flood": _flood, "say": _say, "nonsense": _nonsense, "stay": _stay,
}  # fmt: skip


def prepare() -> None:
    warm.warm()
    hostilecalls.prepare()
    for name, reader in READERS.items():
        registry._by_type()[f"test/{name}"] = (reader,)


if __name__ == "__main__":
    template.main(prepare)
