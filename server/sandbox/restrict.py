"""Everything that a process of the sandbox gives up, one function a restriction, by ctypes: each active or named.

A restriction that a kernel, a container or systemd does not let us have is no error here: its errno is reported, and
`mxward status` shows it. seccomp's list is in seccomp.py. Nothing here can be undone by the process it was done to.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from mxward.server.sandbox import seccomp

# The order is the order of the bytes in a worker's HELLO. Texts are for people: what a worker has, or lacks.
RESTRICTIONS: Final[dict[str, str]] = {
    "user": "runs as an unprivileged user",
    "capabilities": "holds no capability",
    "no_new_privs": "cannot gain privileges",
    "undumpable": "its memory is closed to others of its user",
    "network": "has no network (namespace)",
    "ipc": "shares no System V objects (namespace)",
    "processes": "sees no other processes (namespace)",
    "landlock_files": "cannot open a path (Landlock)",
    "landlock_tcp": "cannot bind or connect TCP (Landlock)",
    "landlock_signals": "cannot signal or reach processes outside (Landlock)",
    "seccomp": "may make a few system calls only (seccomp)",
    "memory": "has a limit of memory",
    "cpu": "has a limit of processor time",
    "files": "has limits of descriptors and of what it writes",
    "fork": "cannot start a process or a thread",
    "lifetime": "dies with its template process",
}
ACTIVE: Final = 0

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 1, 4, 22, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, _SECCOMP_MODE_FILTER = 38, 47, 4, 2
_CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
_NAMESPACES: Final = {"network": _CLONE_NEWNET, "ipc": _CLONE_NEWIPC, "processes": _CLONE_NEWPID}
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # the same on every machine
_CAPABILITY_VERSION_3: Final = 0x20080522
SIGKILL: Final = 9
_MAX_FDS: Final = 8  # three of /dev/null, the socket, input and output, two to spare

Codes = dict[str, int]  # restriction -> ACTIVE, or errno


class Limits(NamedTuple):
    """What a worker may use: bytes of memory beyond the template's, bytes of one answer, seconds of processor."""

    memory: int
    output: int
    cpu_s: int


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _attempt(codes: Codes, name: str, action: Callable[[], None]) -> None:
    try:
        action()
    except OSError as error:
        codes[name] = error.errno or errno.EIO
    except (
        KeyError,
        OverflowError,
        ValueError,
    ):  # a machine there is no list for; a limit that the kernel's types cannot hold
        codes[name] = errno.ENOSYS
    else:
        codes[name] = ACTIVE


def prctl(option: int, *arguments: int) -> None:
    """prctl(2). Raises: OSError."""
    _check(_LIBC.prctl(option, *(ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4])))


# -- the template: once


def leave_namespaces(codes: Codes) -> None:
    """New network, IPC and (for children from now on) process namespaces; without root by a user namespace."""
    if os.geteuid() != 0:
        try:
            _check(_LIBC.unshare(_CLONE_NEWUSER))
        except OSError as error:
            codes.update(dict.fromkeys(_NAMESPACES, error.errno or errno.EIO))
            return
    for name, flag in _NAMESPACES.items():
        _attempt(codes, name, lambda flag=flag: _check(_LIBC.unshare(flag)))  # type: ignore[misc]  # bound now


def become(uid: int, gid: int, codes: Codes) -> None:
    """Become an unprivileged user for good. Args: uid: -1: stay who we are, which is fine unless that is root."""

    def drop() -> None:
        if uid > 0:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
        if 0 in os.getresuid():
            raise PermissionError(errno.EPERM, "still root")

    _attempt(codes, "user", drop)


def drop_capabilities(codes: Codes) -> None:
    """No capability in any set, a user namespace's included."""

    def drop() -> None:
        last = 0
        while _LIBC.prctl(_PR_CAPBSET_DROP, last, 0, 0, 0) == 0:  # allowed to root only; without any is fine
            last += 1
        prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
        _check(_LIBC.capset(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)))

    _attempt(codes, "capabilities", drop)


