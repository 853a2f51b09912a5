"""The seccomp filter of a worker: a short list of system calls on what it holds, EPERM or death for all others.

Source: seccomp(2), Documentation/userspace-api/seccomp_filter.rst of Linux; classic BPF by McCanne and Jacobson, 1993.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from typing import Final

from mxward.server.sandbox.syscalls import ALLOWED, DEADLY, MACHINES, Machine

KILL: Final = 0x80000000  # SECCOMP_RET_KILL_PROCESS: SIGSYS, which the kernel logs
ALLOW: Final = 0x7FFF0000
_ERROR: Final = 0x00050000
REFUSE: Final = _ERROR | errno.EPERM
ABSENT: Final = _ERROR | errno.ENOSYS

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH = 0, 4  # offsets in struct seccomp_data
_X32: Final = 0x40000000  # bit of system calls of the x32 ABI, whose numbers the list does not know
_PROT_EXEC: Final = 4
_CLONE_THREAD: Final = 0x10000
_PROT_ARGUMENT: Final = 2  # of mmap and mprotect

Code = tuple[int, int, int, int]  # operation, jump when true, jump when false, operand


def program(machine: str) -> bytes:
    """The filter for a machine as `uname -m` calls it, as struct sock_filter[].

    Raises: KeyError for a machine it is not written for.
    """
    return b"".join(struct.pack("=HBBI", *code) for code in _codes(MACHINES[machine]))


def _codes(machine: Machine) -> Iterator[Code]:
    numbers = machine.numbers
    yield _LOAD, 0, 0, _ARCH
    yield _JUMP_EQUAL, 1, 0, machine.audit
    yield _RETURN, 0, 0, KILL
    yield _LOAD, 0, 0, _NUMBER
    yield _JUMP_AT_LEAST, 0, 1, _X32
    yield _RETURN, 0, 0, KILL
    for name in ALLOWED:
        yield from _when(numbers[name], (_RETURN, 0, 0, ALLOW))
    for name in ("mmap", "mprotect"):  # memory, but none to put code in
        yield from _when(numbers[name], *_unless(_PROT_ARGUMENT, _PROT_EXEC, ALLOW, REFUSE))
    # a library that asks for a thread does without; the C library tries clone when there is no clone3
    yield from _when(numbers["clone3"], (_RETURN, 0, 0, ABSENT))
    yield from _when(numbers["clone"], *_unless(0, _CLONE_THREAD, KILL, REFUSE))
    yield from _when(numbers["prlimit64"], *_only_read_own_limits())
    for name in DEADLY:
        if name in numbers:
            yield from _when(numbers[name], (_RETURN, 0, 0, KILL))
    yield _RETURN, 0, 0, REFUSE


def _when(number: int, *block: Code) -> Iterator[Code]:
    """Run `block`, which ends in a return on each way, for one system call."""
    yield _JUMP_EQUAL, 0, len(block), number
    yield from block


def _low(argument: int) -> int:
    """Where the low half of an argument stands; both machines are little-endian."""
    return 16 + 8 * argument


def _unless(argument: int, bit: int, without: int, with_bit: int) -> tuple[Code, ...]:
    return (
        (_LOAD, 0, 0, _low(argument)), (_JUMP_SET, 1, 0, bit), (_RETURN, 0, 0, without), (_RETURN, 0, 0, with_bit),
    )  # fmt: skip


def _only_read_own_limits() -> tuple[Code, ...]:
    """prlimit64(0, any, NULL, any): what getrlimit is made of."""
    return (
        (_LOAD, 0, 0, _low(0)), (_JUMP_EQUAL, 0, 5, 0),
        (_LOAD, 0, 0, _low(2)), (_JUMP_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, _low(2) + 4), (_JUMP_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, ALLOW), (_RETURN, 0, 0, REFUSE),
    )  # fmt: skip