def forbid_new_privileges(codes: Codes) -> None:
    """No program that is started could gain anything; Landlock and seccomp ask for it."""
    _attempt(codes, "no_new_privs", lambda: prctl(_PR_SET_NO_NEW_PRIVS, 1))


# -- the worker: each


def confine_worker(limits: Limits, codes: Codes, template: int) -> bytes:
    """Give up all that a worker does not need; returns the bytes of its HELLO. Args: template: pid of its parent."""
    _attempt(codes, "lifetime", lambda: _die_with(template))
    _attempt(codes, "undumpable", lambda: prctl(_PR_SET_DUMPABLE, 0))
    _attempt(codes, "memory", lambda: _limit_memory(address_space() + limits.memory))
    _attempt(codes, "cpu", lambda: _limit(resource.RLIMIT_CPU, limits.cpu_s))
    _attempt(codes, "files", lambda: _limit_files(limits.output))
    _attempt(codes, "fork", lambda: _limit(resource.RLIMIT_NPROC, 0))
    _landlock(codes)
    _attempt(codes, "seccomp", _filter)  # the last: it forbids all of the above
    return hello(codes)


def hello(codes: Codes) -> bytes:
    """Codes as bytes in the order of RESTRICTIONS; what nobody tried counts as missing."""
    return bytes(min(codes.get(name, errno.ENOSYS), 255) for name in RESTRICTIONS)


def _die_with(parent: int) -> None:
    prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, value))


def _limit_memory(size: int) -> None:
    _limit(resource.RLIMIT_AS, size)
    _limit(resource.RLIMIT_DATA, size)  # adds nothing, but py7zr looks for it before it asks the system by a file


def _limit_files(output: int) -> None:
    _limit(resource.RLIMIT_FSIZE, output)
    _limit(resource.RLIMIT_NOFILE, _MAX_FDS)
    _limit(resource.RLIMIT_CORE, 0)


_PROGRAM: list[bytes] = []


def prepare() -> None:
    """Make once, in the template, what every worker needs."""
    try:
        _PROGRAM[:] = [seccomp.program(platform.machine())]
    except KeyError:
        _PROGRAM.clear()
    address_space()


def address_space() -> int:
    """Bytes of address space of this process, remembered: workers have no files and begin with their template's."""
    if not _SPACE:
        with open("/proc/self/statm", "rb") as file:
            _SPACE.append(int(file.read().split()[0]) * resource.getpagesize())
    return _SPACE[0]


_SPACE: list[int] = []


class _Program(ctypes.Structure):
    _fields_ = (("n", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _filter() -> None:
    program = _PROGRAM[0] if _PROGRAM else seccomp.program(platform.machine())
    whole = _Program(len(program) // 8, program)
    _check(_LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(whole), 0, 0))


def _landlock(codes: Codes) -> None:
    """No path, no TCP port, no signal to outside, as far as this kernel's Landlock knows them (landlock(7))."""
    version = _LIBC.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        codes.update(dict.fromkeys(("landlock_files", "landlock_tcp", "landlock_signals"), ctypes.get_errno()))
        return
    n_rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    rights = ((1 << n_rights) - 1, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    codes["landlock_tcp"] = ACTIVE if version >= 4 else errno.ENOSYS
    codes["landlock_signals"] = ACTIVE if version >= 6 else errno.ENOSYS
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    _attempt(codes, "landlock_files", lambda: _enforce(struct.pack("=QQQ", *rights)[:size]))
    if codes["landlock_files"] != ACTIVE:
        codes["landlock_tcp"] = codes["landlock_signals"] = codes["landlock_files"]


def _enforce(ruleset: bytes) -> None:
    fd = _LIBC.syscall(_LANDLOCK_CREATE, ruleset, ctypes.c_size_t(len(ruleset)), 0)
    if fd < 0:
        _check(fd)
    try:
        _check(_LIBC.syscall(_LANDLOCK_RESTRICT, fd, 0))
    finally:
        os.close(fd)
